"""From exact sums to means and variances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpss.stats import layout
from dpss.stats.accumulator import GeneSums

CONSTANT = 2.0**-51
"""A variance below this part of the squared mean is the rounding of the shares to
doubles, and taken for zero."""


def total_counts(sums: GeneSums) -> NDArray[np.float64]:
    """Return each feature's sum of values, shape ``(n_features,)``."""
    table = sums.table
    return table[:, layout.TOTAL] + table[:, layout.TOTAL_LOW] / float(1 << layout.LOW_BITS)


def share_moments(
    sums: GeneSums, n_cells: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of each feature's share of a cell's counts.

    With integers ``S1`` (sum of shares, unit ``2**-62``) and ``S2`` (sum of squared
    shares, unit ``2**-78``) the sample variance is
    ``(n S2 2**46 - S1**2) / (n (n - 1) 2**124)``, evaluated in Python's integers and
    rounded once.

    Args:
        sums: Canonical sums.
        n_cells: Number of kept cells.

    Returns:
        Mean and sample variance (``ddof=1``), each shape ``(n_features,)``; the variance
        is NaN for fewer than two cells, both are NaN for none.
    """
    table = sums.table
    means = np.full(len(table), np.nan)
    variances = np.full(len(table), np.nan)
    if n_cells == 0:
        return means, variances
    unit = 1 << layout.SHARE_BITS
    align = 2 * layout.SHARE_BITS - layout.SQUARE_BITS
    means[:] = 0.0
    if n_cells > 1:
        variances[:] = 0.0
    shares = _joined(table, layout.SHARE, layout.SHARE_LOW, layout.SHARE_LOW_BITS)
    squares = _joined(table, layout.SQUARE, layout.SQUARE_LOW, layout.LOW_BITS)
    for g in np.flatnonzero(table[:, layout.N_CELLS]):
        means[g] = shares[g] / (n_cells * unit)
        if n_cells > 1:
            spread = ((n_cells * squares[g]) << align) - shares[g] ** 2
            variance = spread / (n_cells * (n_cells - 1) * unit * unit)
            variances[g] = variance if variance > CONSTANT * means[g] ** 2 else 0.0
    return means, variances


def _joined(table: NDArray[np.int64], high: int, low: int, low_bits: int) -> list[int]:
    """Return sums in two limbs as whole numbers of any size."""
    return [
        (a << low_bits) + b
        for a, b in zip(table[:, high].tolist(), table[:, low].tolist(), strict=True)
    ]
