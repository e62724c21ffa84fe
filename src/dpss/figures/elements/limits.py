"""Limits at three median absolute deviations, and how many cells lie beyond.

The deviations are scaled by 1.4826, so that they are standard deviations where values are
normal; counts and genes are compared by their logarithm. Source: A. T. L. Lun, D. J. McCarthy
and J. C. Marioni, F1000Research 5:2122 (2016), doi:10.12688/f1000research.9501.2, whose rule
`scuttle::isOutlier` is.
"""

from __future__ import annotations

import numpy as np

from dpss.stats.histogram import Distribution

FEWEST = 10
"""Of fewer cells nothing can be said of deviations."""
N_MADS = 3.0
_TO_DEVIATION = 1.4826


def outlier_limit(distribution: Distribution, *, upper: bool, log: bool) -> float | None:
    """Return a limit, or ``None`` for few cells or where half of them are the same.

    Args:
        distribution: Values of the cells.
        upper: Whether to look for cells above; else for cells below.
        log: Whether values are compared by log1p.
    """
    if distribution.n < FEWEST:
        return None
    values = np.log1p(distribution.values) if log else distribution.values
    ordered = Distribution(values, distribution.counts)
    median = ordered.median
    away = np.abs(values - median)
    order = np.argsort(away, kind="stable")
    spread = Distribution(away[order], distribution.counts[order]).median * _TO_DEVIATION
    if spread <= 1e-9 * max(abs(median), 1.0):
        return None
    at = median + (N_MADS if upper else -N_MADS) * spread
    return float(np.expm1(at)) if log else float(at)


def count_beyond(distribution: Distribution, limit: float, *, upper: bool) -> int:
    """Return the number of cells above an upper limit, or below a lower one."""
    values = distribution.values
    return int(distribution.counts[values > limit if upper else values < limit].sum())
