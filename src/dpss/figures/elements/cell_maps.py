"""Maps of cells: bins as dots in the colours of clusters, with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.layout import SMALL
from dpss.figures.elements.marks import Dots, Mark, Panel, PaperArea, Segments, Text
from dpss.figures.elements.specification import Axis, Scale
from dpss.stats.embedding.maps import N_BINS, CellMap

if TYPE_CHECKING:
    from dpss.summary.embedding import Embedding
    from dpss.summary.record import Summary

CLUSTER_COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7b4fa3", "#8c6d31",
    "#4a78f0", "#f0306e", "#7aae10", "#d03cb0", "#b57bf0", "#ff8778", "#0f7f7f", "#c8202f",
    "#22b050", "#55802a", "#1f5fc4", "#a54b4b",
)  # fmt: skip
"""Colours of clusters by number, reused beyond the last one; figures also show the number. They are
the same on light and on dark ground, where each has a contrast of 2:1 or more. The first six are
those of Okabe and Ito.
"""
_SMALL_PART = 0.03
"""Extent of a cluster, in parts of the map, below which its number stands above it."""
_SPARSE, _DENSE = 3_000, 30_000
"""Bins with cells up to which dots are large, and from which on they are small."""
_STRENGTHS = (0.6, 0.8, 1.0)
"""Opacity of bins with few, some and many cells."""
_RINGS = (0.0, 11.0, 17.0, 24.0, 32.0, 42.0)
"""Distances from the cluster's middle, in points, at which places for its number are tried."""
_WAYS = np.deg2rad(np.arange(90, 450, 30))
_NUMBER = SMALL + 1.0
"""Type size of a cluster's number."""


def needs_embedding(summary: Summary) -> str | None:
    """Return the reason why there is no embedding; ``None`` if there is one."""
    if summary.embedding is None:
        return summary.no_embedding_reason or "the embedding was switched off"
    return None


def embedding_of(summary: Summary) -> Embedding:
    """Return the embedding of a summary.

    Raises:
        ValueError: The summary has no embedding; the message says why.
    """
    if summary.embedding is None:
        raise ValueError(str(needs_embedding(summary)))
    return summary.embedding


def colour_of(cluster: int) -> str:
    """Return the colour of a cluster."""
    return CLUSTER_COLOURS[cluster % len(CLUSTER_COLOURS)]


def dot_radius(n_bins: int, side: float) -> float:
    """Return the radius of a dot in points.

    Args:
        n_bins: Number of bins with cells.
        side: Side of the map in points.
    """
    crowded = np.clip(np.log(max(n_bins, 1) / _SPARSE) / np.log(_DENSE / _SPARSE), 0, 1)
    return max(float(side / N_BINS * (1.3 - 0.65 * crowded)), 0.7)


def map_panel(cells: CellMap, box: PaperArea, marks: tuple[Mark, ...]) -> Panel:
    """Return a panel with the range of a map, without ticks."""
    (left, bottom), (right, top) = cells.frame.low, cells.frame.high
    x = Axis("", Scale.LINEAR, left, right, ())
    return Panel(box, x, Axis("", Scale.LINEAR, bottom, top, ()), marks, grid="")


def numbered_map(
    cells: CellMap, box: PaperArea, labels: Sequence[str], colours: Sequence[str] | None = None
) -> tuple[Panel, list[Text]]:
    """Return a map in the colours of its clusters, and the texts of their numbers.

    Args:
        cells: The map.
        box: Place on the paper, a square.
        labels: Number or short name of each of the first clusters.
        colours: Colour of each cluster by number; `colour_of` without.
    """
    marks = cluster_marks(cells, box.width, colours)
    lines, texts = place_numbers(cells, labels, map_panel(cells, box, ()))
    return map_panel(cells, box, (*marks, *lines)), texts


def cluster_marks(
    cells: CellMap, side: float, colours: Sequence[str] | None = None
) -> tuple[Dots, ...]:
    """Return each bin in the colour of its most frequent cluster.

    The colour is stronger where cells are many.

    Args:
        cells: The map.
        side: Side of the map in points.
        colours: Colour of each cluster by number; `colour_of` without.
    """
    bins, clusters, counts = cells.majority()
    most = np.log1p(max(float(np.quantile(counts, 0.99)), 1.0))
    # Where no bin has more than a cell or two, all are as strong.
    level = np.minimum(len(_STRENGTHS) * np.log1p(counts) / most, len(_STRENGTHS)).astype(int) - 1
    x, y = cells.frame.middles(bins).T
    radius = dot_radius(len(bins), side)
    found = []
    for n, strength in enumerate(_STRENGTHS):
        for cluster in np.unique(clusters):
            these = (clusters == cluster) & (np.maximum(level, 0) == n)
            if these.any():
                colour = colours[cluster] if colours else colour_of(int(cluster))
                found.append(Dots(x[these], y[these], colour, radius, strength))
    return tuple(found)


def place_numbers(
    cells: CellMap, labels: Sequence[str], panel: Panel
) -> tuple[list[Segments], list[Text]]:
    """Return each cluster's number on its densest part, or near with a line.

    The largest clusters come first; no number lies on another, while there is room.

    Args:
        cells: The map.
        labels: Number or short name of each of the first clusters.
        panel: Where the map is drawn.
    """
    box, taken = panel.box, list[Text]()
    lines: list[Segments] = []
    for cluster, label in enumerate(labels):
        of_it = cells.clusters == cluster
        if not of_it.any():
            continue
        places = cells.frame.middles(cells.bins[of_it])
        x, y = _middle(places, cells.counts[of_it])
        (across,), (down,) = panel.place(np.array([x]), np.array([y]))
        extent = np.ptp(panel.x.fractions(places[:, 0])), np.ptp(panel.y.fractions(places[:, 1]))
        text, moved = _free(label, across, down, bool(max(extent) < _SMALL_PART), box, taken)
        taken.append(text)
        if moved:
            end_x, end_y = text.x - box.left, box.bottom - (text.y - 0.36 * _NUMBER)
            spans = panel.x.high - panel.x.low, panel.y.high - panel.y.low
            far = (
                np.array([panel.x.low + end_x / box.width * spans[0]]),
                np.array([panel.y.low + end_y / box.height * spans[1]]),
            )
            lines.append(Segments(np.array([x]), np.array([y]), *far, "ink", 0.8))
    return lines, taken


def _free(
    text: str, across: float, down: float, small: bool, box: PaperArea, taken: list[Text]
) -> tuple[Text, bool]:
    """Return a number on the first free place, and whether a line leads there.

    The number of a small cluster stands above it rather than on it.
    """
    first: Text | None = None
    for ring in _RINGS[1:] if small else _RINGS:
        for way in _WAYS if ring else _WAYS[:1]:
            x, y = across + ring * np.cos(way), down - ring * np.sin(way) + 0.36 * _NUMBER
            label = Text(
                float(x), float(y), text, _NUMBER, "ink", bold=True, anchor="middle", halo=True
            )
            first = first or label
            room = label.box
            inside = box.left <= room.left and room.right <= box.right
            inside &= box.top <= room.top and room.bottom <= box.bottom
            if inside and not any(label.overlaps(other) for other in taken):
                return label, ring > (_RINGS[1] if small else 0.0)
    return first or Text(across, down, text, _NUMBER), False


def _middle(places: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return the place of the bin that is nearest to the cluster's median."""
    medians = []
    for axis in (0, 1):
        order = np.argsort(places[:, axis], kind="stable")
        half = np.searchsorted(np.cumsum(counts[order]), counts.sum() / 2)
        medians.append(places[order[half], axis])
    nearest = int(np.argmin(((places - np.array(medians)) ** 2).sum(axis=1)))
    return float(places[nearest, 0]), float(places[nearest, 1])
