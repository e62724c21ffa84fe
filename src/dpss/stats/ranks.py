"""Ranks of genes, from 1; ties keep the gene order, undefined values have none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UNRANKED = 0
"""Value for "no rank" in an array of ranks."""


def rank_descending(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rank values from the largest down.

    >>> rank_descending(np.array([2.0, np.nan, 5.0, 2.0])).tolist()
    [2, 0, 1, 3]

    Args:
        values: Shape ``(n,)``; NaN is undefined.

    Returns:
        Ranks, shape ``(n,)``; `UNRANKED` where the value is undefined.
    """
    defined = ~np.isnan(values)
    order = np.argsort(np.where(defined, -values, np.inf), kind="stable")
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.arange(1, len(values) + 1)
    ranks[~defined] = UNRANKED
    return ranks


def top(ranks: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the indices of the ``n`` best ranked, best first, shape ``(<= n,)``."""
    best = np.flatnonzero((ranks > UNRANKED) & (ranks <= n))
    return best[np.argsort(ranks[best])]
