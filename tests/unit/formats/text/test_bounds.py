"""Lines without end, compressed to next to nothing: refused while they are inflated."""

from __future__ import annotations

import gzip
import random
import tracemalloc
from pathlib import Path

import pytest

from dpss.errors import LimitError
from dpss.formats.discovery import iter_matrices
from dpss.formats.text import bounds as text_bounds
from dpss.formats.text.bounds import MAX_FIELD_BYTES, MAX_FIELDS, MAX_LINE_BYTES, LineBounds
from tests.summarise import source_of, summarise_matrix

MIB = 1 << 20
_HEADER = b"gene,AAACCTGA,AAACCTGC,AAACCTGG\n"
_TABLE = _HEADER + b"".join(b"CD%d,1,0,2\n" % i for i in range(400_000))


def _write(path: Path, begin: bytes, piece: bytes, n_mib: int = 200) -> Path:
    """Write a line of pieces of 1 MiB behind what the file begins with."""
    repeated = (piece * (MIB // len(piece) + 1))[:MIB]
    with gzip.open(path, "wb", 1) as file:
        file.write(begin)
        for _ in range(n_mib):
            file.write(repeated)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begin", "piece", "says", "most_mib"),
    [
        (b"", b"1,", r"line 1 has more than 8,388,608 fields", 40),
        (b"", b"A", r"line 1 has a field of more than 4 MiB", 20),
        (b"gene;a;b\nCD4;1;2\n", b"3;", r"line 3 has more than 8,388,608 fields", 40),
        (b"gene\ta\tb\n", b"0." + b"0" * 30 + b"1\t", r"line 2 has more than 128 MiB", 300),
        (_TABLE, b"1,", r"a line of more than 128 MiB", 300),
    ],
)  # fmt: skip
def test_a_long_line_is_refused_while_it_is_inflated(tmp_path, begin, piece, says, most_mib):
    """What is held is no more than the limit, whatever the file inflates to."""
    path = _write(tmp_path / "a.csv.gz", begin, piece)
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match=says):
            for each in iter_matrices(source_of(path)):
                summarise_matrix(each)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most_mib * MIB


def _must_be_refused(text: bytes) -> bool:
    """Tell by whole lines, one after the other."""
    for line in text.split(b"\n"):
        fields = max(line.count(each) for each in (b"\t", b",", b";", b" "))
        longest = max(map(len, line.translate(bytes.maketrans(b"\t; ", b",,,")).split(b",")))
        if len(line) > 200 or fields > 40 or longest > 60:
            return True
    return False


def test_bounds_do_not_depend_on_the_pieces(monkeypatch):
    """A text cut anywhere is refused only if one of its lines is."""
    for name, value in (("MAX_LINE_BYTES", 200), ("MAX_FIELDS", 40), ("MAX_FIELD_BYTES", 60)):
        monkeypatch.setattr(text_bounds, name, value)
    random_ = random.Random(7)
    n_refused = 0
    for _ in range(2000):
        letters = random_.choice((b"123,\t ;", b"123\n", b"1\n,,,,,,,,,", b"1"))
        text = bytes(random_.choices(letters, k=random_.randint(1, 400)))
        size = random_.randint(1, 30)
        bounds = LineBounds("a.csv")
        refused = False
        try:
            for begin in range(0, len(text), size):
                bounds.add(text[begin : begin + size])
        except LimitError:
            refused = True
        n_refused += refused
        assert not refused or _must_be_refused(text)
        if size == 1:
            assert refused == _must_be_refused(text)
    assert 100 < n_refused < 1900


def test_lines_of_a_million_cells_are_within_the_bounds():
    """The largest tables that people write have a million cells, named with 60 characters."""
    bounds = LineBounds("a.csv")
    name = b'"' + b"C" * 60 + b'",'
    for _ in range(100):
        bounds.add(name * 10_000)
    bounds.add(b"\n" + b"0," * 1_000_000)
    assert MAX_FIELDS > 1_000_000 and MAX_FIELD_BYTES < MAX_LINE_BYTES
