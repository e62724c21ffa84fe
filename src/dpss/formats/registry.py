"""Table of formats and their readers: formats are recognised by content, not by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from dpss.errors import CorruptMatrixError, UnknownFormatError
from dpss.formats import hdf5, mtx, r, text, zarr
from dpss.formats.arrays.probes import sum_probes
from dpss.formats.base import About, Matrix
from dpss.formats.faults import reader_faults
from dpss.formats.options import OpenOptions
from dpss.formats.other_formats import unknown_format
from dpss.storage.archives import ZipTree, is_zip
from dpss.storage.base import Blob, Tree
from dpss.storage.compression import peek
from dpss.storage.locations import Source

OpenBeside = Callable[[Tree, str, Collection[str], OpenOptions], Matrix]


@dataclass(frozen=True)
class Format:
    """A format of files, or of folders and archives that are one matrix.

    Recognition, unpacking and opening of matrices use this record.
    """

    abouts: tuple[About, ...]
    open: Callable[[Source, OpenOptions], tuple[Matrix, ...]]
    """Opens a file, folder or zip archive, given the options."""
    is_file: Callable[[Blob], bool] | None = None
    """Whether a file is of this format, by its first bytes (`dpss.storage.compression.peek`).

    Only `dpss.storage.archives.HEAD_BYTES` of a file are sure to be there, as they are stored.
    """
    is_folder: Callable[[Tree], bool] | None = None
    """Returns whether a folder or archive is a matrix of this format."""
    random_access: bool = False
    """Whether reading needs random access, so that a stream is copied first."""
    read_whole: bool = False
    """Whether the whole file is read to open it; it is then recognised by its first bytes."""
    rows: Callable[[Blob], Blob] | None = None
    """The text of a file that is a table, which may be of anything; ``None`` for matrices."""
    open_beside: OpenBeside | None = None
    """Opens a file of a folder or archive with the tables beside it; given are its path and those
    of all files of this format."""
    folders: Callable[[Tree], Sequence[str]] | None = None
    """Returns the folders of a tree that are one matrix each."""


_LOOK_BYTES = 1 << 10


FORMATS = (
    Format(
        tuple(layout.about for layout in hdf5.LAYOUTS),
        lambda source, options: hdf5.open_(source),
        is_file=hdf5.sniff,
        random_access=True,
    ),
    # Before all else of folders: a hierarchy has thousands of small files.
    Format(
        (
            About(
                "zarr 2 and 3, AnnData's and the HCA's layout, folder or zip",
                "zarr.reader",
                "zarr",
                ("pbmc68k_reduced_scaled.zarr.zip",),
            ),
        ),
        lambda source, options: zarr.open_(source),
        is_folder=zarr.sniff,
        folders=zarr.roots,
    ),
    Format(
        (
            About(
                "mtx with its tables, folder or zip",
                "mtx.reader",
                "mtx",
                ("00000000-0000-4000-8000-000000000001.mtx.zip", "tenx_v3_mtx"),
            ),
            About(
                "npz, as scipy's `save_npz` writes it, with tables of genes and cells beside it",
                "mtx.npz",
                "npz",
            ),
        ),
        lambda source, options: mtx.open_(source, options.threads),
        is_file=mtx.is_entries,
        is_folder=mtx.sniff,
        open_beside=lambda tree, path, others, options: mtx.open_member(
            tree, path, others, options.threads
        ),
    ),
    Format(
        (
            About(
                "R: rds, RData, rda, Robj",
                "r.reader",
                "R",
                ("hca_bone_marrow_50.rds",),
                "no: read whole, after what it needs was held against `--memory`",
            ),
        ),
        lambda source, options: r.open_(
            source, options.memory_bytes, sample_only=options.sample_only
        ),
        is_file=r.sniff,
        read_whole=True,
    ),
    Format(
        tuple(
            About(
                f"{name} tables, with the extra `[parquet]`",
                "text.arrow",
                name,
                constant_memory="a row group or record batch at a time, held against `--memory`",
            )
            for name in ("Parquet", "Feather")
        ),
        lambda source, options: text.open_arrow(
            source,
            options.threads,
            options.orientation,
            options.memory_bytes,
            sample_only=options.sample_only,
        ),
        is_file=text.is_arrow,
        random_access=True,
        rows=text.text_of,
    ),
    # Last, as any text could be a table.
    Format(
        (
            About(
                "csv, tsv, txt, and the Matrix Service's csv.zip",
                "text.reader",
                "text",
                ("mouse_intestine_dge.tsv.gz",),
            ),
        ),
        lambda source, options: text.open_(
            source, options.threads, options.orientation, sample_only=options.sample_only
        ),
        is_file=text.is_table,
        is_folder=text.sniff,
        rows=lambda blob: blob,
        folders=text.service_folders,
    ),
)


def open_matrices(source: Source, options: OpenOptions | None = None) -> tuple[Matrix, ...]:
    """Open what is of one format; `dpss.formats.discovery.iter_matrices` opens whatever there is.

    Args:
        source: A file or object, or a folder or zip archive that is a matrix.
        options: Resources and overrides for opening.

    Returns:
        At least one matrix.

    Raises:
        UnknownFormatError: No reader knows these bytes.
        CorruptMatrixError: The file is damaged or contradicts itself.
        NoMatrixError: The file is whole, but holds no matrix.
        FetchError: The operating system, or a server, could not read it.
        OutOfMemoryError: Memory could not be allocated.
    """
    with reader_faults(source.url):
        found = _open(source, options or OpenOptions())
        return tuple(sum_probes(matrix, source.url) for matrix in found)


def format_of(blob: Blob) -> Format | None:
    """Return the format of a file; ``None`` if no reader recognises its first bytes."""
    return next((known for known in FORMATS if known.is_file and known.is_file(blob)), None)


def _open(source: Source, options: OpenOptions) -> tuple[Matrix, ...]:
    if isinstance(source, Blob) and not source.read_range(0, 1):
        raise CorruptMatrixError(f"{source.url}: the file is empty")
    tree = source if isinstance(source, Tree) else None
    known = None
    if isinstance(source, Blob) and (known := format_of(source)) is None and is_zip(source):
        tree = ZipTree(source)
    if tree:
        known = next((each for each in FORMATS if each.is_folder and each.is_folder(tree)), None)
    if known:
        return known.open(source, options)
    head = peek(source, _LOOK_BYTES) if isinstance(source, Blob) else b""
    raise UnknownFormatError(f"{source.url}: {unknown_format(head)}")
