"""Table of formats and their readers: formats are recognised by content, not by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from dpss.errors import CorruptMatrixError, NeedsWholeError, UnknownFormatError
from dpss.formats import mtx, r, text, zarr
from dpss.formats.arrays.probes import sum_probes
from dpss.formats.base import Matrix
from dpss.formats.faults import reader_faults
from dpss.formats.hdf5 import (
    Hdf5File,
    check_heaps_of_attributes,
    is_h5ad,
    is_h5mu,
    is_h5seurat,
    is_hdf5,
    is_loom,
    is_plain,
    is_tenx_h5,
    open_h5ad,
    open_h5mu,
    open_h5seurat,
    open_loom,
    open_plain,
    open_tenx_h5,
    reading,
)
from dpss.formats.options import OpenOptions
from dpss.formats.other_formats import describe_hdf5, unknown_format
from dpss.storage.archives import ZipTree, is_zip
from dpss.storage.base import Blob, Tree
from dpss.storage.compression import peek
from dpss.storage.locations import Source

HEAD_BYTES = 1 << 12
"""How much of a file is looked at to recognise it."""


@dataclass(frozen=True)
class About:
    """Description of a format: docs/reference/formats.md is made of it."""

    name: str
    reader: str
    """The module below `dpss.formats` that reads it."""
    endings: str
    """Name of the row of `dpss.storage.file_formats.FILE_FORMATS` with the endings of its files."""
    real_files: tuple[str, ...] = ()
    """Real files that it is tested with."""
    constant_memory: str = "yes"
    """Whether memory does not grow with the file, and where it does."""


@dataclass(frozen=True)
class Hdf5Format:
    """A layout within HDF5."""

    about: About
    recognises: Callable[[Hdf5File], bool]
    open: Callable[[Blob, Hdf5File], tuple[Matrix, ...]]


OpenBeside = Callable[[Tree, str, Collection[str], OpenOptions], Matrix]


@dataclass(frozen=True)
class Format:
    """A format of files, or of folders and archives that are one matrix.

    All that finds, unpacks and opens matrices goes by this record.
    """

    abouts: tuple[About, ...]
    open: Callable[[Source, OpenOptions], tuple[Matrix, ...]]
    """Opens a file, folder or zip archive, with what it may use."""
    is_file: Callable[[Blob], bool] | None = None
    """Whether a file is of this format; only its first `HEAD_BYTES` are sure to be given."""
    is_folder: Callable[[Tree], bool] | None = None
    """Whether a folder or archive is one, or holds nothing else."""
    random_access: bool = False
    """Whether a file is read at any place, so that a stream is copied first."""
    read_whole: bool = False
    """Whether the whole file is read to open it; it is then recognised by its first bytes."""
    rows: Callable[[Blob], Blob] | None = None
    """The text of a file that is a table, which may be of anything; ``None`` for matrices."""
    open_beside: OpenBeside | None = None
    """Opens a file of a folder or archive with the tables beside it; given are its path and those
    of all files of this format."""
    folders: Callable[[Tree], Sequence[str]] | None = None
    """Folders of a tree that are one matrix with all that is in them."""


_LOOK_BYTES = 1 << 10

HDF5_FORMATS = (
    Hdf5Format(
        About("10x h5, Cell Ranger 2 and 3", "hdf5.tenx", "HDF5", ("tenx_v2.h5", "tenx_v3.h5")),
        is_tenx_h5,
        open_tenx_h5,
    ),
    Hdf5Format(
        About(
            "h5ad, sparse or dense",
            "hdf5.h5ad",
            "h5ad",
            (
                "pbmc4k_csr_gzip.h5ad",
                "paul15_dense.h5ad",
                "dentategyrus_layers.h5ad",
                "cellxgene_schema_int64.h5ad",
            ),
            "yes; a single chunk of a dense matrix is inflated piece by piece, unless it is "
            "compressed by something else than gzip",
        ),
        is_h5ad,
        lambda blob, file: (open_h5ad(blob, file),),
    ),
    Hdf5Format(
        About("loom 2 and 3", "hdf5.loom", "loom", ("starmap_mpfc.loom",)),
        is_loom,
        lambda blob, file: (open_loom(blob, file),),
    ),
    Hdf5Format(
        About("h5Seurat (SeuratDisk)", "hdf5.h5seurat", "h5Seurat"), is_h5seurat, open_h5seurat
    ),
    Hdf5Format(About("h5mu", "hdf5.h5ad", "h5mu"), is_h5mu, open_h5mu),
    Hdf5Format(
        About("HDF5 with a matrix and no names", "hdf5.dense", "HDF5"),
        is_plain,
        lambda blob, file: (open_plain(blob, file),),
    ),
)


def _is_hdf5(blob: Blob) -> bool:
    return is_hdf5(peek(blob, HEAD_BYTES))


def _open_hdf5(source: Source, options: OpenOptions) -> tuple[Matrix, ...]:
    if not isinstance(source, Blob) or not is_hdf5(source.read_range(0, HEAD_BYTES)):
        raise NeedsWholeError(f"{source.url}: a compressed HDF5 file can't be read in place")
    file = Hdf5File(source)
    check_heaps_of_attributes(file)
    for layout in HDF5_FORMATS:
        with reading(file):
            known = layout.recognises(file)
        if known:
            return layout.open(source, file)
    with reading(file):
        what = describe_hdf5(file.h5)
    raise UnknownFormatError(f"{source.url}: {what}")


FORMATS = (
    Format(
        tuple(layout.about for layout in HDF5_FORMATS),
        _open_hdf5,
        is_file=_is_hdf5,
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
        options: What opening may use.

    Returns:
        At least one matrix.

    Raises:
        UnknownFormatError: No reader knows these bytes.
        CorruptMatrixError: The file is damaged or contradicts itself.
        NoMatrixError: It is whole, but there is no matrix in it.
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
