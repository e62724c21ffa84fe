"""Zarr hierarchies of version 2 and 3, sharded or not."""
