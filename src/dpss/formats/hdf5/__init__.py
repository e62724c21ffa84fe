"""HDF5 files: AnnData's h5ad and h5mu, loom, 10x Genomics' h5."""

from dpss.formats.hdf5.records import FORMATS, preload

__all__ = ["FORMATS", "preload"]
