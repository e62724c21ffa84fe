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
from dpss.stats.embedding.group_tables import BINS_SCALE, GroupSums, HistogramGenes

N_GROUPS, N_BINS = 3, (4, 16, 6)


def genes_of(rows: np.ndarray) -> HistogramGenes:
    """Genes with one of a few numbers of bins."""
    return HistogramGenes(rows, np.resize(N_BINS, rows.max() + 1).astype(np.int32))


def tables_of(dense: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    """Add a block of cells by the loop; return sums and bins of each group."""
    matrix = sp.csr_matrix(dense)
    genes = genes_of(rows)
    tables = genes.empty_tables(N_GROUPS)
    block = CellBlock(0, matrix.indptr.astype(np.int64), matrix.indices, matrix.data)
    genes.add(block, dense.sum(axis=1).astype(np.float64), labels, tables)
    groups = GroupSums(np.zeros(N_GROUPS), np.arange(N_GROUPS), genes, tables, ())
    return [np.append(groups.sums(k), groups.histograms(k)) for k in range(N_GROUPS)]


def expected_tables(dense: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    """The same by numpy."""
    totals = np.maximum(dense.sum(axis=1, keepdims=True), 1)
    values = np.floor(np.log1p(dense / totals * 1e4) * UNIT + 0.5).astype(np.int64)
    n_bins = genes_of(rows).n_bins.tolist()
    sums = np.zeros((N_GROUPS, len(n_bins), N_GROUP_SUMS), dtype=np.int64)
    bins = [[np.zeros(n, dtype=np.int64) for n in n_bins] for _ in range(N_GROUPS)]
    for cell, gene in zip(*np.nonzero(dense), strict=True):
        row = rows[gene]
        if labels[cell] >= 0 and row >= 0:
            value = int(values[cell, gene])
            sums[labels[cell], row] += value, value * value
            place = value * n_bins[row] * BINS_SCALE >> 32
            bins[labels[cell]][row][min(place, n_bins[row] - 1)] += 1
    return [np.append(sums[k], np.concatenate(bins[k])) for k in range(N_GROUPS)]


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


def test_the_largest_value_is_in_the_last_bin() -> None:
    """A cell of one gene has the value ln(10,001), whatever its counts."""
    for counts in (1.0, 3.0, 1e6):
        found = tables_of(np.array([[counts]]), np.zeros(1, np.int16), np.zeros(1, np.int32))
        assert found[0].tolist()[2:] == [0, 0, 0, 1]


@pytest.mark.parametrize("n_cells", [0, 1])
def test_nothing_is_added_of_empty_cells(n_cells: int) -> None:
    """A block without cells or without values is no error."""
    labels = np.zeros(n_cells, dtype=np.int16)
    found = tables_of(np.zeros((n_cells, 5), np.float32), labels, np.arange(5, dtype=np.int32))
    assert not np.concatenate(found).any()
