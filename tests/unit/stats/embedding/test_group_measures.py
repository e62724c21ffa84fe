"""Distributions per group: the same whatever the order and the parts."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.stats.embedding.group_measures import GroupMeasures

N_GROUPS = 4


def add_all(found: GroupMeasures, labels: np.ndarray, measures: np.ndarray, cuts: Any) -> None:
    """Add cells in parts."""
    for part in np.split(np.arange(len(labels)), cuts):
        found.add(labels[part], measures[:, part])


@given(st.integers(0, 200), st.lists(st.integers(0, 200)), st.integers(0, 2**32 - 1))
def test_any_parts_are_the_same(n_cells: int, cuts: list[int], seed: int) -> None:
    """Groups without cells are empty; other accumulators and processes add to them."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 3], n_cells).astype(np.int16)
    measures = rng.integers(0, 30, (3, n_cells)).astype(np.float64)
    found, other = GroupMeasures(N_GROUPS), GroupMeasures(N_GROUPS)
    half = n_cells // 2
    add_all(found, labels[:half], measures[:, :half], sorted(cuts))
    add_all(other, labels[half:], measures[:, half:], sorted(cuts))
    found.merge(pickle.loads(pickle.dumps(other)))
    assert found.sizes.tolist() == np.bincount(labels, minlength=N_GROUPS).tolist()
    order = np.array([3, 0, 1, 2])
    for group, distributions in zip(order.tolist(), found.distributions(order), strict=True):
        for values, distribution in zip(measures[:, labels == group], distributions, strict=True):
            expected, counts = np.unique(values, return_counts=True)
            np.testing.assert_array_equal(distribution.values, expected)
            np.testing.assert_array_equal(distribution.counts, counts)


@pytest.mark.parametrize("n_parts", [1, 7, 40])
def test_many_cells_do_not_wait(n_parts: int) -> None:
    """Those that wait are bounded, and none is counted twice."""
    found = GroupMeasures(2)
    for part in range(n_parts):
        found.add(np.full(5_000, part % 2, np.int16), np.full((3, 5_000), float(part)))
        assert found._n_pending < 1 << 14
    (even, *_), _ = found.distributions(np.arange(2))
    assert even.n == 5_000 * ((n_parts + 1) // 2)
    assert found.sizes.sum() == 5_000 * n_parts
