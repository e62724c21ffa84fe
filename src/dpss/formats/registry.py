"""Which reader knows which bytes: formats are recognised by content, not by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dpss.errors import CorruptMatrixError, UnknownFormatError
from dpss.formats.base import Matrix
from dpss.formats.faults import reader_faults
from dpss.formats.hdf5.dense import is_plain, open_plain
from dpss.formats.hdf5.file import Hdf5File, is_hdf5, reading
from dpss.formats.hdf5.h5ad import is_h5ad, is_h5mu, open_h5ad, open_h5mu
from dpss.formats.hdf5.h5seurat import is_h5seurat, open_h5seurat
from dpss.formats.hdf5.loom import is_loom, open_loom
from dpss.formats.hdf5.strings import check_heaps_of_attributes
from dpss.formats.hdf5.tenx import is_tenx_h5, open_tenx_h5
from dpss.formats.mtx import reader as mtx
from dpss.formats.options import Means
from dpss.formats.other_formats import describe_hdf5, unknown_format
from dpss.formats.r import reader as r_objects
from dpss.formats.text import arrow
from dpss.formats.text import reader as text
from dpss.formats.zarr import reader as zarr
from dpss.storage.base import Blob
from dpss.storage.compression import peek
from dpss.storage.locations import Source

HEAD_BYTES = 1 << 12
"""How much of a file is looked at to recognise it."""


@dataclass(frozen=True)
class About:
    """What the documentation tells of a format: docs/reference/formats.md is made of it."""

    name: str
    reader: str
    """The module of `dpss.formats.base` that reads it."""
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


@dataclass(frozen=True)
class Format:
    """A format that is no HDF5: of a file, a folder or an archive."""

    about: About
    recognises: Callable[[Source], bool]
    open: Callable[[Source, Means], tuple[Matrix, ...]]
    """Opens a source, with what it may use."""


_LOOK_BYTES = 1 << 10

HDF5_FORMATS = (
    Hdf5Format(
        About("10x h5, Cell Ranger 2 and 3", "tenx_h5", ("tenx_v2.h5", "tenx_v3.h5")),
        is_tenx_h5,
        open_tenx_h5,
    ),
    Hdf5Format(
        About(
            "h5ad, sparse or dense",
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
        About("loom 2 and 3", "loom", ("starmap_mpfc.loom",)),
        is_loom,
        lambda blob, file: (open_loom(blob, file),),
    ),
    Hdf5Format(About("h5Seurat (SeuratDisk)", "h5seurat"), is_h5seurat, open_h5seurat),
    Hdf5Format(About("h5mu", "h5ad"), is_h5mu, open_h5mu),
    Hdf5Format(
        About("HDF5 with a matrix and no names", "dense_hdf5"),
        is_plain,
        lambda blob, file: (open_plain(blob, file),),
    ),
)

FORMATS = (
    # First, as a hierarchy has thousands of small files, and names say what they are.
    Format(
        About(
            "zarr 2 and 3, AnnData's and the HCA's layout, folder or zip",
            "zarr",
            ("pbmc68k_reduced_scaled.zarr.zip",),
        ),
        zarr.sniff,
        lambda source, means: zarr.open_(source),
    ),
    Format(
        About(
            "mtx, and npz as scipy's `save_npz` writes it, with tables beside it; folder or zip",
            "mtx",
            ("00000000-0000-4000-8000-000000000001.mtx.zip", "tenx_v3_mtx"),
        ),
        mtx.sniff,
        lambda source, means: mtx.open_(source, means.threads),
    ),
    Format(
        About(
            "R: rds, RData, rda, Robj",
            "r_objects",
            ("hca_bone_marrow_50.rds",),
            "no: read whole, after what it needs was held against `--memory`",
        ),
        r_objects.sniff,
        lambda source, means: r_objects.open_(source, means.memory_bytes),
    ),
    Format(
        About(
            "Parquet and Feather tables, with the extra `[parquet]`",
            "arrow",
            constant_memory="a row group or record batch at a time, held against `--memory`",
        ),
        arrow.sniff,
        lambda source, means: arrow.open_(
            source,
            means.threads,
            means.orientation,
            means.memory_bytes,
            sample_only=means.sample_only,
        ),
    ),
    # Last, as any text could be a table.
    Format(
        About(
            "csv, tsv, txt, and the Matrix Service's csv.zip",
            "text",
            ("mouse_intestine_dge.tsv.gz",),
        ),
        text.sniff,
        lambda source, means: text.open_(
            source, means.threads, means.orientation, sample_only=means.sample_only
        ),
    ),
)


def open_matrices(source: Source, means: Means | None = None) -> tuple[Matrix, ...]:
    """Open what is of one format; `dpss.formats.discovery.each_matrix` opens whatever there is.

    Args:
        source: A file or object, or a folder or zip archive that is a matrix.
        means: What opening may use.

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
        return _open(source, means or Means())


def _open(source: Source, means: Means) -> tuple[Matrix, ...]:
    if isinstance(source, Blob):
        head = source.read_range(0, HEAD_BYTES)
        if not head:
            raise CorruptMatrixError(f"{source.url}: the file is empty")
        if is_hdf5(head):
            return _open_hdf5(source)
    for known in FORMATS:
        if known.recognises(source):
            return known.open(source, means)
    head = peek(source, _LOOK_BYTES) if isinstance(source, Blob) else b""
    raise UnknownFormatError(f"{source.url}: {unknown_format(head)}")


def _open_hdf5(blob: Blob) -> tuple[Matrix, ...]:
    file = Hdf5File(blob)
    check_heaps_of_attributes(file)
    for layout in HDF5_FORMATS:
        with reading(file):
            known = layout.recognises(file)
        if known:
            return layout.open(blob, file)
    with reading(file):
        what = describe_hdf5(file.h5)
    raise UnknownFormatError(f"{blob.url}: {what}")
