"""The first bytes of HDF5 files, compared without the library.

A user block may precede the file's own bytes: text of the program that wrote the file, such as
MuData and MATLAB. Its size is 512 bytes or a greater power of two (HDF5 file format
specification, "Disk format: level 0A").
"""

from __future__ import annotations

from dpss.storage.archives import is_archive
from dpss.storage.base import Blob
from dpss.storage.compression import peek

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BEGINS = (0, *(1 << power for power in range(9, 14)))
"""Offsets at which a file's own bytes may begin: after a user block of at most 8 KiB."""
_MATLAB = b"MATLAB"
"""First bytes of a user block of MATLAB, whose files have no supported layout."""


def begin_of(head: bytes) -> int | None:
    """Return the offset at which HDF5 begins; ``None`` if the file is no HDF5.

    Args:
        head: The file's first `head_bytes` bytes.
    """
    if head.startswith(_MATLAB):
        return None
    return next((at for at in _BEGINS if head.startswith(SIGNATURE, at)), None)


def head_bytes() -> int:
    """Return the number of bytes that `begin_of` needs."""
    return _BEGINS[-1] + len(SIGNATURE)


def sniff(blob: Blob) -> bool:
    """Return whether a file, decompressed, is HDF5.

    The first member of a tar archive may begin at the end of a user block; it does not count.
    """
    begin = begin_of(peek(blob, head_bytes()))
    return begin == 0 or (begin is not None and not is_archive(blob))
