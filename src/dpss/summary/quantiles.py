"""Quantiles of the measures of cells, as tables and documents have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dpss.stats.histogram import Distribution

PERCENTS = (5, 25, 50, 75, 95)
"""Quantiles of ``strata.csv`` and ``summary.json``, in percent."""


def without_noise(value: float) -> float:
    """Return a number rounded to 12 significant digits, without the rounding of sums.

    >>> without_noise(153.99999999999997)
    154.0
    """
    return float(f"{value:.12g}")


def quantile_of(measure: Distribution | None, percent: float) -> float | None:
    """Return a quantile, given in percent; ``None`` without observations."""
    if measure is None or not measure.n:
        return None
    return without_noise(measure.quantile(percent / 100))


def quantiles_of(measure: Distribution | None) -> dict[str, float | None] | None:
    """Return quantiles by ``p5`` and so on; ``None`` without observations."""
    if measure is None or not measure.n:
        return None
    return {f"p{percent}": quantile_of(measure, percent) for percent in PERCENTS}
