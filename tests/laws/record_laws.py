"""Laws of a family's records: they recognise the family's own files, and no others."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest

from dpss.formats.record import Format
from tests.unit.storage.blobs import MemoryBlob

FILES = {
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "mtx": b"%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1 5\n",
    "r": b"RDX3\nX\n" + bytes(64),
    "text": b"gene,c1,c2\nACTB,1,2\nGAPDH,0,3\n",
}
"""The first bytes of a file of each family: a signature, a banner, a version, lines of fields."""


class RecordLaws:
    """Laws of the records of one family: it has to set ``family`` and ``formats``."""

    family: ClassVar[str]
    formats: ClassVar[Sequence[Format]]
    others: ClassVar[Sequence[str]] = tuple(FILES)
    """Families whose files are not recognised, its own aside."""

    def is_recognised(self, data: bytes) -> bool:
        """Return whether a record of the family takes a file for its own."""
        blob = MemoryBlob("file", data)
        tests = [known.functions.is_file for known in self.formats]
        return any(is_file is not None and is_file(blob) for is_file in tests)

    @pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
    def test_its_own_file_is_recognised(self, packed: Callable[[bytes], bytes]) -> None:
        """As it is and compressed."""
        assert self.is_recognised(packed(FILES[self.family]))

    def test_a_file_of_another_family_is_not(self) -> None:
        """Whatever its name is."""
        others = set(self.others) - {self.family}
        assert [name for name in others if self.is_recognised(FILES[name])] == []
