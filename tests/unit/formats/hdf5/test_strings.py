"""The walk of a heap of strings finds the object at which HDF5's own walk would go astray."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.formats.hdf5.strings import _damaged_size

HEADER = b"GCOL\x01\0\0\0" + bytes(8)


def _oracle(heap: bytes, n_bytes: int) -> int | None:
    """Walk a heap as the file format's specification describes it."""
    at = 16
    while at + 16 <= len(heap):
        index, _, _, size = struct.unpack_from("<HHIQ", heap, at)
        step = (size + 7) // 8 * 8 + (16 if index else 0)
        if step == 0 or at + step > n_bytes:
            return int(size)
        at += step
    return None


def _object(index: int, size: int, stored: int | None = None) -> bytes:
    return struct.pack("<HHIQ", index, 1, 0, size) + bytes(size if stored is None else stored)


@pytest.mark.parametrize(("objects", "size"), [
    ([_object(1, 8), _object(2, 16), _object(0, 16, 0)], None),
    ([_object(1, 0), _object(2, 0)], None),
    ([_object(1, 8), _object(0, 0, 16)], 0),
    ([_object(1, 8), _object(2, 17, 0)], 17),
    ([_object(1, (1 << 64) - 1, 8)], (1 << 64) - 1),
    ([_object(0, (1 << 64) - 16, 8)], (1 << 64) - 16),
])  # fmt: skip
def test_an_object_beyond_the_heap_is_found(objects: list[bytes], size: int | None) -> None:
    """Objects of any size, no size, and a size that wraps around."""
    heap = HEADER + b"".join(objects)
    assert _damaged_size(heap, len(heap)) == size == _oracle(heap, len(heap))


_OBJECTS = st.builds(
    _object,
    st.integers(0, 3) | st.sampled_from([1 << 15, (1 << 16) - 1]),
    st.integers(0, 40).map(lambda n: n * 8) | st.integers(0, (1 << 64) - 1),
    st.integers(0, 5).map(lambda n: n * 8),
)


@given(st.lists(_OBJECTS, max_size=8), st.binary(max_size=20), st.integers(-20, 60))
def test_heaps_are_walked_as_specified(objects: list[bytes], end: bytes, more: int) -> None:
    """Also heaps that the file cuts off, or whose size is no multiple of eight."""
    heap = HEADER + b"".join(objects) + end
    n_bytes = max(17, len(heap) + more)
    assert _damaged_size(heap, n_bytes) == _oracle(heap, n_bytes)
