"""A remote HDF5 file as a file object, with its indices prefetched.

The library follows the index of a dataset's chunks node by node, thousands of times in a large
file, and each would cost a round trip. A node of a B-tree names all nodes below it: when the
library reads an upper node, all nodes below it are requested together.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dpss.compute.prefetch import Prefetchable
from dpss.storage.base import Blob, Spans
from dpss.storage.blob_file import BlobFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_NODE = struct.Struct("<4sBBHQQ")
"""Of a B-tree of version 1: signature, kind, level, entries in use, left and right sibling."""
_CHUNKS = 1
"""Kind of a B-tree that indexes chunks."""
_KEY_BYTES = (24, 32)
"""Bytes of a key: size, mask, offset of the chunk along one axis or two, and within an item."""
_MAX_NODES = 1 << 14
"""Most nodes that are prefetched, enough for 250,000 chunks."""
_TAIL_BYTES = 1 << 21
"""Most bytes at a file's end that are prefetched."""
_TAIL_DIVISOR = 64
"""At most one 64th of a file is prefetched at its end."""


class RemoteHdf5(BlobFile):
    """A remote blob as the file object that h5py reads."""

    _error: BaseException | None = None

    def __init__(self, blob: Blob) -> None:
        """Read from ``blob``, and prefetch its end."""
        super().__init__(blob)
        prefetch_tail(blob)

    @property
    def error(self) -> BaseException | None:
        """The error of the last failed read, as a new object; ``None`` without.

        HDF5's own error does not refer to it.
        """
        return _bare(self._error) if self._error is not None else None

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read at the position; if a node of an index is read, prefetch the nodes below."""
        try:
            n_bytes = super().readinto(buffer)
            prefetch_nodes(self.blob, bytes(memoryview(buffer)[:n_bytes]))
        except BaseException as error:
            self._error = _bare(error)
            raise
        return n_bytes


def prefetch_tail(blob: Blob) -> None:
    """Prefetch the end of a file: mostly names, columns, headers of datasets.

    AnnData, which writes the matrix first, puts them after it; the library would read them one
    after the other.
    """
    size = blob.size_bytes
    if size and isinstance(blob, Prefetchable):
        n_bytes = min(_TAIL_BYTES, size // _TAIL_DIVISOR)
        blob.prefetch(Spans([(size - n_bytes, n_bytes)], soon=True))


def _bare(error: BaseException) -> BaseException:
    """Return a copy of an error without traceback.

    A raised error refers to the frames of its traceback, and these to the library's objects of the
    file. They would never be freed, and the library crashes if they exist when Python has ended.
    """
    kind = type(error)
    bare = kind.__new__(kind)
    bare.args = error.args
    vars(bare).update(vars(error))
    return bare


def prefetch_nodes(blob: Blob, node: bytes) -> None:
    """Prefetch all nodes below a node of a B-tree, level by level; ignore other bytes."""
    if not isinstance(blob, Prefetchable):
        return
    nodes = [node]
    n_nodes = 0
    while nodes:
        offsets = [at for each in nodes for at in children(each, blob.size_bytes or 0)]
        n_nodes += len(offsets)
        if not offsets or n_nodes > _MAX_NODES:
            return
        blob.prefetch(Spans([(at, len(node)) for at in offsets], soon=True))
        # Nodes directly above the leaves name the nodes that are prefetched already.
        upper = nodes[0][5] > 1
        nodes = [blob.read_range(at, len(node)) for at in offsets] if upper else []


def children(node: bytes, file_bytes: int) -> Iterator[int]:
    """Yield the offsets of the nodes below an upper node of a chunk index."""
    if len(node) < _NODE.size or not node.startswith(b"TREE"):
        return
    _, kind, level, n_used, _, _ = _NODE.unpack_from(node)
    key = next((k for k in _KEY_BYTES if (len(node) - _NODE.size - k) % (k + 8) == 0), 0)
    if kind != _CHUNKS or not level or not key:
        return
    n_entries = (len(node) - _NODE.size - key) // (key + 8)
    for i in range(min(n_used, n_entries)):
        (offset,) = struct.unpack_from("<Q", node, _NODE.size + key + i * (key + 8))
        if offset + len(node) <= file_bytes:
            yield offset
