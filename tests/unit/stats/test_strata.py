"""Strata: each is what its cells alone would give, whatever the order of the cells."""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.model import EntryBlock
from dpss.stats.accumulator import CellAccumulator, Features
from dpss.stats.entry_accumulator import CellMeasures, EntryAccumulator
from dpss.stats.kernels import layout
from dpss.stats.strata import (
    MAX_STRATA,
    Stratification,
    StratumKind,
    StratumSums,
    StratumTallies,
    most_strata,
)
from tests.laws.test_accumulator_laws import block, equal, features, matrices

COLUMNS = [layout.N_CELLS, *range(layout.SHARE, layout.ROLE)]


def strata_of(n_cells: int, rng: np.random.Generator) -> Stratification:
    """Draw a stratum for each cell."""
    n = int(rng.integers(1, 5))
    codes = rng.integers(0, n, n_cells).astype(np.uint8)
    return Stratification(tuple(f"s{i}" for i in range(n)), (StratumKind.VALUE,) * n, codes)


def sums_of(matrix: sp.csr_matrix, which: Features, min_genes: int, strata: Any) -> Any:
    """Add a whole matrix as a single block."""
    accumulator = CellAccumulator(which, min_genes, 0.0, strata)
    accumulator.add(block(matrix, 0, matrix.shape[0]))
    return accumulator.result()


@pytest.mark.slow
@given(matrices(), st.integers(0, 5), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=80)
def test_a_stratum_is_what_its_cells_alone_give(
    matrix: sp.csr_matrix, min_genes: int, random: Any
) -> None:
    """Sums and distributions of a stratum are those of a matrix of its cells; all add up."""
    rng = np.random.default_rng(random.randrange(2**32))
    which = features(matrix.shape[1], rng)
    strata = strata_of(matrix.shape[0], rng)
    whole = sums_of(matrix, which, min_genes, strata)
    found: StratumSums = whole.strata
    total = np.zeros_like(whole.genes.table[:, COLUMNS])
    for code, cells in enumerate(found.cells):
        alone = sums_of(matrix[strata.codes == code], which, min_genes, None)
        table = found.gene_table(code)[:, COLUMNS]
        assert np.array_equal(table, alone.genes.table[:, COLUMNS])
        assert (cells.n_cells, cells.n_cells_kept) == (
            alone.cells.n_cells, alone.cells.n_cells_kept,
        )  # fmt: skip
        if cells.n_cells_kept:
            assert equal(cells.measures["n_genes_by_counts"], alone.cells.n_genes_by_counts)
            assert equal(cells.measures["total_counts"], alone.cells.total_counts)
            expected = alone.cells.sample.distribution("complexity")
            assert equal(cells.measures["complexity"], expected)
        total += table
    canonical = np.zeros_like(whole.genes.table)
    canonical[:, COLUMNS] = total
    for high, low, bits in (
        (layout.SHARE, layout.SHARE_LOW, layout.SHARE_LOW_BITS),
        (layout.SQUARE, layout.SQUARE_LOW, layout.LOW_BITS),
    ):
        canonical[:, high] += canonical[:, low] >> bits
        canonical[:, low] &= (1 << bits) - 1
    assert np.array_equal(canonical[:, COLUMNS], whole.genes.table[:, COLUMNS])


@pytest.mark.slow
@given(matrices(), st.integers(0, 5), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=80)
def test_cells_in_any_cut_and_order(matrix: sp.csr_matrix, min_genes: int, random: Any) -> None:
    """Blocks of any size in accumulators of any number, merged in any order: the same bits."""
    rng = np.random.default_rng(random.randrange(2**32))
    which, n_cells = features(matrix.shape[1], rng), matrix.shape[0]
    strata = strata_of(n_cells, rng)
    expected = sums_of(matrix, which, min_genes, strata).strata
    cuts = sorted({0, n_cells, *(random.randrange(n_cells + 1) for _ in range(6))})
    blocks = [block(matrix, a, b) for a, b in pairwise(cuts)]
    random.shuffle(blocks)
    parts = [CellAccumulator(which, min_genes, 0.0, strata) for _ in range(3)]
    for part in blocks:
        random.choice(parts).add(part)
    random.shuffle(parts)
    merged = parts[0]
    for other in parts[1:]:
        merged.merge(pickle.loads(pickle.dumps(other)))
    found = merged.result().strata
    assert found is not None
    assert np.array_equal(found.table, expected.table)
    for mine, other in zip(found.cells, expected.cells, strict=True):
        assert (mine.name, mine.n_cells, mine.n_cells_kept) == (
            other.name, other.n_cells, other.n_cells_kept,
        )  # fmt: skip
        assert mine.measures.keys() == other.measures.keys()
        assert all(equal(mine.measures[name], other.measures[name]) for name in mine.measures)


@pytest.mark.slow
@given(matrices(), st.integers(0, 5), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=80)
def test_entries_in_any_order(matrix: sp.csr_matrix, min_genes: int, random: Any) -> None:
    """Two passes over entries in any order leave the same bits behind as one over cells."""
    rng = np.random.default_rng(random.randrange(2**32))
    which = features(matrix.shape[1], rng)
    strata = strata_of(matrix.shape[0], rng)
    expected: StratumSums = sums_of(matrix, which, min_genes, strata).strata
    entries = matrix.tocoo()
    order = np.array(random.sample(range(entries.nnz), entries.nnz), dtype=np.int64)
    blocks = [
        EntryBlock(entries.row[part], entries.col[part], entries.data[part])
        for part in np.array_split(order, 3)
    ]
    measures = CellMeasures(which, matrix.shape[0])
    for part in blocks:
        measures.add(part)
    sums = [EntryAccumulator(which, measures.inverses(min_genes), strata) for _ in range(2)]
    for part in blocks:
        random.choice(sums).add(part)
    sums[0].merge(pickle.loads(pickle.dumps(sums[1])))
    found = StratumTallies(strata, which.is_gene, which.groups)
    for start, values in measures.each(min_genes):
        found.add_cells(start, values)
    assert sums[0].strata is not None
    found.merge(sums[0].strata)
    result = found.result()
    assert np.array_equal(result.table, expected.table)
    for mine, other in zip(result.cells, expected.cells, strict=True):
        assert mine.n_cells_kept == other.n_cells_kept
        assert set(other.measures) - set(mine.measures) <= {"pct_counts_in_top_50_genes"}
        assert all(equal(mine.measures[name], other.measures[name]) for name in mine.measures)


@pytest.mark.parametrize("n_tiny", [1, 2, 3])
@pytest.mark.parametrize("tiny", [2.0**-75, 1e-30, 5e-324])
def test_values_that_are_too_small_for_a_total(tiny: float, n_tiny: int) -> None:
    """They are found in their cells: in the strata as in the whole, by cell and by entry."""
    data = np.array([[tiny] * n_tiny + [0.0] * (3 - n_tiny), [0.0, 2.0, 5.0]])
    matrix, which = sp.csr_matrix(data), features(3, np.random.default_rng(1))
    strata = Stratification(("a", "b"), (StratumKind.VALUE,) * 2, np.array([0, 1], np.uint8))
    whole = sums_of(matrix, which, 0, strata)
    entries = matrix.tocoo()
    of_entries = EntryBlock(entries.row, entries.col, entries.data)
    measures = CellMeasures(which, 2)
    measures.add(of_entries)
    second = EntryAccumulator(which, measures.inverses(0), strata)
    second.add(of_entries)
    assert second.strata is not None
    assert np.array_equal(second.strata.result().table, whole.strata.table)
    found = sum(whole.strata.gene_table(k)[:, COLUMNS] for k in range(2))
    assert np.array_equal(found, whole.genes.table[:, COLUMNS])


def test_memory_of_a_thread_is_bounded() -> None:
    """64 strata of genes; of very many features as many as fit, and one at least."""
    assert most_strata(36_000) == MAX_STRATA
    assert most_strata(0) == MAX_STRATA
    assert most_strata(1_000_000) == 6
    assert most_strata(1 << 30) == 1
