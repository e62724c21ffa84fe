"""Cells by two measures: bins where cells are dense, single dots elsewhere.

The summary's bins are far finer than the eye can see, and not equally wide (they are read off the
bits of a double). Here each cell gets its place back: the bins tell which values of the two
measures belong together, the distributions where within its bin a value lies. Then cells are
counted in squares of one size on the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.specification import Axis
from dpss.stats.density import Density
from dpss.stats.histogram import Distribution

FEW = 500
"""Up to this many cells, each is a dot."""
TOGETHER = 4
"""From this many cells on, a square is a bin."""
N_SHADES = 5
_PARTS = 6
"""Most places into which the cells of a fine bin are spread, with `TOGETHER` cells or more each."""
_GOLDEN = 0.6180339887498949
_ROUND = np.outer(10.0 ** np.arange(10), (1.0, 2.0, 3.0, 5.0)).ravel()


@dataclass(frozen=True, eq=False)
class Places:
    """Cells by two measures; several cells may share a place."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Picture:
    """Cells as bins and dots; together they are all cells that the axes can show."""

    left: NDArray[np.float64]
    """Edges of the bins in the axes' values, shape ``(n_bins,)`` each."""
    bottom: NDArray[np.float64]
    right: NDArray[np.float64]
    top: NDArray[np.float64]
    n: NDArray[np.int64]
    """Cells of each bin, at least `TOGETHER`."""
    shade: NDArray[np.int64]
    """Index in `steps` of each bin."""
    dot_x: NDArray[np.float64]
    """Places of the other cells, shape ``(n_dots,)``."""
    dot_y: NDArray[np.float64]
    steps: tuple[int, ...]
    """Fewest cells of each shade, ascending; empty without bins."""


def places_of(density: Density, x: Distribution, y: Distribution) -> Places:
    """Return where cells lie, each in its own place to within a fine bin's width.

    The cells of a bin of one axis take the values that its distribution has there, in an
    order that has nothing to do with the other axis.
    """
    counts = density.counts
    n_parts = np.where(counts < 2 * TOGETHER, counts, np.clip(counts // TOGETHER, 1, _PARTS))
    at = np.repeat(np.arange(len(counts)), n_parts)
    part = np.arange(len(at)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    sizes = counts[at] // n_parts[at] + (part < counts[at] % n_parts[at])
    index = np.arange(len(at), dtype=np.float64)
    return Places(
        _values(density.x[at], index * _GOLDEN % 1, sizes, x),
        _values(density.y[at], index * _GOLDEN**2 % 1, sizes, y),
        sizes,
    )


def _values(
    bins: NDArray[np.int64],
    ties: NDArray[np.float64],
    sizes: NDArray[np.int64],
    distribution: Distribution,
) -> NDArray[np.float64]:
    """Return the distribution's values, assigned in the order of the bins."""
    order = np.argsort(bins + ties)
    ends = np.cumsum(sizes[order])
    middles = ends - (sizes[order] + 1) // 2
    taken = np.searchsorted(np.cumsum(distribution.counts), middles, side="right")
    values = np.empty(len(bins))
    values[order] = distribution.values[np.minimum(taken, len(distribution.values) - 1)]
    return values


def picture_of(places: Places, x: Axis, y: Axis, aspect: float) -> Picture:
    """Return cells as bins and dots.

    Args:
        places: Where they are; what lies beyond the axes is left out.
        x: The axis from left to right.
        y: The axis from below.
        aspect: How many times as wide as high the axes are on paper.
    """
    across, up = x.fractions(places.x), y.fractions(places.y)
    inside = (across >= 0) & (across <= 1) & (up >= 0) & (up <= 1)
    across, up, counts = across[inside], up[inside], places.counts[inside]
    at_x, at_y = places.x[inside], places.y[inside]
    n_cells = int(counts.sum())
    n_y = int(min(6.5 * n_cells**0.24, 110)) + 1
    n_x = int(n_y * aspect) + 1
    column = np.minimum((across * n_x).astype(np.int64), n_x - 1)
    row = np.minimum((up * n_y).astype(np.int64), n_y - 1)
    square = column * n_y + row
    total = np.bincount(square, counts, n_x * n_y).astype(np.int64)
    bins = np.flatnonzero(total >= TOGETHER)
    edges_x, edges_y = _edges(x, n_x), _edges(y, n_y)
    left, right = edges_x[bins // n_y], edges_x[bins // n_y + 1]
    bottom, top = edges_y[bins % n_y], edges_y[bins % n_y + 1]
    if n_cells <= FEW:  # All cells are dots, but for those in exactly one place.
        members = [np.flatnonzero(square == one) for one in bins]
        alike = [len(set(zip(at_x[i], at_y[i], strict=True))) == 1 for i in members]
        bins = bins[np.array(alike, dtype=bool)]
        # All cells of such a bin are in one place, which is its middle.
        place = np.array([i[0] for i, same in zip(members, alike, strict=True) if same], dtype=int)
        left, right = _around(x, across[place], 0.5 / n_x)
        bottom, top = _around(y, up[place], 0.5 / n_y)
    is_bin = np.zeros(n_x * n_y, dtype=bool)
    is_bin[bins] = True
    alone = ~is_bin[square]
    steps = shades(int(total[bins].max())) if len(bins) else ()
    repeat = counts[alone]
    return Picture(
        left=left,
        bottom=bottom,
        right=right,
        top=top,
        n=total[bins],
        shade=np.searchsorted(steps, total[bins], side="right") - 1,
        dot_x=np.repeat(at_x[alone], repeat),
        dot_y=np.repeat(at_y[alone], repeat),
        steps=steps,
    )


def _edges(axis: Axis, n: int) -> NDArray[np.float64]:
    """Return the edges of ``n`` equal parts of an axis, in its values."""
    low, high = axis.scale.forward([axis.low, axis.high])
    return axis.scale.inverse(np.linspace(low, high, n + 1))


def _around(
    axis: Axis, fractions: NDArray[np.float64], half: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of parts of an axis around places, cut at its own ends."""
    low, high = axis.scale.forward([axis.low, axis.high])
    ends = np.clip([fractions - half, fractions + half], 0.0, 1.0)
    first, last = axis.scale.inverse(low + ends * (high - low))
    return first, last


def shades(most: int) -> tuple[int, ...]:
    """Return the fewest cells of each shade: round numbers on a logarithmic scale.

    >>> shades(5), shades(60), shades(25_000)
    ((4,), (4, 10, 20, 30), (4, 20, 100, 1000, 5000))
    """
    steps = [TOGETHER]
    for wanted in np.geomspace(TOGETHER, max(most, TOGETHER), N_SHADES + 1)[1:-1]:
        nearest = int(_ROUND[np.argmin(np.abs(np.log(_ROUND / wanted)))])
        if steps[-1] * 1.5 <= nearest <= most:
            steps.append(nearest)
    return tuple(steps)
