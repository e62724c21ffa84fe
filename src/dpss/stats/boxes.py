"""Box plots from histograms of bounded size.

A histogram bin is at most 1/256 wide relative to its value, so that a quantile taken
as a bin's middle is within 0.2 % of the true order statistic. Whiskers and outliers
follow J. W. Tukey's rule as matplotlib and seaborn draw it: the farthest observations
within 1.5 times the interquartile range of the box.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.stats.histogram import Distribution
from dpss.stats.kernels.layout import N_BOX_BINS, box_bin_edges

WHISKER = 1.5


@dataclass(frozen=True)
class Box:
    """A box plot's numbers, in percent of a cell's counts."""

    q1: float
    """25 % quantile."""
    median: float
    """50 % quantile."""
    q3: float
    """75 % quantile."""
    whisker_low: float
    """Smallest observation within 1.5 interquartile ranges below the box."""
    whisker_high: float
    """Largest observation within 1.5 interquartile ranges above the box."""
    outliers: NDArray[np.float64]
    """One value per occupied histogram bin outside the whiskers, ascending."""
    n_outliers: int
    """Number of cells outside the whiskers."""


def box_of(histogram: NDArray[np.int64], n_cells: int) -> Box:
    """Make a box from the histogram of a gene's shares.

    Args:
        histogram: Cells per bin where the share is above zero, shape ``(N_BOX_BINS,)``.
        n_cells: All kept cells; the rest have share zero. At least 1.

    Returns:
        The box, in percent.
    """
    edges = box_bin_edges()
    middles = (edges[:-1] + edges[1:]) / 2
    middles[N_BOX_BINS - 1] = 1.0
    occupied = np.flatnonzero(histogram)
    n_zero = n_cells - int(histogram.sum())
    values = middles[occupied] * 100
    counts = histogram[occupied]
    if n_zero > 0:
        values = np.concatenate([[0.0], values])
        counts = np.concatenate([[n_zero], counts])
    shares = Distribution(values, counts.astype(np.int64))
    q1, median, q3 = (shares.quantile(q) for q in (0.25, 0.5, 0.75))
    reach = WHISKER * (q3 - q1)
    inside = (values >= q1 - reach) & (values <= q3 + reach)
    return Box(
        q1=q1,
        median=median,
        q3=q3,
        whisker_low=min(q1, float(values[inside][0])) if inside.any() else q1,
        whisker_high=max(q3, float(values[inside][-1])) if inside.any() else q3,
        outliers=values[~inside],
        n_outliers=int(counts[~inside].sum()),
    )
