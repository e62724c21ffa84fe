"""The knee: the limit between cells and empty droplets.

The curve of counts by rank, both logarithmic, falls steeply between cells and ambient RNA. The
knee is the middle of its steepest fall over a window of `WINDOW`; see docs/explanation/knee.md for
a comparison with two published rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.stats.histogram import Distribution

WINDOW = 0.2
"""Width of the window over which the fall is measured, in decades of rank."""
STEEP = 0.6
"""Least fall within the window, in decades of counts: a factor of 4."""
FEW_COUNTS = 200
"""Largest median counts of empty droplets; cells have more genes, and so more counts."""
FAR_APART = 5.0
"""Least ratio of the two groups' median counts."""
FEW_CELLS = 10
"""Fewest barcodes above the knee."""
_STEP = 0.005


@dataclass(frozen=True)
class Knee:
    """The barcodes above and below the knee."""

    n_cells: int
    """Number of barcodes with at least `min_counts` counts."""
    n_background: int
    """Number of all other barcodes, including those without counts."""
    min_counts: float
    """Counts at the knee."""
    median_counts: float
    """Median counts of the barcodes above."""
    median_counts_background: float
    """Median counts of the barcodes below."""


def find_knee(total_counts: Distribution) -> Knee | None:
    """Return the knee of a matrix; ``None`` where cells were already called.

    Cells were called where no fall is steep, where fewer than half of the barcodes lie below the
    knee, or where those below have too many counts for empty droplets.

    Args:
        total_counts: Counts per barcode.
    """
    some = total_counts.values > 0
    values, counts = total_counts.values[some][::-1], total_counts.counts[some][::-1]
    n, ends = total_counts.n, np.cumsum(counts)
    # Below the middle rank the curve falls steeply again, at its end.
    last = np.log10(min(n / 2, ends[-1] if len(ends) else 0) or 1) - WINDOW / 2
    centres = np.arange(np.log10(FEW_CELLS) - WINDOW / 2, last, _STEP)
    if len(centres) == 0:
        return None
    upper = _log_counts_at(centres - WINDOW / 2, values, ends)
    lower = _log_counts_at(centres + WINDOW / 2, values, ends)
    falls = upper - lower
    # Several centres may have the same steepest fall: the middle one is taken.
    steepest = np.flatnonzero(falls >= falls.max() - 1e-9)
    at = steepest[len(steepest) // 2]
    if falls[at] < STEEP:
        return None
    return _knee_at(total_counts, float(np.ceil(10 ** ((upper[at] + lower[at]) / 2))))


def split(distribution: Distribution, limit: float) -> tuple[Distribution, Distribution]:
    """Return the observations of at least a limit, and those below."""
    above = distribution.values >= limit
    return (
        Distribution(distribution.values[above], distribution.counts[above]),
        Distribution(distribution.values[~above], distribution.counts[~above]),
    )


def _log_counts_at(
    ranks: NDArray[np.float64], values: NDArray[np.float64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return log10 of the counts at the logarithms of ranks, shape as given."""
    indices = np.searchsorted(ends, np.ceil(10**ranks)).clip(0, len(values) - 1)
    log_counts: NDArray[np.float64] = np.log10(values[indices])
    return log_counts


def _knee_at(total_counts: Distribution, min_counts: float) -> Knee | None:
    above, below = split(total_counts, min_counts)
    if above.n < FEW_CELLS or below.n <= above.n:
        return None
    knee = Knee(above.n, below.n, min_counts, above.median, below.median)
    is_empty = knee.median_counts_background < FEW_COUNTS
    is_apart = knee.median_counts >= FAR_APART * knee.median_counts_background
    return knee if is_empty and is_apart else None
