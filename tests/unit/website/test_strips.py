"""Strips that compare matrices: places are true to the numbers, and who stands apart is named."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.website.strips import MEASURES, WIDTH, draw_strips


def quantiles_of(values: np.ndarray) -> dict:
    """Return the quantiles of some cells as ``summary.json`` has them, in every measure."""
    found = {f"p{q}": float(np.percentile(values, q)) for q in (5, 25, 50, 75, 95)}
    return {measure: found for measure, _ in MEASURES.values()}


@pytest.mark.slow
@given(
    st.lists(
        st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=30),
        min_size=1,
        max_size=8,
    )
)
def test_places_are_in_order_and_inside(matrices: list[list[float]]) -> None:
    """Quantiles ascend along the axis, and a larger median never lies further left."""
    all_quantiles = [quantiles_of(np.array(values)) for values in matrices]
    for name in MEASURES:
        strips = [each[name] for each in draw_strips(all_quantiles)]
        for strip in strips:
            places = (strip.low, strip.begin, strip.middle, strip.end, strip.high)
            assert list(places) == sorted(places)
            assert 0 <= places[0] <= places[-1] <= WIDTH
        medians = [np.median(values) for values in matrices]
        order = np.argsort(medians, kind="stable")
        assert np.all(np.diff([strips[i].middle for i in order]) >= 0)


def test_the_axis_of_counts_is_logarithmic() -> None:
    """Ten times as many counts are the same step everywhere."""
    all_quantiles = [quantiles_of(np.array([10.0**k - 1])) for k in (1, 2, 3)]
    places = [each["median_counts_per_cell"].middle for each in draw_strips(all_quantiles)]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.2)
    linear = [each["median_pct_counts_mt"].middle for each in draw_strips(all_quantiles)]
    assert linear[2] - linear[1] > 5 * (linear[1] - linear[0])


def test_earlier_summaries_have_no_strips() -> None:
    """Neither has a measure that a matrix lacks."""
    full = quantiles_of(np.array([3.0, 4.0]))
    lacking = {**full, "pct_counts_mt": None}
    none = dict.fromkeys(full)
    strips = draw_strips([none, full, lacking])
    assert strips[0] == {}
    assert set(strips[1]) == set(MEASURES)
    assert set(strips[2]) == set(MEASURES) - {"median_pct_counts_mt"}
    assert math.isclose(strips[1]["median_counts_per_cell"].middle, WIDTH / 2, abs_tol=20)


def test_medians_are_compared_within_a_group() -> None:
    """With all of them the deeper ones stand apart; within its group the one that is shallow."""
    depths = [100.0, 110, 105, 102, 1000, 1100, 1050, 1020, 103]
    all_quantiles = [quantiles_of(np.array([depth])) for depth in depths]
    groups = [*"aaaabbbbb"]
    odd = [each["median_counts_per_cell"].odd for each in draw_strips(all_quantiles, groups)]
    assert odd == [False] * 8 + [True]
    odd = [each["median_counts_per_cell"].odd for each in draw_strips(all_quantiles)]
    assert odd == [False] * 4 + [True] * 4 + [False]
