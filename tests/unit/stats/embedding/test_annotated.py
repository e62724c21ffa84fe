"""Sums per annotated type, and the adjusted Rand index."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.model import CellBlock
from dpss.stats.embedding.annotated import AnnotatedAccumulator, adjusted_rand_index
from dpss.stats.embedding.covariance import VariableGenes
from dpss.stats.embedding.group_tables import HistogramGenes


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=2, max_size=60))
def test_the_index_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    """The table of two partitions gives scikit-learn's index, where it is defined."""
    from sklearn.metrics import adjusted_rand_score

    a, b = np.array(pairs).T
    table = np.zeros((4, 5), dtype=np.int64)
    np.add.at(table, (a, b), 1)
    found = adjusted_rand_index(table)
    if found is not None:
        assert found == pytest.approx(adjusted_rand_score(a, b))


@given(st.integers(0, 30), st.integers(0, 1000))
def test_any_cut_gives_the_same_sums(cut: int, seed: int) -> None:
    """Two parts merged in either order are the whole; cells without a type are in no sum."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.7, (30, 8))
    codes = rng.integers(-1, 4, 30).astype(np.int16)
    genes = VariableGenes(np.zeros(8, np.uint8) + 1, np.full(8, -1, np.int16), 2)
    histograms = HistogramGenes(np.arange(8, dtype=np.int32), np.full(8, 16, np.int32))

    def sums(*ranges: range) -> AnnotatedAccumulator:
        found = AnnotatedAccumulator(genes, codes, 3, histograms)
        for part in ranges:
            cells, indices = np.nonzero(counts[part.start : part.stop])
            n_values = np.bincount(cells, minlength=len(part))
            indptr = np.concatenate([[0], np.cumsum(n_values)]).astype(np.int64)
            data = counts[part.start : part.stop][cells, indices].astype(np.float32)
            found.add(CellBlock(part.start, indptr, indices.astype(np.int32), data))
        return found

    whole, other, first = sums(range(30)), sums(range(cut, 30)), sums(range(cut))
    other.merge(first)
    for a, b in ((whole.result(), other.result()),):
        np.testing.assert_array_equal(a.groups.tables, b.groups.tables)
        np.testing.assert_array_equal(a.kept, b.kept)
        np.testing.assert_array_equal(a.kept, (counts > 0).sum(axis=1) >= 2)
        expected = [int(((codes == k) & a.kept).sum()) for k in range(3)]
        assert a.groups.sizes.tolist() == expected
