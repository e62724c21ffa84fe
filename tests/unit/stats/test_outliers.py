"""Limits in median absolute deviations, and observations beyond a limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.stats.histogram import Tally
from dpss.stats.outliers import (
    MAD_SCALE,
    MIN_COMPARED,
    LimitSide,
    count_beyond,
    deviation_limits,
    find_outliers,
)
from tests.examples import examples

numbers = st.lists(st.integers(0, 5000), min_size=1, max_size=200)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(numbers, st.booleans(), st.sampled_from([3 * MAD_SCALE, 5.0, 3.0]))
def test_deviations_are_those_of_scipy(values: list[int], log: bool, n: float) -> None:
    """Limits agree with scipy's median_abs_deviation on the same numbers."""
    from scipy.stats import median_abs_deviation

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


@settings(max_examples=examples(60), deadline=None)
@given(numbers, st.integers(0, 5000))
def test_beyond_a_limit(values: list[int], limit: int) -> None:
    """The limit itself is kept on either side."""
    tally = Tally()
    tally.add(np.array(values, dtype=np.float64))
    found = tally.distribution()
    assert count_beyond(found, limit, LimitSide.AT_LEAST) == sum(v < limit for v in values)
    assert count_beyond(found, limit, LimitSide.AT_MOST) == sum(v > limit for v in values)


@pytest.mark.parametrize(
    ("medians", "odd"),
    [
        ([100, 110, 95, 105, 1000], {4}),
        ([100, 110, 95, 105, 120], set()),
        ([100, 1000, 105], set()),
        ([100, 100, 100, 100, 101], set()),
        ([5, 5.5, 4.5, 5.2, 0.1], {4}),
        ([1000, 1001, 1000.5, 1040], set()),
        ([1000, 1001, 1000.5, 1240], set()),
        ([1000, 1001, 1000.5, 1260], {3}),
        ([1000, 1001, 1000.5, 700], {3}),
        ([1000, 1100, 900, 1450], set()),
        ([1000, 1100, 900, 1900], {3}),
        ([0, 0.1, 0.2, 12], {3}),
    ],
)
def test_outlying_medians(medians: list[float], odd: set[int]) -> None:
    """One far median among others is found, on either side.

    None is among fewer than four, nor within a quarter of the others; few need more distance.
    """
    assert find_outliers(dict(enumerate(medians)), logarithmic=False) == odd


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e6), max_size=30), st.booleans())
def test_outlying_medians_are_those_of_scipy(medians: list[float], logarithmic: bool) -> None:
    """Outliers are 3 + 6/n of scipy's scaled deviations away, on the scale that is asked for."""
    from scipy.stats import median_abs_deviation

    found = find_outliers(dict(enumerate(medians)), logarithmic=logarithmic)
    if len(medians) < MIN_COMPARED:
        assert found == frozenset()
        return
    x = np.log10(1 + np.array(medians)) if logarithmic else np.array(medians)
    usual = (3 + 6 / len(x)) * MAD_SCALE * median_abs_deviation(x)
    distances = np.abs(x - np.median(x))
    limit = max(usual, np.log10(1.25) if logarithmic else np.median(x) / 4)
    sure = np.abs(distances - limit) > 1e-9 * (1 + limit)
    expected = {int(i) for i in np.flatnonzero((distances > limit) & (usual > 0))}
    assert {i for i in found if sure[i]} == {i for i in expected if sure[i]}


@pytest.mark.parametrize("n", [4, 5, 8, 20])
def test_few_normal_medians_seldom_have_an_outlier(n: int) -> None:
    """Of 2,000 sets of numbers that differ by chance alone, fewer than 17 % have one marked."""
    sets = np.random.default_rng(n).normal(1000, 300, size=(2000, n)).clip(0)
    marked = sum(bool(find_outliers(dict(enumerate(each)), logarithmic=False)) for each in sets)
    assert marked < 0.17 * len(sets)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.floats(100, 125), min_size=1, max_size=30), st.booleans())
def test_what_differs_by_less_than_a_quarter_is_never_an_outlier(
    medians: list[float], logarithmic: bool
) -> None:
    """However close the others are to each other."""
    assert not find_outliers(dict(enumerate(medians)), logarithmic=logarithmic)
