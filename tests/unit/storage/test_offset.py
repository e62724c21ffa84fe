"""The bytes of a file from an offset on."""

from __future__ import annotations

import pickle
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dpss.compute.prefetch import Prefetchable
from dpss.storage.base import Blob, Spans
from dpss.storage.local import LocalFile
from dpss.storage.offset import OffsetBlob, from_offset, is_local
from tests.unit.storage.blobs import MemoryBlob


@given(st.binary(max_size=60), st.integers(0, 70), st.integers(0, 70), st.integers(0, 70))
def test_ranges_are_those_of_the_rest(data: bytes, n_bytes: int, start: int, length: int) -> None:
    """Also beyond the end, as a stream, and after being pickled."""
    blob = pickle.loads(pickle.dumps(OffsetBlob(MemoryBlob("a.h5", data), n_bytes)))
    assert isinstance(blob, Blob)
    rest = data[n_bytes:]
    assert blob.read_range(start, length) == rest[start : start + length]
    assert blob.size_bytes == len(rest)
    assert (blob.name, blob.url) == ("a.h5", MemoryBlob("a.h5", data).url)
    with blob.open() as file:
        assert file.read() == rest


class Fetched(MemoryBlob):
    """A blob that notes what is announced."""

    def prefetch(self, spans: Spans) -> None:
        """Note the ranges."""
        self.__dict__.setdefault("announced", []).append(spans)


def test_it_prefetches_if_the_whole_does() -> None:
    """The ranges are those of the whole blob; without a head it is the blob itself."""
    far, near = Fetched("a.h5", bytes(90)), MemoryBlob("a.h5", bytes(90))
    part = from_offset(far, 10)
    assert isinstance(part, Prefetchable)
    part.prefetch(Spans([(0, 5), (20, 7)], soon=True))
    assert far.__dict__["announced"] == [Spans([(10, 5), (30, 7)], soon=True)]
    assert not isinstance(from_offset(near, 10), Prefetchable)
    assert from_offset(near, 0) is near


def test_part_of_a_local_file_is_local(tmp_path: Path) -> None:
    """As the file itself."""
    (tmp_path / "a.h5").write_bytes(bytes(90))
    file = LocalFile(tmp_path / "a.h5")
    assert is_local(file)
    assert is_local(from_offset(file, 10))
    assert not is_local(from_offset(MemoryBlob("a.h5", bytes(90)), 10))
