"""Cells beyond a limit, and limits in median absolute deviations.

All numbers come from a `dpss.stats.histogram.Distribution`: exact up to 262,144 distinct values,
else with the limit rounded by up to 0.2 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from statistics import median

import numpy as np

from dpss.stats.histogram import Distribution

NORMAL = 1.4826
"""Median absolute deviations of a normal distribution in one standard deviation, as R's
``stats::mad`` has it."""
MIN_COMPARED = 4
"""Fewest medians among which outliers are looked for."""
_DEVIATIONS = 3.0


class LimitSide(StrEnum):
    """The side of a limit on which cells are kept."""

    AT_LEAST = "at least"
    AT_MOST = "at most"


def count_beyond(distribution: Distribution, limit: float, side: LimitSide) -> int:
    """Return the number of observations that a limit does not keep.

    >>> count_beyond(Distribution(np.array([1.0, 2.0]), np.array([3, 4])), 2.0, LimitSide.AT_LEAST)
    3

    Args:
        distribution: Any number of observations.
        limit: The limit itself is kept.
        side: The side that is kept.
    """
    values = distribution.values
    beyond = values < limit if side is LimitSide.AT_LEAST else values > limit
    return int(distribution.counts[beyond].sum())


def median_deviation(distribution: Distribution) -> float:
    """Return the median of the absolute deviations from the median, without a factor.

    Raises:
        ValueError: There are no observations.
    """
    deviations = np.abs(distribution.values - distribution.median)
    order = np.argsort(deviations, kind="stable")
    return Distribution(deviations[order], distribution.counts[order]).median


def deviation_limits(
    distribution: Distribution, n_deviations: float, *, log: bool = False
) -> tuple[float, float] | None:
    """Return the limits at a number of median absolute deviations below and above the median.

    Args:
        distribution: Any number of observations of at least 0.
        n_deviations: Number of deviations, with the factor that its source has.
        log: Whether to compute on a logarithmic scale, ``log1p``; limits are on the scale of
            the observations.

    Returns:
        ``None`` without observations, or where half of them are the same: the deviation is 0
        and tells nothing.
    """
    if distribution.n == 0:
        return None
    values = np.log1p(distribution.values) if log else distribution.values
    scaled = Distribution(values, distribution.counts)
    deviation = median_deviation(scaled)
    if deviation == 0:
        return None
    low, high = scaled.median - n_deviations * deviation, scaled.median + n_deviations * deviation
    return (float(np.expm1(low)), float(np.expm1(high))) if log else (low, high)


def find_odd(medians: Mapping[int, float], *, logarithmic: bool) -> frozenset[int]:
    """Return the keys of the medians more than 3 deviations from the median of all.

    The rule is that of scater's ``isOutlier``: deviations are median absolute ones, times `NORMAL`.
    Where more than half of the medians are equal, or there are fewer than `MIN_COMPARED`, none is
    an outlier. ``website/static/compare.js`` has the same rule, for matrices chosen on a page.

    >>> sorted(find_odd({1: 100, 2: 110, 3: 95, 4: 105, 5: 1000}, logarithmic=False))
    [5]

    Args:
        medians: Medians of at least 0, by the numbers of their matrices or strata.
        logarithmic: Whether to compare log10(1 + median).
    """
    if len(medians) < MIN_COMPARED:
        return frozenset()
    values = {i: math.log10(1 + x) if logarithmic else x for i, x in medians.items()}
    centre = median(values.values())
    limit = _DEVIATIONS * NORMAL * median(abs(value - centre) for value in values.values())
    return frozenset(i for i, value in values.items() if abs(value - centre) > limit > 0)
