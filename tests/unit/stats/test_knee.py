"""The knee: cells are counted, and called ones have none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.stats.histogram import Distribution, Tally
from dpss.stats.knee import find_knee
from tests.examples import examples


def distribution(*groups: np.ndarray) -> Distribution:
    """Return the distribution of counts of several groups of barcodes."""
    tally = Tally()
    tally.add(np.concatenate(groups).astype(np.float64))
    return tally.distribution()


def depths(n: int, median: float, spread: float, seed: int) -> np.ndarray:
    """Draw total counts of cells."""
    return np.random.default_rng(seed).lognormal(np.log(median), spread, n).astype(int)


def ambient(n: int, median: float, seed: int = 9) -> np.ndarray:
    """Draw total counts of empty droplets."""
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.lognormal(np.log(median), 0.8, n))


@settings(max_examples=examples(25), deadline=None)
@given(
    st.integers(200, 8000), st.floats(1500, 20000), st.floats(0.2, 0.6), st.floats(1, 20),
    st.integers(0, 1 << 16),
)  # fmt: skip
def test_cells_are_counted(n: int, median: float, spread: float, empty: float, seed: int) -> None:
    """Within 3 %, for any number and depth of cells far from the ambient droplets."""
    found = find_knee(distribution(depths(n, median, spread, seed), ambient(10 * n, empty, seed)))
    assert found is not None
    assert found.n_cells == pytest.approx(n, rel=0.03, abs=5)


def test_two_depths_are_both_cells() -> None:
    """A thousand deep cells do not hide four thousand shallow ones."""
    found = find_knee(
        distribution(depths(1000, 20_000, 0.4, 1), depths(4000, 1500, 0.4, 2), ambient(100_000, 15))
    )
    assert found is not None
    assert found.n_cells == pytest.approx(5000, rel=0.01)


@pytest.mark.parametrize(
    "cells",
    [
        [depths(2000, 4000, 0.4, 1)],
        [depths(1000, 20_000, 0.4, 1), depths(8000, 1500, 0.4, 2)],
        [np.full(500, 700)],
        [np.array([1, 2, 3])],
        [np.array([], dtype=int)],
        [np.zeros(50, dtype=int)],
        [depths(5000, 30, 0.5, 3)],
    ],
)
def test_called_cells_have_no_knee(cells: list[np.ndarray]) -> None:
    """Of one depth or two, few or none, or of a panel."""
    assert find_knee(distribution(*cells)) is None
