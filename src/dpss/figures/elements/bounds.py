"""Ends of axes that do not depend on a few extreme cells."""

from __future__ import annotations

import numpy as np

from dpss.figures.elements.specification import Scale
from dpss.stats.histogram import Distribution

FAR = 3.0
"""Distance of extreme values from the middle half, in widths of the middle half."""
_MIDDLES = ((0.25, 0.75), (0.05, 0.95))
"""Quantiles between which the middle lies; the second where half of the cells have one value."""


def near_bounds(cells: Distribution, scale: Scale, most_beyond: float = 1.0) -> tuple[float, float]:
    """Return the lowest and the highest value that are not far from the middle half.

    Far is more than `FAR` times the width of the middle half, on the axis's scale. Where half of
    the cells have one value, the middle 90 % take its place; where these have one value, too,
    nothing is far.

    Args:
        cells: Values that the scale can show, at least one.
        scale: How values become positions.
        most_beyond: Largest part of the cells that may lie beyond at either end, 0 to 1; one
            cell may in any case.
    """
    values = scale.forward(cells.values)
    placed = Distribution(values, cells.counts)
    middles = ((placed.quantile(a), placed.quantile(b)) for a, b in _MIDDLES)
    first, last = next((each for each in middles if each[0] < each[1]), (0.0, 0.0))
    if first == last:
        return float(cells.values[0]), float(cells.values[-1])
    reach = FAR * (last - first)
    low, high = first - reach, last + reach
    if most_beyond < 1:
        n = placed.n
        n_beyond = min(max(int(n * most_beyond), 1), n - 1)
        ranks = np.searchsorted(np.cumsum(cells.counts), [n_beyond, n - 1 - n_beyond], "right")
        low, high = min(low, float(values[ranks[0]])), max(high, float(values[ranks[1]]))
    near = cells.values[(values >= low) & (values <= high)]
    if len(near) < 2:  # The middle half ends between two values.
        near = cells.values
    return float(near[0]), float(near[-1])
