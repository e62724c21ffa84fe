"""The format zarr."""

from __future__ import annotations

from dpss.formats.record import About, Format
from dpss.formats.zarr.reader import open_, roots, sniff

FORMATS = (
    Format(
        (
            About(
                "zarr 2 and 3, AnnData's and the HCA's layout, folder or zip",
                "zarr.reader",
                "zarr",
                ("pbmc68k_reduced_scaled.zarr.zip",),
            ),
        ),
        lambda source, options: open_(source),
        is_folder=sniff,
        folders=roots,
    ),
)
