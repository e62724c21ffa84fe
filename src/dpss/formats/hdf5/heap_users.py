"""The search for what refers to a heap of strings: values of datasets, or anything else."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import h5py

from dpss.errors import MatrixError
from dpss.formats.hdf5.access import ASTRAY
from dpss.formats.hdf5.file import Hdf5File

_PIECE_BYTES = 1 << 22
_MOST_OBJECTS = 10_000
"""Most groups and datasets that are looked at."""
_MOST_PLACES = 1_000_000
"""Most references that are looked at."""


def is_of_values_only(file: Hdf5File, address: int) -> bool:
    """Return whether nothing but values of datasets refers to a heap.

    Such a heap is read with these values only, and checked before. Attributes, in contrast,
    are read together with what they describe.

    Args:
        file: The file.
        address: Place of the heap in the file.
    """
    try:
        spans = list(_value_spans(file))
    except (*ASTRAY, MatrixError):
        return False
    places = _references(file, address)
    return all(any(start <= place < stop for start, stop in spans) for place in places)


def _references(file: Hdf5File, address: int) -> Iterator[int]:
    """Yield each place in the file that has the number of an address."""
    wanted = struct.pack("<Q", address)
    n = 0
    for start in range(0, file.blob.size_bytes or 0, _PIECE_BYTES):
        data = file.blob.read_range(start, _PIECE_BYTES + len(wanted) - 1)
        at = data.find(wanted)
        while at >= 0 and n <= _MOST_PLACES:
            n += 1
            yield start + at if n <= _MOST_PLACES else -1
            at = data.find(wanted, at + 1)


def _value_spans(file: Hdf5File) -> Iterator[tuple[int, int]]:
    """Yield where the stored values of text of variable length begin and end.

    Raises:
        MatrixError: There are more objects than can be looked at.
    """
    left: list[Any] = [file.h5]
    n = 0
    while left:
        group = left.pop()
        for name in group:
            n += 1
            if n > _MOST_OBJECTS:
                raise MatrixError(f"{file.blob.url}: more than {_MOST_OBJECTS:,} objects")
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
    spans: list[tuple[int, int]] = []
    node.id.chunk_iter(
        lambda info: (
            spans.append((info.byte_offset, info.byte_offset + info.size))
            if info.byte_offset is not None
            else None
        )
    )
    yield from spans
