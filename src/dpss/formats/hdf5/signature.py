"""The first bytes of HDF5 files; the library is not imported to compare them.

A user block may stand before the file's own bytes: text of the program that wrote the file, as
MuData and MATLAB have it. Its size is 512 bytes or a greater power of two (HDF5 file format
specification, "Disk format: level 0A").
"""

from __future__ import annotations

from dpss.storage.archives import is_archive
from dpss.storage.base import Blob
from dpss.storage.compression import peek

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BEGINS = (0, *(1 << power for power in range(9, 14)))
"""Places at which a file's own bytes may begin: behind a user block of at most 8 KiB."""
_MATLAB = b"MATLAB"
"""First bytes of a user block whose file has none of the layouts that are read."""


def begin_of(head: bytes) -> int | None:
    """Return the place at which HDF5 begins; ``None`` if the first bytes are of no HDF5 file.

    Args:
        head: The file's first bytes, as many as `head_bytes` says.
    """
    if head.startswith(_MATLAB):
        return None
    return next((at for at in _BEGINS if head.startswith(SIGNATURE, at)), None)


def head_bytes() -> int:
    """Return the number of bytes that `begin_of` looks at."""
    return _BEGINS[-1] + len(SIGNATURE)


def sniff(blob: Blob) -> bool:
    """Return whether a file is HDF5, once it is decompressed.

    A tar archive is not, whose first member may begin where a user block would end.
    """
    begin = begin_of(peek(blob, head_bytes()))
    return begin == 0 or (begin is not None and not is_archive(blob))
