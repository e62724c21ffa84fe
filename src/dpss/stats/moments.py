"""Means and variances of genes, from exact sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpss.stats.accumulator import GeneSums
from dpss.stats.kernels import layout

_MIN_RELATIVE_VARIANCE = 2.0**-51
"""A variance of up to this part of the squared mean comes from the rounding of shares to doubles,
and is set to zero.
"""
_GENES_AT_A_TIME = 1 << 11
"""Genes whose sums are converted to Python's integers at a time, 200 bytes each."""


def total_counts(sums: GeneSums) -> NDArray[np.float64]:
    """Return each feature's sum of values, shape ``(n_features,)``."""
    table = sums.table
    return layout.join_limbs(table[:, layout.TOTAL], table[:, layout.TOTAL_LOW], sums.tails)


def share_means(sums: GeneSums, n_cells: int) -> NDArray[np.float64]:
    """Return the mean of each feature's share of a cell's counts.

    Args:
        sums: Canonical sums.
        n_cells: Number of kept cells.

    Returns:
        Shape ``(n_features,)``; NaN if there are no cells.
    """
    if n_cells == 0:
        return np.full(len(sums.table), np.nan)
    low = np.ldexp(sums.table[:, layout.SHARE_LOW].astype(np.float64), -layout.SHARE_LOW_BITS)
    units = sums.table[:, layout.SHARE] + low
    return np.ldexp(units, layout.SHARE_LOW_BITS - layout.SHARE_BITS) / n_cells


def share_variances(sums: GeneSums, n_cells: int) -> NDArray[np.float64]:
    """Return the sample variance (``ddof=1``) of each feature's shares of counts.

    With integers ``S1`` (sum of shares, unit ``2**-52``) and ``S2`` (sum of squared
    shares, unit ``2**-78``) it is ``(n S2 2**26 - S1**2) / (n (n - 1) 2**104)``,
    evaluated in Python's integers and rounded once.

    Args:
        sums: Canonical sums.
        n_cells: Number of kept cells.

    Returns:
        Shape ``(n_features,)``; NaN for fewer than two cells.
    """
    found = np.flatnonzero(sums.table[:, layout.N_CELLS])
    variances = np.full(len(sums.table), 0.0 if n_cells > 1 else np.nan)
    if n_cells <= 1:
        return variances
    align = 2 * layout.SHARE_BITS - layout.SQUARE_BITS
    whole = n_cells * (n_cells - 1) << (2 * layout.SHARE_BITS)
    for first in range(0, len(found), _GENES_AT_A_TIME):
        genes = found[first : first + _GENES_AT_A_TIME]
        table = sums.table[genes]
        shares = _whole_sums(table, layout.SHARE, layout.SHARE_LOW, layout.SHARE_LOW_BITS)
        squares = _whole_sums(table, layout.SQUARE, layout.SQUARE_LOW, layout.LOW_BITS)
        for gene, share, square in zip(genes.tolist(), shares, squares, strict=True):
            variances[gene] = max(0, ((n_cells * square) << align) - share * share) / whole
    variances[variances <= _MIN_RELATIVE_VARIANCE * share_means(sums, n_cells) ** 2] = 0.0
    return variances


def _whole_sums(table: NDArray[np.int64], high: int, low: int, low_bits: int) -> list[int]:
    """Return sums in two limbs as whole numbers of any size."""
    return [
        (a << low_bits) + b
        for a, b in zip(table[:, high].tolist(), table[:, low].tolist(), strict=True)
    ]
