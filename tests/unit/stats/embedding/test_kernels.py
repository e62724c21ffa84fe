"""Loops over blocks of cells against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.stats.embedding.fixed import N_LOGARITHMS, UNIT
from dpss.stats.embedding.kernels import gather_cells


@pytest.mark.slow
@pytest.mark.parametrize("values", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("indices", ["int32", "int64"])
def test_unsorted_cells_are_sorted_and_foreign_genes_left_out(values: str, indices: str) -> None:
    """Columns increase within a cell; values are rounded logarithms; nothing is read outside."""
    genes = np.array([5, 1, 9, 0, 3, 77, -4], dtype=indices)
    data = np.array([2, 1, 40, 3, 0, 5, 6], dtype=values)
    slots = np.array([0, 1, -1, 2, -1, 3, -1, -1, -1, 4], dtype=np.int16)
    indptr, columns = np.empty(2, np.int64), np.empty(7, np.int16)
    found = np.empty(7, np.int32)
    n = gather_cells(
        np.array([0, 7]), genes, data, np.array([46.0]), slots, np.empty(N_LOGARITHMS, np.int64),
        indptr, columns, found,
    )  # fmt: skip
    assert n == 4
    assert columns[:4].tolist() == [0, 1, 3, 4]
    expected = np.log1p(1e4 * np.array([3, 1, 2, 40]) / 46) * UNIT
    np.testing.assert_allclose(found[:4], expected, atol=0.51)
