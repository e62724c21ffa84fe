"""Search for references to a heap of strings."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import h5py

from dpss.errors import MatrixError
from dpss.formats.hdf5.access import LIBRARY_ERRORS
from dpss.formats.hdf5.file import Hdf5File

_PIECE_BYTES = 1 << 22
_MAX_OBJECTS = 10_000
"""Most groups and datasets that are opened."""
_MAX_REFERENCES = 1_000_000
"""Most references that are compared."""


def is_of_values_only(file: Hdf5File, address: int) -> bool:
    """Return whether only values of datasets refer to a heap.

    Such a heap is read with these values only, and `dpss.formats.hdf5.strings.check_heaps` checks
    it before. Attributes, in contrast, are read with the object that they describe.

    Args:
        file: The file.
        address: Offset of the heap in the file.
    """
    try:
        spans = list(_value_spans(file))
    except (*LIBRARY_ERRORS, MatrixError):
        return False
    offsets = _references(file, address)
    return all(any(start <= offset < stop for start, stop in spans) for offset in offsets)


def _references(file: Hdf5File, address: int) -> Iterator[int]:
    """Yield the offsets of an address in the file, and -1 beyond the limit."""
    wanted = struct.pack("<Q", address)
    n = 0
    for start in range(0, file.blob.size_bytes or 0, _PIECE_BYTES):
        data = file.blob.read_range(start, _PIECE_BYTES + len(wanted) - 1)
        at = data.find(wanted)
        while at >= 0 and n <= _MAX_REFERENCES:
            n += 1
            yield start + at if n <= _MAX_REFERENCES else -1
            at = data.find(wanted, at + 1)


def _value_spans(file: Hdf5File) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the stored values of text of variable length.

    Raises:
        MatrixError: There are more than `_MAX_OBJECTS` groups and datasets.
    """
    left: list[Any] = [file.h5]
    n = 0
    while left:
        group = left.pop()
        for name in group:
            n += 1
            if n > _MAX_OBJECTS:
                raise MatrixError(f"{file.blob.url}: more than {_MAX_OBJECTS:,} objects")
            node = group[name]
            if isinstance(node, h5py.Group):
                left.append(node)
            elif isinstance(node, h5py.Dataset) and node.dtype.kind == "O":
                yield from _spans_of(node)


def _spans_of(node: h5py.Dataset) -> Iterator[tuple[int, int]]:
    if node.chunks is None:
        offset = node.id.get_offset()
        if offset is not None:
            yield offset, offset + node.id.get_storage_size()
        return
    chunks: list[Any] = []
    node.id.chunk_iter(chunks.append)
    for chunk in chunks:
        if chunk.byte_offset is not None:
            yield chunk.byte_offset, chunk.byte_offset + chunk.size
