"""Tallies: exact while they can be, then coarse; never dependent on the order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.stats.histogram import Tally

NUMBERS = st.one_of(
    st.integers(0, 2**40).map(float), st.floats(0, 1e12, allow_nan=False, allow_infinity=False)
)


@pytest.mark.slow
@given(st.lists(NUMBERS, max_size=200), st.integers(2, 60), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=200)
def test_any_cut_and_order(numbers: list[float], limit: int, random: Any) -> None:
    """However observations are dealt out and merged, the distribution is the same."""
    whole = Tally(limit)
    whole.add(np.array(numbers))
    expected = whole.distribution()
    shuffled = random.sample(numbers, len(numbers))
    parts = [Tally(limit) for _ in range(3)]
    for number in shuffled:
        part = random.choice(parts)
        part.add(np.array([number]))
        if random.random() < 0.3:
            part.distribution()
    parts[0].merge(parts[1])
    parts[2].merge(parts[0])
    found = parts[2].distribution()
    assert found.values.tolist() == expected.values.tolist()
    assert found.counts.tolist() == expected.counts.tolist()


@given(st.lists(NUMBERS, min_size=1, max_size=200), st.floats(0, 1))
@settings(deadline=None)
def test_quantiles_are_numpys(numbers: list[float], q: float) -> None:
    """While a tally is exact its quantiles are numpy's."""
    tally = Tally()
    tally.add(np.array(numbers))
    np.testing.assert_allclose(
        tally.distribution().quantile(q), np.quantile(numbers, q), rtol=1e-12
    )


def test_a_coarse_tally_stays_close() -> None:
    """A million distinct numbers fit into 5,000 keys, and quantiles stay within 0.2 %."""
    numbers = np.random.default_rng(1).lognormal(8, 1, 1_000_000)
    tally = Tally(limit=5_000)
    for part in np.array_split(numbers, 7):
        tally.add(part)
    found = tally.distribution()
    assert len(found.values) <= 5_000
    assert found.n == len(numbers)
    for q in (0.01, 0.25, 0.5, 0.75, 0.99):
        np.testing.assert_allclose(found.quantile(q), np.quantile(numbers, q), rtol=2e-3)
