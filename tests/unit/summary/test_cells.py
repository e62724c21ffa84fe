"""Lines of ``cells.csv.gz``."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.stats.cell_records import RECORD
from dpss.stats.embedding.cell_places import CellPlaces
from dpss.summary.cells import CELL_COLUMNS, cell_lines
from tests.examples import examples

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


def rows_of(data: bytes) -> list[list[str]]:
    """Read lines back with the standard library's reader."""
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.tuples(NAMES, st.integers(-1, 40_000), st.floats(0, 1e9)), max_size=20))
def test_what_is_written_is_read(cells: list[tuple[str, int, float]]) -> None:
    """Any name comes back as it was, quoted by the rules; cells that are not kept have no line."""
    records = np.array([(n, total, total / 4) for _, n, total in cells], dtype=RECORD)
    rows = rows_of(cell_lines([name for name, _, _ in cells], records, None, with_mt=True))
    kept = [cell for cell in cells if cell[1] >= 0]
    assert [row[0] for row in rows] == [name for name, _, _ in kept]
    assert [int(row[1]) for row in rows] == [n for _, n, _ in kept]
    totals = np.array([float(row[2]) for row in rows])
    assert totals == pytest.approx([total for _, _, total in kept], rel=1e-8)
    assert all(len(row) == len(CELL_COLUMNS) and row[4:] == ["", "", ""] for row in rows)


@pytest.mark.parametrize(
    "name", ["=1+2", "+A", "-A", "@x", 'a"b', "a,b", "a\nb", "  a  ", "MT-CO1", ""]
)
def test_names_are_never_changed(name: str) -> None:
    """A barcode is a key: it is joined to obs as it is, also one that a spreadsheet reckons."""
    records = np.array([(1, 2.0, 0.0)], dtype=RECORD)
    assert rows_of(cell_lines([name], records, None, with_mt=True))[0][0] == name


def test_numbers_are_whole_where_they_can_be() -> None:
    """Counts beyond a million are not rounded; an empty cell has 0 %; the undefined is empty."""
    records = np.array([(3, 123456789.0, 0.0), (0, 0.0, 0.0), (2, 1.5, 0.5)], dtype=RECORD)
    places = CellPlaces(
        np.array([2, -1, 0], np.int16),
        np.array([[1.25, -2], [np.nan, np.nan], [1 / 3, 0]], np.float32),
    )
    assert rows_of(cell_lines(["a", "b", "c"], records, places, with_mt=True)) == [
        ["a", "3", "123456789", "0", "2", "1.25", "-2"],
        ["b", "0", "0", "0", "", "", ""],
        ["c", "2", "1.5", "33.3333333", "0", "0.333333", "0"],
    ]
    (row,) = rows_of(cell_lines([None], records[:1], None, with_mt=False))
    assert row == ["", "3", "123456789", "", "", "", ""]
