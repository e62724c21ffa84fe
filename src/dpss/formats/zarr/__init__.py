"""Zarr hierarchies of version 2 and 3, sharded or not."""

from dpss.formats.zarr.records import FORMATS

__all__ = ["FORMATS"]
