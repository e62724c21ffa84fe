"""Records of the family mtx: they recognise its own files, and no others."""

from __future__ import annotations

import gzip

import pytest

from dpss.formats.mtx import FORMATS
from tests.unit.storage.blobs import MemoryBlob

OWN = b"%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1 5\n"
OTHERS = [
    b"\x89HDF\r\n\x1a\n" + bytes(64),
    b"RDX3\nX\n" + bytes(64),
    b"gene,c1,c2\nACTB,1,2\nGAPDH,0,3\n",
]


def is_recognised(data: bytes) -> bool:
    """Return whether a record of the family takes a file for its own."""
    blob = MemoryBlob("file", data)
    tests = [known.functions.is_file for known in FORMATS]
    return any(is_file is not None and is_file(blob) for is_file in tests)


def test_its_own_file_is_recognised() -> None:
    """As it is and compressed: Matrix Market files begin with a banner."""
    assert is_recognised(OWN)
    assert is_recognised(gzip.compress(OWN))


@pytest.mark.parametrize("data", OTHERS)
def test_a_file_of_another_family_is_not(data: bytes) -> None:
    """Whatever its name is."""
    assert not is_recognised(data)
