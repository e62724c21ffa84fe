"""Measures of all cells in memory."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.engine.held_cells import HeldCells
from dpss.stats.cell_records import RECORD


@pytest.mark.parametrize("order", [[0, 3, 5], [5, 3, 0], [3, 0, 5]])
def test_parts_are_joined_in_the_matrixs_order(order: list[int]) -> None:
    """Whatever order they come in."""
    cells = HeldCells()
    parts = {0: range(3), 3: range(3, 5), 5: range(5, 9)}
    for start in order:
        part = np.zeros(len(parts[start]), dtype=RECORD)
        part["n_genes"] = parts[start]
        cells.records.parts[start] = part
    assert cells.joined()["n_genes"].tolist() == list(range(9))


def test_no_cells() -> None:
    """An empty array; nothing is written."""
    assert len(HeldCells().joined()) == 0
