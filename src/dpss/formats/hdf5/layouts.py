"""Table of the layouts within HDF5 that hold matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dpss.errors import NeedsWholeError, UnknownFormatError
from dpss.formats.base import Matrix
from dpss.formats.hdf5.dense import is_plain, open_plain
from dpss.formats.hdf5.file import SIGNATURE, Hdf5File, is_hdf5, reading
from dpss.formats.hdf5.h5ad import is_h5ad, is_h5mu, open_h5ad, open_h5mu
from dpss.formats.hdf5.h5seurat import is_h5seurat, open_h5seurat
from dpss.formats.hdf5.loom import is_loom, open_loom
from dpss.formats.hdf5.strings import check_heaps_of_attributes
from dpss.formats.hdf5.tenx import is_tenx_h5, open_tenx_h5
from dpss.formats.other_formats import describe_hdf5
from dpss.formats.record import About
from dpss.storage.base import Blob, Tree
from dpss.storage.compression import peek


@dataclass(frozen=True)
class Layout:
    """A layout within HDF5."""

    about: About
    recognises: Callable[[Hdf5File], bool]
    open: Callable[[Blob, Hdf5File], tuple[Matrix, ...]]


LAYOUTS = (
    Layout(
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
    Layout(
        About("loom 2 and 3", "hdf5.loom", "loom", ("starmap_mpfc.loom",)),
        is_loom,
        lambda blob, file: (open_loom(blob, file),),
    ),
    # After those whose groups have names: it opens all groups, of which some may be damaged.
    Layout(
        About("10x h5, Cell Ranger 2 and 3", "hdf5.tenx", "HDF5", ("tenx_v2.h5", "tenx_v3.h5")),
        is_tenx_h5,
        open_tenx_h5,
    ),
    Layout(About("h5Seurat (SeuratDisk)", "hdf5.h5seurat", "h5Seurat"), is_h5seurat, open_h5seurat),
    Layout(About("h5mu", "hdf5.h5ad", "h5mu"), is_h5mu, open_h5mu),
    Layout(
        About("HDF5 with a matrix and no names", "hdf5.dense", "HDF5"),
        is_plain,
        lambda blob, file: (open_plain(blob, file),),
    ),
)
"""All layouts, in the order in which a file is held against them."""


def sniff(blob: Blob) -> bool:
    """Return whether a file is HDF5, once it is decompressed."""
    return is_hdf5(peek(blob, len(SIGNATURE)))


def open_(source: Blob | Tree) -> tuple[Matrix, ...]:
    """Open an HDF5 file by the first layout that it has.

    Raises:
        NeedsWholeError: The file is compressed, or the source is not a file.
        UnknownFormatError: The file has none of the known layouts.
        CorruptMatrixError: The bytes are damaged.
    """
    if not isinstance(source, Blob) or not is_hdf5(source.read_range(0, len(SIGNATURE))):
        raise NeedsWholeError(f"{source.url}: a compressed HDF5 file can't be read in place")
    file = Hdf5File(source)
    check_heaps_of_attributes(file)
    for layout in LAYOUTS:
        with reading(file):
            known = layout.recognises(file)
        if known:
            return layout.open(source, file)
    with reading(file):
        what = describe_hdf5(file.h5)
    raise UnknownFormatError(f"{source.url}: {what}")
