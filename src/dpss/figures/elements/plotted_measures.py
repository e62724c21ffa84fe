"""Measures of cells along the axes of a plot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dpss.figures.elements.axes import make_axis, span_of
from dpss.figures.elements.bounds import near_bounds
from dpss.figures.elements.limits import limits_of
from dpss.figures.elements.specification import SQUEEZED, Axis, Scale, shortest_span
from dpss.stats.histogram import Distribution
from dpss.summary.numerals import number

if TYPE_CHECKING:
    from dpss.summary.record import Summary, Threshold

_MAX_BEYOND = 0.005
"""Part of the cells that may lie beyond either end of an axis that squeezes no points."""
_ROOM = 1.06
"""Length of an axis from 0, relative to its largest value."""


@dataclass(frozen=True)
class PlottedMeasure:
    """One measure of the cells."""

    title: str
    """Title of the axis, with unit."""
    unit: str
    """Follows a number; empty for percentages."""
    distribution: Distribution
    write: Callable[[float], str]
    """Returns a value as text."""
    scale: Scale
    limits: tuple[Threshold, ...] = ()
    """Suggested limits, ascending."""

    def describe(self, value: float) -> str:
        """Return a value with its unit."""
        text = self.write(value)
        return f"{text} {self.unit.removesuffix('s') if text == '1' else self.unit}".strip()

    def axis(self) -> Axis:
        """Return an axis that a few far cells do not set, and that squeezes no points.

        A logarithmic axis has room for far cells: it shows all that are above 0 if it can.
        Others start at 0 and end with the near cells, or at the last limit that cells lie
        beyond. An axis that would squeeze its points ends at both ends with the near cells.
        """
        whole = self.distribution
        some = whole.values > 0 if self.scale is Scale.LOG else whole.values >= 0
        # There is a value above 0: without counts there is no figure.
        shown = Distribution(whole.values[some], whole.counts[some])
        found: list[tuple[float, Axis]] = []
        for low, high in self._ends(shown):
            axis = make_axis(self.title, low, high, self.scale)
            found.append((shortest_span(axis, shown.values, shown.counts), axis))
            if found[-1][0] >= SQUEEZED:
                return axis
        return max(found, key=lambda one: one[0])[1]

    def _ends(self, shown: Distribution) -> Iterator[tuple[float, float]]:
        """Yield ends of the axis, the preferred ones first."""
        last = float(shown.values[-1])
        low, high = near_bounds(shown, self.scale)
        if self.scale is Scale.LOG:
            yield span_of(float(shown.values[0]), last, log=True)
            yield span_of(low, high, log=True)
            return
        _, most = near_bounds(shown, self.scale, _MAX_BEYOND)
        reached = [each.limit for each in self.limits if each.limit and each.limit < last]
        for end in (max([most, *reached]), most, high):
            yield 0.0, max(end * _ROOM, 1.0)
        start, end = span_of(*self.scale.forward([low, high]), log=False)
        ends = self.scale.inverse([max(start, 0.0), end])
        yield float(ends[0]), float(ends[1])


def counts_measure(summary: Summary, values: str) -> PlottedMeasure:
    """Return the total counts of the cells, called ``values``, on a logarithmic scale."""
    return PlottedMeasure(
        f"total {values} per cell",
        values,
        summary.counts_per_cell,
        number,
        Scale.LOG,
        limits_of(summary, "total_counts", "at least"),
    )
