"""Sums of genes from entries: those of exact arithmetic, whatever their order."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.model import EntryBlock
from dpss.stats.accumulator import Features
from dpss.stats.entry_accumulator import CellMeasures, EntryAccumulator
from dpss.stats.kernels.layout import (
    LOW_BITS,
    N_BOX_BINS,
    N_CELLS,
    SHARE,
    SHARE_BITS,
    SHARE_LOW,
    SHARE_LOW_BITS,
    TAIL_BITS,
    TOTAL,
    TOTAL_LOW,
    box_bin_edges,
)

N_GENES = 4


@pytest.mark.slow
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([3, 511, 512, 513, 2_000]),
    st.sampled_from(["genes", "none"]),
    st.sampled_from(["float32", "float64", "int64"]),
)
@settings(deadline=None, max_examples=40)
def test_sums_are_exact(seed: int, n_cells: int, order: str, dtype: str) -> None:
    """Long runs of a gene, single values, fractions, zeros, and cells that are not kept."""
    rng = np.random.default_rng(seed)
    dense = rng.integers(0, 4, (n_cells, N_GENES)).astype(dtype)
    if dtype != "int64" and rng.random() < 0.7:
        some = rng.random(dense.shape) < 0.2
        dense[some] *= 0.1 if dtype == "float64" else 0.25
    genes, cells = np.divmod(np.arange(N_GENES * n_cells), n_cells)
    data = dense.T.ravel()
    if order == "none":
        mixed = rng.permutation(len(data))
        cells, genes, data = cells[mixed], genes[mixed], data[mixed]
    is_gene = np.array([True, True, False, True])
    which = Features(is_gene, np.zeros(N_GENES, bool), np.array([1, 3]))
    inverses = 1 / np.maximum(dense[:, is_gene].sum(axis=1).astype(float), 1)
    inverses[rng.random(n_cells) < 0.1] = -1.0
    accumulator = EntryAccumulator(which, inverses)
    cut = int(rng.integers(0, len(data) + 1))
    for part in (slice(0, cut), slice(cut, None)):
        accumulator.add(EntryBlock(cells[part], genes[part], data[part]))
    sums = accumulator.result()
    kept = inverses >= 0
    for gene in np.flatnonzero(is_gene):
        values = dense[kept, gene].astype(float)
        shares = np.minimum(values * inverses[kept], 1.0)
        row = [int(each) for each in sums.table[gene]]
        assert row[N_CELLS] == np.count_nonzero(values)
        unit = LOW_BITS + TAIL_BITS
        total = (row[TOTAL] << unit) + (row[TOTAL_LOW] << TAIL_BITS) + int(sums.tails[gene])
        assert total == sum(floor(Fraction(x) * (1 << unit)) for x in values.tolist())
        found = (row[SHARE] << SHARE_LOW_BITS) + row[SHARE_LOW]
        assert found == sum(floor(p * 2.0**SHARE_BITS + 0.5) for p in shares.tolist())
    for k, gene in enumerate([1, 3]):
        values = dense[kept, gene].astype(float)
        shares = np.minimum(values * inverses[kept], 1.0)[values > 0]
        bins = np.clip(np.searchsorted(box_bin_edges(), shares, "right") - 1, 0, N_BOX_BINS - 1)
        np.testing.assert_array_equal(sums.boxes[k], np.bincount(bins, minlength=N_BOX_BINS))
    assert not sums.table[2, : N_CELLS + 1].any()


def test_more_values_of_a_gene_than_are_carried_at_once() -> None:
    """100,000 cells with one gene, whose shares are 1: limbs do not overflow."""
    n_cells = 100_000
    which = Features(np.ones(1, bool), np.zeros(1, bool), np.array([0]))
    accumulator = EntryAccumulator(which, np.full(n_cells, 1 / 3.0))
    cells, data = np.arange(n_cells), np.full(n_cells, 3.0)
    for _ in range(3):
        accumulator.add(EntryBlock(cells, np.zeros(n_cells, int), data))
    row = accumulator.result().table[0]
    assert row[N_CELLS] == 300_000
    assert row[TOTAL] == 900_000
    assert (int(row[SHARE]) << SHARE_LOW_BITS) + int(row[SHARE_LOW]) == 300_000 << SHARE_BITS


@given(st.lists(st.tuples(st.integers(-2, 6), st.integers(-2, 5), st.sampled_from([1.0, -1.0]))))
def test_places_outside_are_counted(entries: list[tuple[int, int, float]]) -> None:
    """Each once, and no other array is touched."""
    which = Features(np.ones(N_GENES, bool), np.zeros(N_GENES, bool), np.empty(0, np.int64))
    measures = CellMeasures(which, 5)
    cells = np.array([cell for cell, _, _ in entries], dtype=np.int64)
    genes = np.array([gene for _, gene, _ in entries], dtype=np.int64)
    measures.add(EntryBlock(cells, genes, np.array([x for _, _, x in entries])))
    inside = (cells >= 0) & (cells < 5) & (genes >= 0) & (genes < N_GENES)
    assert measures.facts.n_outside == np.count_nonzero(~inside)
    negative = sum(x < 0 for (_, _, x), within in zip(entries, inside, strict=True) if within)
    assert measures.facts.n_negative == negative
