"""A plot as data, which both the figures and the page's script draw.

A specification holds scales, limits, ticks, guide lines and the legend. It holds no
sizes: a wide picture, a narrow one and a browser's window lay out the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SQUEEZED = 0.1
"""Part of an axis; if 80 % of the points lie within one of this length, the axis squeezes them."""


class Scale(StrEnum):
    """Functions that map values to positions along an axis."""

    LINEAR = "linear"
    ROOT = "root"
    """Square root: room for small values of at least 0."""
    ASINH = "asinh"
    """Inverse hyperbolic sine: linear between -1 and 1, logarithmic farther out."""
    LOG = "log"
    """Logarithm; values above 0 only."""

    def forward(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return values as equally spaced numbers, shape as given."""
        found = np.asarray(values, dtype=np.float64)
        if self is Scale.LOG:
            with np.errstate(divide="ignore"):
                return np.asarray(np.log10(found))
        if self is Scale.ROOT:
            return np.asarray(np.sqrt(np.maximum(found, 0.0)))
        if self is Scale.ASINH:
            return np.asarray(np.arcsinh(found))
        return found

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the values that `forward` made these numbers of, shape as given."""
        found = np.asarray(values, dtype=np.float64)
        if self is Scale.LOG:
            return np.asarray(10.0**found)
        if self is Scale.ROOT:
            return np.asarray(found**2)
        if self is Scale.ASINH:
            return np.asarray(np.sinh(found))
        return found


@dataclass(frozen=True)
class Axis:
    """An axis of a plot: title, scale, ends and ticks."""

    title: str
    """Title with unit."""
    scale: Scale
    low: float
    """Value at the left or lower end."""
    high: float
    """Value at the right or upper end."""
    ticks: tuple[tuple[float, str], ...]
    """Values within the ends, each with its label."""

    def fractions(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return places along the axis, 0 at its low and 1 at its high end."""
        low, high = self.scale.forward([self.low, self.high])
        return np.asarray((self.scale.forward(values) - low) / (high - low))


@dataclass(frozen=True)
class Guide:
    """A line across the plot at one value of an axis, with its label."""

    along: str
    """The axis whose value it marks: ``x`` for an upright line, ``y`` for a level one."""
    at: float
    text: str
    """Label of the line; empty where the legend or the caption explains it."""
    kind: str = "limit"
    """Kind of the line: ``median`` or ``limit``."""
    start: float | None = None
    """Value of the other axis where the line starts; ``None`` for that axis's low end."""
    end: float | None = None
    """Value of the other axis where the line ends; ``None`` for that axis's high end."""


@dataclass(frozen=True)
class LegendEntry:
    """An entry of the legend: a mark and its meaning."""

    mark: str
    """Kind of the mark: ``dot``, ``bin``, ``diamond``, ``median`` or ``limit``."""
    colour: str
    """Role of the colour, a field of `dpss.figures.elements.palette.Theme`."""
    text: str


@dataclass(frozen=True)
class Specification:
    """A plot's axes, guide lines and legend."""

    x: Axis
    y: Axis
    guides: tuple[Guide, ...] = ()
    legend: tuple[LegendEntry, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the specification as the page's script takes it."""
        return {
            "x": _axis_document(self.x),
            "y": _axis_document(self.y),
            "guides": [
                {
                    "along": guide.along,
                    "at": guide.at,
                    "text": guide.text,
                    "kind": guide.kind,
                    "start": guide.start,
                    "end": guide.end,
                }
                for guide in self.guides
            ],
            "legend": [[entry.mark, entry.colour, entry.text] for entry in self.legend],
        }


def _axis_document(axis: Axis) -> dict[str, Any]:
    return {
        "title": axis.title,
        "scale": str(axis.scale),
        "low": axis.low,
        "high": axis.high,
        "ticks": [[value, text] for value, text in axis.ticks],
    }


def shortest_span(
    axis: Axis, values: NDArray[np.float64], counts: NDArray[np.int64] | None = None
) -> float:
    """Return the shortest part of an axis, 0 to 1, that holds 80 % of the points.

    An axis on which it is below `SQUEEZED` squeezes its points.

    Args:
        axis: The axis.
        values: Values of the points, shape ``(n_points,)``, at least one.
        counts: How many points each stands for, or ``None`` for one each.
    """
    order = np.argsort(values, kind="stable")
    places = axis.fractions(values[order])
    weights = np.ones(len(values), dtype=np.int64) if counts is None else counts[order]
    ends = np.cumsum(weights)
    wanted = ends - weights + int(np.ceil(0.8 * ends[-1]))
    last = np.searchsorted(ends, wanted)
    there = last < len(places)
    return float((places[last[there]] - places[there]).min())
