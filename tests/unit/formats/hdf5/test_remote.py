"""What is fetched of a remote HDF5 file before the library asks for it."""

from __future__ import annotations

import pytest

from dpss.formats.hdf5.remote import prefetch_tail
from dpss.storage.base import Spans
from tests.unit.storage.blobs import MemoryBlob

MIB = 1 << 20


class Remote(MemoryBlob):
    """A blob of some size that writes down what is announced."""

    @property
    def size_bytes(self) -> int:
        return int(self.name)

    def prefetch(self, spans: Spans) -> None:
        vars(self).setdefault("spans", []).extend(spans.places)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        (0, []),
        (6_400, [(6_300, 100)]),
        (64 * MIB, [(63 * MIB, MIB)]),
        (512 * MIB, [(510 * MIB, 2 * MIB)]),
        (1 << 40, [((1 << 40) - 2 * MIB, 2 * MIB)]),
    ],
)
def test_the_end_of_a_file_is_announced(size: int, wanted: list[tuple[int, int]]) -> None:
    """A small part of it, of bounded size; nothing of a local file."""
    blob = Remote(str(size), b"")
    prefetch_tail(blob)
    assert vars(blob).get("spans", []) == wanted
    prefetch_tail(MemoryBlob("a.h5ad", bytes(6_400)))
