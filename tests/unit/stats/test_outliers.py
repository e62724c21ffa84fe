"""Limits in median absolute deviations, and observations beyond a limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation

from dpss.stats.histogram import Tally
from dpss.stats.outliers import NORMAL, LimitSide, count_beyond, deviation_limits

numbers = st.lists(st.integers(0, 5000), min_size=1, max_size=200)


@settings(max_examples=60, deadline=None)
@given(numbers, st.booleans(), st.sampled_from([3 * NORMAL, 5.0, 3.0]))
def test_deviations_are_those_of_scipy(values: list[int], log: bool, n: float) -> None:
    """Limits agree with scipy's median_abs_deviation on the same numbers."""
    tally = Tally()
    tally.add(np.array(values, dtype=np.float64))
    x = np.log1p(values) if log else np.array(values, dtype=np.float64)
    deviation = median_abs_deviation(x)
    found = deviation_limits(tally.distribution(), n, log=log)
    if deviation == 0:
        assert found is None
        return
    low, high = np.median(x) - n * deviation, np.median(x) + n * deviation
    expected = (np.expm1(low), np.expm1(high)) if log else (low, high)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(numbers, st.integers(0, 5000))
def test_beyond_a_limit(values: list[int], limit: int) -> None:
    """The limit itself is kept on either side."""
    tally = Tally()
    tally.add(np.array(values, dtype=np.float64))
    found = tally.distribution()
    assert count_beyond(found, limit, LimitSide.AT_LEAST) == sum(v < limit for v in values)
    assert count_beyond(found, limit, LimitSide.AT_MOST) == sum(v > limit for v in values)
