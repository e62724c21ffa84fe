"""The bytes of a file behind a head."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from dpss.storage.base import Blob
from dpss.storage.behind import BlobBehind
from tests.unit.storage.blobs import MemoryBlob


@given(st.binary(max_size=60), st.integers(0, 70), st.integers(0, 70), st.integers(0, 70))
def test_ranges_are_those_of_the_rest(data: bytes, n_bytes: int, start: int, length: int) -> None:
    """Also beyond the end, as a stream, and after being pickled."""
    blob = pickle.loads(pickle.dumps(BlobBehind(MemoryBlob("a.h5", data), n_bytes)))
    assert isinstance(blob, Blob)
    rest = data[n_bytes:]
    assert blob.read_range(start, length) == rest[start : start + length]
    assert blob.size_bytes == len(rest)
    assert (blob.name, blob.url) == ("a.h5", MemoryBlob("a.h5", data).url)
    with blob.open() as file:
        assert file.read() == rest
