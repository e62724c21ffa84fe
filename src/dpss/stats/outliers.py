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

MAD_SCALE = 1.4826
"""Standard deviation of a normal distribution in median absolute deviations; the factor of R's
``stats::mad``."""
MIN_COMPARED = 4
"""Fewest medians among which outliers are looked for."""
LEAST_DIFFERENCE = 0.25
"""Largest difference from the median of all, as a part of it, that is never an outlier."""
_DEVIATIONS = 3.0
_DEVIATIONS_OF_FEW = 6.0
"""Deviations added to `_DEVIATIONS`, divided by the number of medians.

Of sets of 4 to 20 normally distributed numbers, 11 to 15 % then have an outlier; with 3
deviations 19 to 26 % would (100,000 simulated sets of each size).
"""


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
    """Return the limits at some median absolute deviations around the median.

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


def find_outliers(medians: Mapping[int, float], *, logarithmic: bool) -> frozenset[int]:
    """Return the keys of the medians that lie far from the median of all.

    An outlier lies more than ``3 + 6 / n`` median absolute deviations, times `MAD_SCALE`, from the
    median of ``n`` medians: scater's ``isOutlier``, with a larger limit where there are few, whose
    deviation may be small by chance. A difference of up to `LEAST_DIFFERENCE` (on a logarithmic
    scale a factor) is no outlier. Where more than half of the medians are equal, or there are fewer
    than `MIN_COMPARED`, none is. ``website/static/compare.js`` has the same rule.

    >>> sorted(find_outliers({1: 100, 2: 110, 3: 95, 4: 105, 5: 1000}, logarithmic=False))
    [5]
    >>> sorted(find_outliers({1: 1000, 2: 1001, 3: 1000.5, 4: 1040}, logarithmic=True))
    []

    Args:
        medians: Medians of at least 0, by the numbers of their matrices or strata.
        logarithmic: Whether to compare log10(1 + median).
    """
    if len(medians) < MIN_COMPARED:
        return frozenset()
    values = {i: math.log10(1 + x) if logarithmic else x for i, x in medians.items()}
    centre = median(values.values())
    deviation = MAD_SCALE * median(abs(value - centre) for value in values.values())
    limit = (_DEVIATIONS + _DEVIATIONS_OF_FEW / len(medians)) * deviation
    if limit == 0:
        return frozenset()
    least = math.log10(1 + LEAST_DIFFERENCE) if logarithmic else LEAST_DIFFERENCE * centre
    return frozenset(i for i, value in values.items() if abs(value - centre) > max(limit, least))
