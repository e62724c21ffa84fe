"""The law of the house: any cut of the cells, merged in any order, gives the same bits."""

from __future__ import annotations

import math
import pickle
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.model import CellBlock, EntryBlock
from dpss.stats.accumulator import CellAccumulator, Features, Sums
from dpss.stats.cell_tallies import CellSums
from dpss.stats.entry_accumulator import CellMeasures, EntryAccumulator
from dpss.stats.moments import share_means, share_variances, total_counts
from tests.examples import examples


@st.composite
def matrices(draw: st.DrawFn) -> sp.csr_matrix:
    """Draw a small matrix of counts, some of them fractional, with empty cells and genes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_cells, n_genes = draw(st.integers(1, 40)), draw(st.integers(1, 30))
    largest = draw(st.sampled_from([3, 1000, 10_000_000]))
    counts = rng.integers(1, largest, (n_cells, n_genes)).astype(np.float64)
    if draw(st.booleans()):
        counts += rng.random((n_cells, n_genes))
    if draw(st.booleans()):
        counts *= 10.0 ** rng.uniform(draw(st.integers(-12, 0)), 0, (n_cells, n_genes))
    counts *= rng.random((n_cells, n_genes)) < draw(st.sampled_from([0.05, 0.3, 1.0]))
    return sp.csr_matrix(counts)


def features(n_genes: int, rng: np.random.Generator) -> Features:
    """Some features that are no genes (or all are), some mitochondrial, some with histograms."""
    is_gene = rng.random(n_genes) < rng.choice([0.9, 1.0])
    histogram_genes = np.flatnonzero(is_gene & (rng.random(n_genes) < 0.5))
    kind = rng.random(n_genes)
    groups = (kind < 0.2, (kind > 0.2) & (kind < 0.5), kind > 0.8)
    mitochondrial, ribosomal, haemoglobin = (is_gene & group for group in groups)
    return Features(is_gene, mitochondrial, histogram_genes, ribosomal, haemoglobin)


def block(matrix: sp.csr_matrix, start: int, stop: int) -> CellBlock:
    """Cut whole cells out of a matrix."""
    part = matrix[start:stop]
    return CellBlock(start, part.indptr.astype(np.int64), part.indices, part.data)


def equal(a: Any, b: Any) -> bool:
    """Compare two results bit by bit."""
    if is_dataclass(a):
        return type(a) is type(b) and all(
            equal(getattr(a, field.name), getattr(b, field.name)) for field in fields(a)
        )
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return bool(a == b)


def in_one_go(matrix: sp.csr_matrix, which: Features, min_gene_count: int) -> Sums:
    """Add the whole matrix as a single block."""
    accumulator = CellAccumulator(which, min_gene_count)
    accumulator.add(block(matrix, 0, matrix.shape[0]))
    return accumulator.result()


def without_top(cells: CellSums) -> CellSums:
    """Leave out the one measure that entries in any order do not tell."""
    return replace(cells, sample=replace(cells.sample, pct_counts_in_top_50_genes=None))


@pytest.mark.slow
@given(matrices(), st.integers(0, 5), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=150)
def test_cells_in_any_cut_and_order(matrix: sp.csr_matrix, min_genes: int, random: Any) -> None:
    """Blocks of any size in accumulators of any number, merged in any order: the same bits."""
    which = features(matrix.shape[1], np.random.default_rng(random.randrange(2**32)))
    expected = in_one_go(matrix, which, min_genes)
    n_cells = matrix.shape[0]
    cuts = sorted({0, n_cells, *(random.randrange(n_cells + 1) for _ in range(6))})
    blocks = [block(matrix, a, b) for a, b in pairwise(cuts)]
    random.shuffle(blocks)
    parts = [CellAccumulator(which, min_genes) for _ in range(random.randrange(1, 5))]
    for part in blocks:
        random.choice(parts).add(part)
    random.shuffle(parts)
    merged = parts[0]
    for other in parts[1:]:
        merged.merge(pickle.loads(pickle.dumps(other)))
    assert equal(merged.result(), expected)


@pytest.mark.slow
@given(matrices(), st.integers(0, 5), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=150)
def test_entries_in_any_order(matrix: sp.csr_matrix, min_genes: int, random: Any) -> None:
    """Two passes over entries in any order leave the same bits behind as one over cells."""
    which = features(matrix.shape[1], np.random.default_rng(random.randrange(2**32)))
    expected = in_one_go(matrix, which, min_genes)
    entries = matrix.tocoo()
    order = np.array(random.sample(range(entries.nnz), entries.nnz), dtype=np.int64)
    blocks = [
        EntryBlock(entries.row[part], entries.col[part], entries.data[part])
        for part in np.array_split(order, 3)
    ]
    measures = [CellMeasures(which, matrix.shape[0]) for _ in range(2)]
    for part in blocks:
        random.choice(measures).add(part)
    measures[0].merge(measures[1])
    inverses = measures[0].inverses(min_genes)
    sums = [EntryAccumulator(which, inverses) for _ in range(2)]
    for part in blocks:
        random.choice(sums).add(part)
    sums[0].merge(sums[1])
    assert equal(sums[0].result(), expected.genes)
    assert equal(without_top(measures[0].cells(min_genes)), without_top(expected.cells))


@given(matrices())
@settings(deadline=None, max_examples=examples(100))
def test_whole_sums_are_exact(matrix: sp.csr_matrix) -> None:
    """Counts per gene and per cell are those of Python's integers."""
    matrix.data = np.floor(matrix.data)
    n_genes = matrix.shape[1]
    everything = Features(
        np.ones(n_genes, bool), np.zeros(n_genes, bool), np.empty(0, dtype=np.int64)
    )
    sums = in_one_go(matrix, everything, 0)
    dense = matrix.toarray().astype(np.int64)
    assert sums.genes.table[:, 1].tolist() == dense.sum(axis=0).tolist()
    assert sums.genes.table[:, 0].tolist() == (dense > 0).sum(axis=0).tolist()
    values = np.repeat(sums.cells.total_counts.values, sums.cells.total_counts.counts)
    assert values.tolist() == sorted(dense.sum(axis=1).tolist())


@given(matrices())
@settings(deadline=None, max_examples=examples(100))
def test_sums_of_fractions_keep_their_digits(matrix: sp.csr_matrix) -> None:
    """Totals of genes and cells are those of exact sums to 1e-9, from values of 1e-12 on."""
    n_genes = matrix.shape[1]
    everything = Features(
        np.ones(n_genes, bool), np.zeros(n_genes, bool), np.empty(0, dtype=np.int64)
    )
    sums = in_one_go(matrix, everything, 0)
    dense = matrix.toarray()
    exact = [math.fsum(gene) for gene in dense.T]
    np.testing.assert_allclose(total_counts(sums.genes), exact, rtol=1e-9)
    exact = sorted(math.fsum(cell) for cell in dense)
    np.testing.assert_allclose(np.sort(sums.cells.sample.total_counts), exact, rtol=1e-9)


@pytest.mark.slow
@given(matrices(), st.sampled_from(["f4", "f8", "i4", "i8"]), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=100)
def test_values_in_any_order_and_type(matrix: sp.csr_matrix, dtype: str, random: Any) -> None:
    """A cell's genes in another order, and counts in another type: the same bits."""
    matrix.data = np.floor(matrix.data)
    matrix.data[matrix.data > 900] *= 3_000 if dtype in ("f8", "i8") else 1
    which = features(matrix.shape[1], np.random.default_rng(random.randrange(2**32)))
    shuffled = block(matrix.copy(), 0, matrix.shape[0])
    for begin, end in pairwise(shuffled.indptr.tolist()):
        order = begin + np.array(random.sample(range(end - begin), end - begin), dtype=np.int64)
        shuffled.indices[begin:end] = matrix.indices[order]
        shuffled.data[begin:end] = matrix.data[order]
    other = CellAccumulator(which)
    other.add(shuffled)
    matrix.sort_indices()
    typed = CellAccumulator(which)
    # The largest that both types hold is the same number in both.
    data = matrix.data.astype(dtype)
    typed.add(CellBlock(0, shuffled.indptr, matrix.indices, data))
    if (data == matrix.data).all():
        assert equal(typed.result(), other.result())


def test_sums_of_very_many_cells() -> None:
    """Limbs are carried: 70,000 cells, in which one gene has all counts, or nearly all."""
    n_cells = 70_000
    rng = np.random.default_rng(1)
    counts = np.zeros((n_cells, 4), dtype=np.int64)
    counts[:, 1] = rng.integers(1, 16, n_cells)
    counts[:, 2] = rng.integers(0, 2, n_cells)
    counts[::7, 3] = rng.integers(1, 1_000_000, len(counts[::7]))
    matrix = sp.csr_matrix(counts.astype(np.float32))
    which = Features(np.ones(4, bool), np.zeros(4, bool), np.array([1]))
    accumulator = CellAccumulator(which)
    for start in range(0, n_cells, 5_000):
        accumulator.add(block(matrix, start, start + 5_000))
    sums = accumulator.result().genes
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert sums.table[:, 1].tolist() == counts.sum(axis=0).tolist()
    assert sums.boxes.sum() == n_cells
    np.testing.assert_allclose(share_means(sums, n_cells), shares.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(share_variances(sums, n_cells), shares.var(axis=0, ddof=1), 1e-11)
