"""Zarr hierarchies of version 2 and 3, sharded or not."""

from dpss.formats.zarr.reader import open_, roots, sniff

__all__ = [
    "open_",
    "roots",
    "sniff",
]
