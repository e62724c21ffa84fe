"""The law of the house for an embedding: any cut of the cells, in any order, the same bits."""

from __future__ import annotations

import pickle
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.model import CellBlock
from dpss.stats.embedding.assignment import CellSketch
from dpss.stats.embedding.components import find_components
from dpss.stats.embedding.covariance import CovarianceAccumulator, VariableGenes, hash_limit
from dpss.stats.embedding.fixed import UNIT, hash_cells
from dpss.stats.embedding.groups import GroupAccumulator, HistogramGenes
from dpss.stats.embedding.neighbours import ScoreScale, SearchLists

N_CELLS, N_GENES, N_SKETCH = 120, 40, 30


@cache
def matrix() -> sp.csr_matrix:
    """Three kinds of cells, some of them empty."""
    rng = np.random.default_rng(1)
    rates = rng.gamma(0.5, 1.0, (3, N_GENES))[rng.integers(0, 3, N_CELLS)]
    rates[::17] = 0
    return sp.csr_matrix(rng.poisson(rates).astype(np.float32))


def genes(min_gene_count: int = 0) -> VariableGenes:
    """All features but two are genes, two of them mitochondrial; every other one is variable."""
    kinds = np.ones(N_GENES, dtype=np.uint8)
    kinds[[3, 4]] = 2
    kinds[[0, 7]] = 0
    slots = np.full(N_GENES, -1, dtype=np.int16)
    slots[1::2] = np.arange(N_GENES // 2)
    slots[7] = -1
    slots[slots > 3] -= 1
    return VariableGenes(kinds, slots, min_gene_count)


def block(start: int, stop: int) -> CellBlock:
    """Cut whole cells out of the matrix."""
    part = matrix()[start:stop]
    return CellBlock(start, part.indptr.astype(np.int64), part.indices, part.data)


def covariances(min_gene_count: int = 0) -> CovarianceAccumulator:
    """Make an empty accumulator of a small sketch."""
    return CovarianceAccumulator(genes(min_gene_count), hash_limit(N_CELLS, N_SKETCH), N_SKETCH)


@cache
def sketch() -> CellSketch:
    """The sketch of the matrix, cut into three clusters by hand."""
    accumulator = covariances()
    accumulator.add(block(0, N_CELLS))
    found = accumulator.result()
    components = find_components(found, 6)
    scores = components.project(found.sketch_cells)
    scale = ScoreScale.of(scores)
    labels = (np.arange(len(scores)) % 3).astype(np.int16)
    lists = SearchLists.of(scale.apply(scores))
    return CellSketch(components, scale, lists, found.sketch, scores, labels, scores[:, :2].copy())


def groups(min_gene_count: int = 0) -> GroupAccumulator:
    """Make an empty accumulator over the sketch."""
    rows = np.arange(N_GENES, dtype=np.int32) - 5
    rows[rows < 0] = -1
    return GroupAccumulator(genes(min_gene_count), sketch(), HistogramGenes(rows, 8))


def equal(a: Any, b: Any) -> bool:
    """Compare two results bit by bit."""
    if is_dataclass(a):
        return all(equal(getattr(a, each.name), getattr(b, each.name)) for each in fields(a))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)


def cut_and_merged(make: Any, random: Any) -> Any:
    """Add random blocks in random order to random accumulators, some sent to another process."""
    cuts = sorted({0, N_CELLS, *(random.randrange(N_CELLS + 1) for _ in range(6))})
    blocks = [block(a, b) for a, b in pairwise(cuts)]
    random.shuffle(blocks)
    parts = [make() for _ in range(random.randrange(1, 5))]
    for each in blocks:
        random.choice(parts).add(each)
    parts = [pickle.loads(pickle.dumps(part)) if random.random() < 0.5 else part for part in parts]
    random.shuffle(parts)
    merged = parts[0]
    for other in parts[1:]:
        merged.merge(other)
    return merged.result()


@given(st.integers(0, 8), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_covariances_in_any_cut_and_order(min_genes: int, random: Any) -> None:
    """Products and sketch are the same whatever the blocks, their order and the accumulators."""
    whole = covariances(min_genes)
    whole.add(block(0, N_CELLS))
    found = cut_and_merged(lambda: covariances(min_genes), random)
    assert equal(found, whole.result())


@given(st.integers(0, 8), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_groups_in_any_cut_and_order(min_genes: int, random: Any) -> None:
    """Clusters, sums, histograms and maps are the same whatever the blocks and their order."""
    whole = groups(min_genes)
    whole.add(block(0, N_CELLS))
    assert equal(cut_and_merged(lambda: groups(min_genes), random), whole.result())


def test_products_and_sketch_are_those_of_numpy() -> None:
    """The integers are what numpy makes of rounded logarithms; the sketch has least hashes."""
    found = cut_and_merged(covariances, __import__("random").Random(3))
    chosen = genes()
    counts = matrix().toarray().astype(np.float64) * (chosen.kinds > 0)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    values = np.rint(np.log1p(counts / totals * 1e4) * UNIT).astype(np.int64)
    variable = values[:, np.flatnonzero(chosen.slots >= 0)]
    np.testing.assert_array_equal(found.sums, variable.sum(axis=0))
    n = variable.shape[1]
    np.testing.assert_array_equal(found.products, (variable.T @ variable)[np.triu_indices(n)])
    least = np.sort(np.argsort(hash_cells(np.arange(N_CELLS)))[:N_SKETCH])
    np.testing.assert_array_equal(found.sketch, least)
    part = found.sketch_cells
    dense = sp.csr_matrix((part.values, part.columns, part.starts), (N_SKETCH, n)).toarray()
    np.testing.assert_array_equal(dense, variable[least])


def test_group_sums_are_those_of_numpy() -> None:
    """Sums per cluster and gene, histograms and measures are what numpy makes of the labels."""
    found = cut_and_merged(lambda: groups(2), __import__("random").Random(5))
    chosen = genes()
    counts = matrix().toarray().astype(np.float64) * (chosen.kinds > 0)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    values = np.rint(np.log1p(counts / totals * 1e4) * UNIT).astype(np.int64)
    labels = found.cells.labels
    np.testing.assert_array_equal(labels < 0, (counts > 0).sum(axis=1) < 2)
    assert np.isnan(found.cells.places[labels < 0]).all()
    bins = np.minimum(values * 8 // (6 * UNIT), 7)
    for k, size in enumerate(found.sizes):
        members = labels == k
        assert size == members.sum()
        some = values[members]
        expected = [(some > 0).sum(axis=0), some.sum(axis=0), (some**2).sum(axis=0)]
        np.testing.assert_array_equal(found.table[k], np.column_stack(expected))
        for gene in range(5, N_GENES):
            found_in = bins[members, gene][some[:, gene] > 0]
            expected_bins = np.bincount(found_in, minlength=8)
            np.testing.assert_array_equal(found.histograms[k, gene - 5], expected_bins)
        assert found.measures[k][1].median == np.median(counts[members].sum(axis=1))
    assert list(found.sizes) == sorted(found.sizes, reverse=True)
    assert found.map.counts.sum() == found.components.counts.sum() == (labels >= 0).sum()
