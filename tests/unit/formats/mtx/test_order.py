"""The order of entries is guessed from the first lines of a file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.formats.mtx import order
from dpss.formats.mtx.header import read_header
from dpss.formats.mtx.order import Order, guess_order
from dpss.storage.local import LocalFile
from tests.unit.storage.blobs import MemoryBlob


def _guess(lines: list[str], field: str, n_entries: int, cell_axis: int = 1) -> Order:
    head = f"%%MatrixMarket matrix coordinate {field} general\n90 90 {n_entries}\n"
    blob = MemoryBlob("a.mtx", (head + "\n".join(lines) + "\n").encode())
    return guess_order(blob, read_header(blob), cell_axis)


_BY_CELL = [(1, 1), (7, 1), (2, 2), (1, 3)]
_BY_GENE = [(1, 1), (1, 7), (2, 2), (3, 1)]


@pytest.mark.parametrize("line", ["{} {} 5", " {}\t{}\t1.5\r", "{}  {} 1e3 more"])
@pytest.mark.parametrize(("pairs", "found"), [
    (_BY_CELL, Order.CELLS), (_BY_GENE, Order.GENES), ([(3, 3), (2, 5), (5, 1)], Order.NONE),
])  # fmt: skip
def test_entries_are_sorted(line: str, pairs: list[tuple[int, int]], found: Order) -> None:
    """Blanks, tabs and carriage returns between and around the numbers make no difference."""
    lines = [line.format(*pair) for pair in pairs]
    assert _guess(lines, "real", len(pairs)) is found
    assert _guess([" ".join(each.split()[:2]) for each in lines], "pattern", len(pairs)) is found


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=8, unique=True),
    st.integers(0, 1),
    st.sampled_from(["", "%", "x 1 1", "1", "1 x 2", "12345678901 1 1"]),
)
def test_lines_that_are_no_entries_are_passed_over(
    pairs: list[tuple[int, int]], cell_axis: int, other: str
) -> None:
    """Empty lines, comments and lines that damage the file, which reading refuses."""
    lines = [f"{a} {b} 1" for a, b in pairs]
    with_others = [line for each in lines for line in (other, each)]
    found = _guess(with_others, "integer", len(pairs), cell_axis)
    assert found is _guess(lines, "integer", len(pairs), cell_axis)
    cells = [pair[cell_axis] for pair in pairs]
    assert (found is Order.CELLS) == all(a <= b for a, b in pairwise(cells))


def test_a_line_that_is_cut_off_is_no_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last line looked at may be half a number: 1 of 19."""
    path = tmp_path / "a.mtx"
    head = "%%MatrixMarket matrix coordinate pattern general\n90 90 3\n"
    path.write_text(f"{head}1 18\n1 19\n")
    monkeypatch.setattr(order, "_LOOK_BYTES", len("1 18\n1 1"))
    assert guess_order(LocalFile(path), read_header(LocalFile(path)), 1) is Order.CELLS
