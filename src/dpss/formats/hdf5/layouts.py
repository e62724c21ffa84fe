"""Table of the layouts within HDF5 that hold matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dpss.formats.record import Cost, FormatInfo

if TYPE_CHECKING:
    from dpss.formats.base import Matrix
    from dpss.formats.hdf5.file import Hdf5File
    from dpss.storage.base import Blob


@dataclass(frozen=True)
class LayoutFunctions:
    """Functions that recognise and open an HDF5 file of a layout."""

    recognises: Callable[[Hdf5File], bool]
    open: Callable[[Blob, Hdf5File], tuple[Matrix, ...]]


@dataclass(frozen=True)
class Layout:
    """A layout within HDF5."""

    info: FormatInfo
    load: Callable[[], LayoutFunctions]
    """Imports the reader and returns its functions; called when it is first tried."""

    @cached_property
    def functions(self) -> LayoutFunctions:
        """The functions of the reader."""
        return self.load()


def _load_h5ad() -> LayoutFunctions:
    from dpss.formats.hdf5.h5ad import is_h5ad, open_h5ad

    return LayoutFunctions(is_h5ad, lambda blob, file: (open_h5ad(blob, file),))


def _load_loom() -> LayoutFunctions:
    from dpss.formats.hdf5.loom import is_loom, open_loom

    return LayoutFunctions(is_loom, lambda blob, file: (open_loom(blob, file),))


def _load_tenx() -> LayoutFunctions:
    from dpss.formats.hdf5.tenx import is_tenx_h5, open_tenx_h5

    return LayoutFunctions(is_tenx_h5, open_tenx_h5)


def _load_h5seurat() -> LayoutFunctions:
    from dpss.formats.hdf5.h5seurat import is_h5seurat, open_h5seurat

    return LayoutFunctions(is_h5seurat, open_h5seurat)


def _load_h5mu() -> LayoutFunctions:
    from dpss.formats.hdf5.h5ad import is_h5mu, open_h5mu

    return LayoutFunctions(is_h5mu, open_h5mu)


def _load_plain() -> LayoutFunctions:
    from dpss.formats.hdf5.dense import is_plain, open_plain

    return LayoutFunctions(is_plain, lambda blob, file: (open_plain(blob, file),))


LAYOUTS = (
    Layout(
        FormatInfo(
            "h5ad, sparse or dense",
            "hdf5.h5ad",
            (".h5ad",),
            Cost.SPARSE,
            is_sure=True,
            real_files=(
                "pbmc4k_csr_gzip.h5ad",
                "paul15_dense.h5ad",
                "dentategyrus_layers.h5ad",
                "cellxgene_schema_int64.h5ad",
            ),
            constant_memory="yes; a single chunk of a dense matrix is inflated piece by piece, "
            "unless it is compressed by something else than gzip",
        ),
        _load_h5ad,
    ),
    Layout(
        FormatInfo(
            "loom 2 and 3",
            "hdf5.loom",
            (".loom",),
            is_sure=True,
            real_files=("starmap_mpfc.loom",),
        ),
        _load_loom,
    ),
    # After layouts with known names of groups: it opens all groups, of which some may be damaged.
    Layout(
        FormatInfo(
            "10x h5, Cell Ranger 2 and 3",
            "hdf5.tenx",
            (".h5", ".hdf5"),
            Cost.SPARSE,
            is_sure=True,
            real_files=("tenx_v2.h5", "tenx_v3.h5"),
        ),
        _load_tenx,
    ),
    Layout(
        FormatInfo("h5Seurat (SeuratDisk)", "hdf5.h5seurat", (".h5seurat",), is_sure=True),
        _load_h5seurat,
    ),
    Layout(FormatInfo("h5mu", "hdf5.h5ad", (".h5mu",), Cost.SPARSE, is_sure=True), _load_h5mu),
    Layout(
        FormatInfo(
            "HDF5 with a matrix and no names",
            "hdf5.dense",
            (".h5", ".hdf5"),
            Cost.SPARSE,
            is_sure=True,
        ),
        _load_plain,
    ),
)
"""All layouts, in the order in which they are tried."""
