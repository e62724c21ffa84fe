"""The first bytes of HDF5 files; the library is not imported to compare them."""

from __future__ import annotations

from dpss.storage.base import Blob
from dpss.storage.compression import peek

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_hdf5(head: bytes) -> bool:
    """Return whether a file's first bytes are those of HDF5."""
    return head.startswith(SIGNATURE)


def sniff(blob: Blob) -> bool:
    """Return whether a file is HDF5, once it is decompressed."""
    return is_hdf5(peek(blob, len(SIGNATURE)))
