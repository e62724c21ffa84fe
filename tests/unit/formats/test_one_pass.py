"""Which formats need but one reading, by their beginning."""

from __future__ import annotations

import bz2
import gzip

import pytest

from dpss.errors import NeedsWholeError
from dpss.formats.one_pass import reads_in_one_pass
from dpss.formats.text.layout import CELLS_BY_GENES, GENES_BY_CELLS
from tests.cloud.portal import matrix_bytes
from tests.unit.stores.blobs import MemoryBlob

GENES = ["MALAT1", "ACTB", "GAPDH", "B2M"]
CELLS = ["AAACCCGGGTTTAAAC-1", "CAACCCGGGTTTAAAC-1", "GAACCCGGGTTTAAAC-1"]
HEAD = b"%%MatrixMarket matrix coordinate integer general\n4 3 5\n"


def table(lines: list[str], columns: list[str]) -> bytes:
    rows = [",".join([name, *"1" * len(columns)]) for name in lines]
    return "\n".join([",".join(["", *columns]), *rows, ""]).encode()


BY_CELL = table(CELLS, GENES)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (BY_CELL, True),
        (BY_CELL.replace(b",", b"\t"), True),
        (gzip.compress(BY_CELL), True),
        (bz2.compress(BY_CELL), True),
        (table(GENES, CELLS), False),
        (HEAD + b"1 1 1\n2 1 1\n4 1 1\n1 2 1\n2 3 1\n", True),
        (gzip.compress(HEAD + b"1 1 1\n2 1 1\n4 1 1\n1 2 1\n2 3 1\n"), True),
        (HEAD + b"1 1 1\n1 2 1\n2 1 1\n2 3 1\n4 1 1\n", False),
        (matrix_bytes("h5ad", 1), False),
        (gzip.compress(matrix_bytes("h5ad", 1)), False),
        (matrix_bytes("mtx.zip", 1), False),
    ],
)
def test_the_beginning_tells(data: bytes, expected: bool) -> None:
    """What is cell by cell does with one reading; HDF5, archives and what is by gene do not."""
    assert reads_in_one_pass(MemoryBlob("m", data, random_access=False)) is expected


@pytest.mark.parametrize("data", [b"", bytes(9), b"<html>\n<p>no\n", b"name,age\nA,B\nC,D\n"])
def test_what_is_refused_is_not_fetched_for_it(data: bytes) -> None:
    """The reader refuses it by its beginning, too."""
    assert reads_in_one_pass(MemoryBlob("m", data, random_access=False))


def test_the_orientation_that_is_set_counts() -> None:
    """It is what the reader will go by."""
    blob = MemoryBlob("m", BY_CELL, random_access=False)
    assert reads_in_one_pass(blob, CELLS_BY_GENES)
    assert not reads_in_one_pass(blob, GENES_BY_CELLS)


def test_where_the_beginning_is_not_enough_it_is_fetched() -> None:
    """As with a table whose lines are longer than all that is kept."""

    class Short(MemoryBlob):
        def open(self):
            raise NeedsWholeError("m: gives no parts")

    assert not reads_in_one_pass(Short("m", BY_CELL, random_access=False))
