"""HDF5 files: AnnData's h5ad and h5mu, loom, 10x Genomics' h5."""

from dpss.formats.hdf5.dense import is_plain, open_plain
from dpss.formats.hdf5.file import Hdf5File, is_hdf5, reading
from dpss.formats.hdf5.h5ad import is_h5ad, is_h5mu, open_h5ad, open_h5mu
from dpss.formats.hdf5.h5seurat import is_h5seurat, open_h5seurat
from dpss.formats.hdf5.loom import is_loom, open_loom
from dpss.formats.hdf5.strings import check_heaps_of_attributes
from dpss.formats.hdf5.tenx import is_tenx_h5, open_tenx_h5

__all__ = [
    "Hdf5File",
    "check_heaps_of_attributes",
    "is_h5ad",
    "is_h5mu",
    "is_h5seurat",
    "is_hdf5",
    "is_loom",
    "is_plain",
    "is_tenx_h5",
    "open_h5ad",
    "open_h5mu",
    "open_h5seurat",
    "open_loom",
    "open_plain",
    "open_tenx_h5",
    "reading",
]
