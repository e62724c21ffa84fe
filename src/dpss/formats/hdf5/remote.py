"""A remote HDF5 file as the library wants it, with foresight for its indices.

The library follows the index of a dataset's chunks node by node, thousands of times where
a file is large, and each would cost a round trip. But a node of a B-tree names all nodes
below it: once the library asks for an upper one, those below are asked for together.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from dpss.storage.base import Blob
from dpss.storage.paging.file import Prefetchable

_NODE = struct.Struct("<4sBBHQQ")
"""Of a B-tree of version 1: signature, kind, level, entries in use, left and right sibling."""
_CHUNKS = 1
"""The kind of B-tree that tells where chunks lie."""
_KEY_BYTES = (24, 32)
"""Size, mask, and the chunk's place along one axis or two, and within an item."""
_MAX_NODES = 1 << 14
"""Most nodes asked for ahead: a quarter of a million chunks and more."""


class RangeFile:
    """A blob as the file-like object that h5py wants, for a file that is not local."""

    def __init__(self, blob: Blob) -> None:
        """Stand at the beginning."""
        self._blob = blob
        self._at = 0
        self._error: BaseException | None = None

    @property
    def error(self) -> BaseException | None:
        """The error of the last read, as a new object: HDF5's own error has no cause."""
        return _bare(self._error) if self._error is not None else None

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset from the start (0), from here (1) or from the end (2)."""
        base = (0, self._at, self._blob.size_bytes or 0)[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Return the present offset."""
        return self._at

    def read(self, length: int = -1) -> bytes:
        """Read from here on."""
        end = self._blob.size_bytes or 0
        length = max(0, end - self._at) if length < 0 else length
        try:
            data = self._blob.read_range(self._at, length)
            prefetch_nodes(self._blob, data)
        except BaseException as error:
            self._error = _bare(error)
            raise
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _bare(error: BaseException) -> BaseException:
    """Return an error that was not raised yet.

    One that was holds all frames that it came through, and among what these hold is what the
    library has of this file. Neither would ever be given up, and the library crashes if
    something of a file of Python's is left when Python has ended.
    """
    kind = type(error)
    bare = kind.__new__(kind)
    bare.args = error.args
    vars(bare).update(vars(error))
    return bare


def prefetch_nodes(blob: Blob, node: bytes) -> None:
    """Announce all nodes below a node of a B-tree, level by level; do nothing for other bytes."""
    if not isinstance(blob, Prefetchable):
        return
    nodes = [node]
    n_nodes = 0
    while nodes:
        places = [place for each in nodes for place in children(each, blob.size_bytes or 0)]
        n_nodes += len(places)
        if not places or n_nodes > _MAX_NODES:
            return
        blob.prefetch([(place, len(node)) for place in places], soon=True)
        # Those directly above the leaves name what was just announced: one more level.
        upper = nodes[0][5] > 1
        nodes = [blob.read_range(place, len(node)) for place in places] if upper else []


def children(node: bytes, file_bytes: int) -> Iterator[int]:
    """Yield where the nodes below a node lie; none if it is no upper node of a chunk index."""
    if len(node) < _NODE.size or not node.startswith(b"TREE"):
        return
    _, kind, level, n_used, _, _ = _NODE.unpack_from(node)
    key = next((k for k in _KEY_BYTES if (len(node) - _NODE.size - k) % (k + 8) == 0), 0)
    if kind != _CHUNKS or not level or not key:
        return
    n_places = (len(node) - _NODE.size - key) // (key + 8)
    for number in range(min(n_used, n_places)):
        at = _NODE.size + key + number * (key + 8)
        (place,) = struct.unpack_from("<Q", node, at)
        if place + len(node) <= file_bytes:
            yield place
