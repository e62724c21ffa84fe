"""The format HDF5; `dpss.formats.hdf5.layouts` has its layouts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dpss.formats.hdf5.layouts import LAYOUTS
from dpss.formats.record import Format, FormatFunctions

if TYPE_CHECKING:
    from dpss.formats.base import Matrix
    from dpss.formats.options import OpenOptions
    from dpss.storage.locations import Source


def _open(source: Source, options: OpenOptions) -> tuple[Matrix, ...]:
    from dpss.formats.hdf5.reader import open_

    return open_(source)


def _load() -> FormatFunctions:
    from dpss.formats.hdf5.signature import sniff

    return FormatFunctions(_open, is_file=sniff)


def preload() -> None:
    """Import the reader of h5ad, the commonest format, before processes are forked."""
    import_module("dpss.formats.hdf5.reader")
    LAYOUTS[0].load()


FORMATS = (Format(tuple(layout.info for layout in LAYOUTS), _load, random_access=True),)
