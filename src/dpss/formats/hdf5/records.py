"""The format HDF5, whose layouts are a table of their own."""

from __future__ import annotations

from dpss.formats.hdf5.layouts import LAYOUTS, open_, sniff
from dpss.formats.record import Format

FORMATS = (
    Format(
        tuple(layout.about for layout in LAYOUTS),
        lambda source, options: open_(source),
        is_file=sniff,
        random_access=True,
    ),
)
