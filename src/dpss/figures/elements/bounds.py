"""Ends of axes that do not depend on a few extreme cells."""

from __future__ import annotations

from dpss.figures.elements.specification import Scale
from dpss.stats.histogram import Distribution

FAR = 3.0
"""Distance of extreme values from the middle half, in widths of the middle half."""


def near_bounds(cells: Distribution, scale: Scale, most_beyond: float = 1.0) -> tuple[float, float]:
    """Return the lowest and the highest value that are not far from the middle half.

    Far is more than `FAR` times the width of the middle half, on the axis's scale. Where half of
    the cells have one value, nothing is far.

    Args:
        cells: Values that the scale can show, at least one.
        scale: How values become positions.
        most_beyond: Largest part of the cells that may lie beyond at either end, 0 to 1.
    """
    values = scale.forward(cells.values)
    placed = Distribution(values, cells.counts)
    q1, q3 = placed.quantile(0.25), placed.quantile(0.75)
    reach = FAR * (q3 - q1)
    if reach <= 0:
        return float(cells.values[0]), float(cells.values[-1])
    low, high = q1 - reach, q3 + reach
    if most_beyond < 1:
        low = min(low, placed.quantile(most_beyond))
        high = max(high, placed.quantile(1 - most_beyond))
    near = cells.values[(values >= low) & (values <= high)]
    if len(near) < 2:  # The middle half ends between two values.
        near = cells.values
    return float(near[0]), float(near[-1])
