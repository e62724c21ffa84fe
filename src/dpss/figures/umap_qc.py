"""Figure of the kept cells on the map of clusters, by measures of quality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.base import Figure, noun
from dpss.figures.elements.axes import make_axis
from dpss.figures.elements.cell_maps import dot_radius, embedding_of, map_panel, needs_embedding
from dpss.figures.elements.layout import MARGIN, MEDIUM, heading, is_narrow
from dpss.figures.elements.marks import Dots, Page, Panel, PaperArea, Rectangles, Text
from dpss.figures.elements.palette import DENSITIES
from dpss.figures.elements.specification import Axis, Scale
from dpss.stats.embedding.maps import N_BINS

if TYPE_CHECKING:
    from dpss.summary.embedding import Embedding
    from dpss.summary.record import Summary

TITLE = "Quality of the cells on the map"
_BETWEEN = 14.0
_BAR = 7.0
"""Height of the scale of colours."""
_BELOW = 40.0
"""Room for the scale of colours and its numbers."""
_LAST = 0.93
"""Part of a scale of colours beyond which no number stands."""
_JOINED = 2
"""Bins of the map along each axis that form one bin of these small maps."""


@dataclass(frozen=True, eq=False)
class _MapMeasure:
    """The measure of one map."""

    heading: str
    column: int
    """Column of the measure in the map's means."""
    scale: Scale


def reading(summary: Summary) -> str:
    """Return the caption: it explains the maps and their colours."""
    text = (
        "The map of the clusters again: each dot has the mean of the cells that lie there. A "
        "region of few genes and counts"
    )
    if summary.pct_counts_mt is None:
        return text + " can be damaged cells or empty droplets."
    return text + " and a large mitochondrial share can be damaged cells or empty droplets."


def _measures(summary: Summary) -> list[_MapMeasure]:
    found = [
        _MapMeasure("Genes detected", 0, Scale.LOG),
        _MapMeasure(f"Total {noun(summary)}", 1, Scale.LOG),
    ]
    if summary.pct_counts_mt is not None:
        found.append(_MapMeasure("Mitochondrial share, %", 2, Scale.LINEAR))
    return found


def joined_bins(found: Embedding) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places and means of bins of a coarser map.

    Returns:
        The middles of the bins with cells, shape ``(n_bins, 2)``, and their means of genes
        detected, counts and mitochondrial percentage, shape ``(n_bins, 3)``.
    """
    bins, first = np.unique(found.map.bins, return_index=True)
    counts = np.add.reduceat(found.map.counts, first)
    x, y = np.divmod(bins, N_BINS)
    coarse, where = np.unique(x // _JOINED * N_BINS + y // _JOINED, return_inverse=True)
    totals = np.bincount(where, counts)
    means = np.stack(
        [np.bincount(where, counts * column) / totals for column in found.map_means[bins].T],
        axis=1,
    )
    low, high = np.array(found.map.frame.low), np.array(found.map.frame.high)
    middles = (np.column_stack(np.divmod(coarse, N_BINS)) + 0.5) * _JOINED
    return low + middles * (high - low) / N_BINS, means


def layout(summary: Summary, width: float) -> Page:
    """Lay out a map per measure, side by side or, on narrow paper, in a column."""
    found = embedding_of(summary)
    measures = _measures(summary)
    head = heading(summary, TITLE, width)
    narrow = is_narrow(width)
    room = width - 2 * MARGIN
    side = room if narrow else (room - _BETWEEN * 2) / 3
    places, means = joined_bins(found)
    panels: list[Panel] = []
    texts = list(head.texts)
    for n, measure in enumerate(measures):
        left = MARGIN + (0 if narrow else n * (side + _BETWEEN))
        top = head.bottom + 18.0 + (n * (side + _BELOW + 24.0) if narrow else 0)
        texts.append(Text(left, top - 6.0, measure.heading, MEDIUM, "ink", bold=True))
        values = means[:, measure.column]
        axis = _axis(values, measure.scale)
        box = PaperArea(left, top, side, side)
        marks = _dots(places, values, axis, dot_radius(len(places) * _JOINED, side) * 1.15)
        panels.append(map_panel(found.map, box, marks))
        panels.append(_colours(axis, PaperArea(left, box.bottom + 8.0, side, _BAR)))
    height = panels[-1].box.bottom + 28.0
    return Page(TITLE, width, height, tuple(panels), tuple(texts))


def _axis(means: NDArray[np.float64], scale: Scale) -> Axis:
    """Return the scale of the colours; it leaves out the most extreme values."""
    low, high = (float(q) for q in np.quantile(means, (0.01, 0.99)))
    if scale is Scale.LOG:
        low = max(low, 1.0)
        return replace(make_axis("", low, max(high, low * 1.5), scale, n=3), title="")
    return make_axis("", 0.0, max(high, 0.1), scale, n=4)


def _dots(
    places: NDArray[np.float64], means: NDArray[np.float64], axis: Axis, radius: float
) -> tuple[Dots, ...]:
    """Return the bins in the colours of their means, the highest on top."""
    n_shades = len(DENSITIES)
    shade = np.clip(axis.fractions(means) * n_shades, 0, n_shades - 1).astype(np.int64)
    return tuple(
        Dots(places[shade == n, 0], places[shade == n, 1], role, radius)
        for n, role in enumerate(DENSITIES)
        if (shade == n).any()
    )


def _colours(axis: Axis, box: PaperArea) -> Panel:
    """Return the scale of the colours as a bar with numbers."""
    low, high = axis.scale.forward([axis.low, axis.high])
    edges = axis.scale.inverse(np.linspace(low, high, len(DENSITIES) + 1))
    # A number at the right end would run into the next map's.
    ticks = [tick for tick in axis.ticks if float(axis.fractions(tick[0])) < _LAST]
    axis = replace(axis, ticks=tuple(ticks if len(ticks) > 1 else axis.ticks))
    none, one = np.zeros(1), np.ones(1)
    marks = tuple(
        Rectangles(edges[n : n + 1], none, edges[n + 1 : n + 2], one, role)
        for n, role in enumerate(DENSITIES)
    )
    return Panel(box, axis, Axis("", Scale.LINEAR, 0.0, 1.0, ()), marks, grid="", frame="x")


UMAP_QC = Figure("umap_qc", TITLE, reading, needs_embedding, layout)
