"""The loop that fills the tables of groups, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.model import CellBlock
from dpss.stats.embedding.fixed import UNIT
from dpss.stats.embedding.group_sums import N_GROUP_SUMS
from dpss.stats.embedding.group_tables import LARGEST_VALUE, HistogramGenes

N_GROUPS, N_BINS = 3, 16
PER_UNIT = (N_BINS << 32) // (LARGEST_VALUE * UNIT)


def tables_of(dense: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Add a block of cells by the loop; return sums and bins, unpacked."""
    matrix = sp.csr_matrix(dense)
    genes = HistogramGenes(rows, N_BINS)
    tables = genes.empty_tables(N_GROUPS)
    block = CellBlock(0, matrix.indptr.astype(np.int64), matrix.indices, matrix.data)
    genes.add(block, dense.sum(axis=1).astype(np.float64), labels, tables)
    bins = tables[:, :, N_GROUP_SUMS:].copy().view(np.uint32)
    return np.concatenate([tables[:, :, :N_GROUP_SUMS], bins], axis=2)


def expected_tables(dense: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The same by numpy."""
    totals = np.maximum(dense.sum(axis=1, keepdims=True), 1)
    values = np.floor(np.log1p(dense / totals * 1e4) * UNIT + 0.5).astype(np.int64)
    out = np.zeros((N_GROUPS, rows.max() + 1, N_GROUP_SUMS + N_BINS), dtype=np.int64)
    for cell, gene in zip(*np.nonzero(dense), strict=True):
        if labels[cell] >= 0 and rows[gene] >= 0:
            value = values[cell, gene]
            row = out[labels[cell], rows[gene]]
            row[:N_GROUP_SUMS] += value, value * value
            place = int(value) * PER_UNIT >> 32
            row[N_GROUP_SUMS + min(place, N_BINS - 1)] += 1
    return out


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 20, 33, 150]), st.floats(0.02, 1))
@settings(deadline=None)
def test_sums_and_bins_are_those_of_numpy(seed: int, n_genes: int, density: float) -> None:
    """Cells of fewer and of more values than are fetched ahead, and cells without a group."""
    rng = np.random.default_rng(seed)
    dense = rng.poisson(3.0, (9, n_genes)) * (rng.random((9, n_genes)) < density)
    labels = rng.integers(-1, N_GROUPS, 9).astype(np.int16)
    rows = np.where(rng.random(n_genes) < 0.8, 0, -1).astype(np.int32)
    rows[rows >= 0] = np.arange((rows >= 0).sum())
    rows[0] = max(rows[0], 0)
    found = tables_of(dense.astype(np.float32), labels, rows)
    np.testing.assert_array_equal(found, expected_tables(dense, labels, rows))


@pytest.mark.parametrize("n_cells", [0, 1])
def test_nothing_is_added_of_empty_cells(n_cells: int) -> None:
    """A block without cells or without values is no error."""
    labels = np.zeros(n_cells, dtype=np.int16)
    found = tables_of(np.zeros((n_cells, 5), np.float32), labels, np.arange(5, dtype=np.int32))
    assert not found.any()
