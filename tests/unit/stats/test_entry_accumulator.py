"""Sums of entries: a file that changed between two passes is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError
from dpss.model import EntryBlock
from dpss.stats.accumulator import Features
from dpss.stats.entry_accumulator import CellMeasures, EntryAccumulator
from dpss.stats.kernels import layout

N_CELLS, N_GENES = 5, 4
FEATURES = Features(np.ones(N_GENES, bool), np.zeros(N_GENES, bool), np.array([0, 2]))
INDICES = st.integers(-(2**31), 2**31 - 1) | st.integers(-2, 6)


def second_pass(n_cells: int = N_CELLS) -> EntryAccumulator:
    """Return the accumulator of the second pass, after a first one without entries."""
    return EntryAccumulator(FEATURES, CellMeasures(FEATURES, n_cells).inverses(0))


@pytest.mark.parametrize("dtype", ["i4", "i8"])
@pytest.mark.parametrize(("cell", "gene"), [(5, 0), (0, 4), (-1, 0), (0, -1), (2**31 - 1, 0)])
def test_an_entry_outside_is_refused(cell: int, gene: int, dtype: str) -> None:
    """It would be written to memory outside the table."""
    block = EntryBlock(np.array([1, cell], dtype), np.array([1, gene], dtype), np.ones(2))
    accumulator = second_pass()
    with pytest.raises(CorruptMatrixError, match="other cells or genes"):
        accumulator.add(block)
    assert accumulator.result().table[:, layout.N_CELLS].sum() == 0


def test_an_entry_of_a_matrix_without_cells_is_refused() -> None:
    """There is no first cell."""
    with pytest.raises(CorruptMatrixError, match="other cells or genes"):
        second_pass(0).add(EntryBlock(np.zeros(1, int), np.zeros(1, int), np.ones(1)))


@given(st.lists(st.tuples(INDICES, INDICES), max_size=9))
def test_entries_are_added_if_all_are_inside(places: list[tuple[int, int]]) -> None:
    """All or none of a block."""
    cells, genes = np.array(places, dtype=np.int32).reshape(-1, 2).T
    accumulator = second_pass()
    if all(0 <= cell < N_CELLS and 0 <= gene < N_GENES for cell, gene in places):
        accumulator.add(EntryBlock(cells, genes, np.ones(len(places))))
        assert accumulator.result().table[:, layout.N_CELLS].sum() == len(places)
    else:
        with pytest.raises(CorruptMatrixError):
            accumulator.add(EntryBlock(cells, genes, np.ones(len(places))))
