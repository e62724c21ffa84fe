"""The law of the house for an embedding: any cut of the cells, in any order, the same bits."""

from __future__ import annotations

import pickle
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.model import CellBlock
from dpss.stats.embedding.assignment import CellSketch
from dpss.stats.embedding.cell_places import HeldPlaces
from dpss.stats.embedding.components import find_components
from dpss.stats.embedding.covariance import CovarianceAccumulator, VariableGenes, hash_limit
from dpss.stats.embedding.group_tables import HistogramGenes
from dpss.stats.embedding.groups import GroupAccumulator
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
    rows[(rows < 0) | (genes().kinds == 0)] = -1
    cells = HeldPlaces(N_CELLS)
    histograms = HistogramGenes(rows, np.full(rows.max() + 1, 8, dtype=np.int32))
    return GroupAccumulator(genes(min_gene_count), sketch(), histograms, cells)


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


@pytest.mark.slow
@given(st.integers(0, 8), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_covariances_in_any_cut_and_order(min_genes: int, random: Any) -> None:
    """Products and sketch are the same whatever the blocks, their order and the accumulators."""
    whole = covariances(min_genes)
    whole.add(block(0, N_CELLS))
    found = cut_and_merged(lambda: covariances(min_genes), random)
    assert equal(found, whole.result())


@pytest.mark.slow
@given(st.integers(0, 8), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_groups_in_any_cut_and_order(min_genes: int, random: Any) -> None:
    """Clusters, sums, histograms and maps are the same whatever the blocks and their order."""
    whole = groups(min_genes)
    whole.add(block(0, N_CELLS))
    assert equal(cut_and_merged(lambda: groups(min_genes), random), whole.result())
