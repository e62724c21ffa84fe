"""Cells of whole counts, on both sides of the largest count whose sums are tabulated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dpss.model import CellBlock
from dpss.stats.accumulator import CellAccumulator, Features, Sums
from dpss.stats.kernels.layout import N_TABULATED, N_TOP_COUNTS
from tests.examples import examples

_MORE = 2 * N_TABULATED


def _sums(counts: NDArray[Any], order: int) -> Sums:
    """Add a dense matrix; with ``order`` -1 the genes come from last to first: no cell is plain."""
    n_cells, n_genes = counts.shape
    groups = np.zeros((3, n_genes), dtype=bool)
    groups[0, ::5], groups[1, 1::5], groups[2, 2::7] = True, True, True
    boxed = np.arange(0, n_genes, 3)
    which = Features(np.ones(n_genes, bool), groups[0], boxed, groups[1], groups[2])
    rows = [np.flatnonzero(row)[::order].astype(np.int32) for row in counts]
    indptr = np.cumsum([0, *map(len, rows)])
    data = [row[genes].astype(np.float32) for row, genes in zip(counts, rows, strict=True)]
    accumulator = CellAccumulator(which)
    accumulator.add(CellBlock(0, indptr, np.concatenate(rows), np.concatenate(data)))
    assert n_cells == len(indptr) - 1
    return accumulator.result()


def _check(counts: NDArray[Any]) -> None:
    plain, other = _sums(counts, 1), _sums(counts, -1)
    assert np.array_equal(plain.genes.table, other.genes.table)
    assert np.array_equal(plain.genes.boxes, other.genes.boxes)
    assert plain.genes.table[:, 0].tolist() == (counts > 0).sum(axis=0).tolist()
    assert plain.genes.table[:, 1].tolist() == counts.sum(axis=0).tolist()
    totals = plain.cells.total_counts
    assert np.repeat(totals.values, totals.counts).tolist() == sorted(counts.sum(axis=1).tolist())


@given(seed=st.integers(0, 1 << 30), most=st.integers(1, _MORE), n_genes=st.integers(1, 90))
@settings(deadline=None, max_examples=examples(60))
def test_plain_cells_have_the_sums_of_others(seed: int, most: int, n_genes: int) -> None:
    """The way by tabulated sums gives the bits of the way value by value."""
    rng = np.random.default_rng(seed)
    _check(rng.integers(0, most + 1, (9, n_genes)))


@pytest.mark.parametrize("count", [N_TABULATED - 1, N_TABULATED, N_TABULATED + 1])
@pytest.mark.parametrize("n_cells", [1, 1_023, 2_050])
def test_counts_beside_the_limit(count: int, n_cells: int) -> None:
    """The largest tabulated count and its neighbours are added once each, in many cells too."""
    counts = np.ones((n_cells, N_TOP_COUNTS + 9), dtype=np.int64)
    counts[:, 3] = count
    counts[:, 30] = 0
    counts[::2, 7] = 1 << 20
    _check(counts)
