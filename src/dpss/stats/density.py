"""Counts of points on a fixed grid, for scatter plots of millions of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.stats.histogram import KeyCounts

STEPS_PER_OCTAVE_BITS = 5
N_LOG_BINS = 1 + (40 << STEPS_PER_OCTAVE_BITS)
"""Bins of a logarithmic axis: one for values below 1, then 32 per octave up to 2**40."""
N_PERCENT_BINS = 400
"""Bins of a percentage axis: a quarter of a percent each, 100 in the last."""

_SHIFT = 52 - STEPS_PER_OCTAVE_BITS
_FIRST = 1023 << STEPS_PER_OCTAVE_BITS


@dataclass(frozen=True)
class Density:
    """Numbers of cells in the bins of a grid; empty bins are left out."""

    x: NDArray[np.int64]
    """Bin along the first axis, shape ``(n_bins,)``."""
    y: NDArray[np.int64]
    """Bin along the second axis, shape ``(n_bins,)``."""
    counts: NDArray[np.int64]
    """Cells in the bin, shape ``(n_bins,)``, all at least 1."""
    x_edges: NDArray[np.float64]
    """Edges of all bins of the first axis, ascending, shape ``(n + 1,)``."""
    y_edges: NDArray[np.float64]
    """Edges of all bins of the second axis, ascending, shape ``(n + 1,)``."""


def log_bins(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the logarithmic bin of each non-negative value, shape as given.

    The bins are computed from the bits of the doubles, without a logarithm, whose last bit could
    differ between machines.
    """
    keys = np.ascontiguousarray(values, dtype=np.float64).view(np.int64) >> _SHIFT
    bins: NDArray[np.int64] = np.clip(keys - _FIRST + 1, 0, N_LOG_BINS - 1)
    return bins


def log_edges() -> NDArray[np.float64]:
    """Return the edges of the logarithmic bins, from 0, shape ``(N_LOG_BINS + 1,)``."""
    keys = (np.arange(N_LOG_BINS, dtype=np.int64) + _FIRST) << _SHIFT
    return np.concatenate([[0.0], keys.view(np.float64)])


def percent_bins(percents: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each percentage, shape as given."""
    return np.clip((percents * (N_PERCENT_BINS / 100)).astype(np.int64), 0, N_PERCENT_BINS - 1)


def percent_edges() -> NDArray[np.float64]:
    """Return the edges of the percentage bins, shape ``(N_PERCENT_BINS + 1,)``."""
    return np.arange(N_PERCENT_BINS + 1, dtype=np.float64) * (100 / N_PERCENT_BINS)


class Grid:
    """A mergeable grid of counts; its size is that of the bins with points."""

    def __init__(self, x_edges: NDArray[np.float64], y_edges: NDArray[np.float64]) -> None:
        """Make an empty grid with these edges."""
        self._x_edges = x_edges
        self._y_edges = y_edges
        self._counts = KeyCounts()

    def add(self, x: NDArray[np.int64], y: NDArray[np.int64]) -> None:
        """Count points.

        Args:
            x: Bin of each point along the first axis, shape ``(n_points,)``.
            y: Bin of each point along the second axis, shape ``(n_points,)``.
        """
        self._counts.add(x * (len(self._y_edges) - 1) + y)

    def merge(self, other: Grid) -> None:
        """Add the counts of another grid with the same edges."""
        self._counts.merge(other._counts)

    def density(self) -> Density:
        """Return the bins with points and their counts."""
        keys, counts = self._counts.contents()
        x, y = np.divmod(keys, len(self._y_edges) - 1)
        return Density(x, y, counts.copy(), self._x_edges, self._y_edges)
