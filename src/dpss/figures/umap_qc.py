"""The kept cells on the same map, by the measures of their quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.base import DrawnFigure, noun
from dpss.figures.elements.axes import linear_ticks, log_ticks, tick_text
from dpss.figures.elements.cell_maps import dot_size, needs_embedding, prepare_map
from dpss.figures.elements.paper import (
    HEADER,
    MARGIN,
    MEDIUM,
    SMALL,
    WIDTH,
    paper,
    place,
    sequential,
)

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.embedding import Embedding
    from dpss.summary.record import Summary

TITLE = "Quality of the cells on the map"
_GAP = 0.22
_BAR = 0.09


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    text = (
        "The map of the clusters again: each dot has the mean of the cells that lie there. A "
        "region of few genes and counts"
    )
    if summary.pct_counts_mt is None:
        return text + " can be damaged cells or empty droplets."
    return text + " and a large mitochondrial share can be damaged cells or empty droplets."


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw one map per measure."""
    found: Embedding = summary.embedding  # type: ignore[assignment]  # the figure's need
    panels = [("Genes detected", 0, True), (f"Total {noun(summary)}", 1, True)]
    if summary.pct_counts_mt is not None:
        panels.append(("% in mitochondrial genes", 2, False))
    bins = np.unique(found.map.bins)
    x, y = found.map.frame.middles(bins).T
    side = (WIDTH - 2 * MARGIN - _GAP * (len(panels) - 1)) / len(panels)
    fig = paper(summary, TITLE, HEADER + 0.3 + side + 0.75)
    for n, (heading, column, log) in enumerate(panels):
        left = MARGIN + n * (side + _GAP)
        ax = place(fig, left, 0.75, WIDTH - left - side, HEADER + 0.3)
        prepare_map(ax, found.map)
        ax.set_title(heading, loc="left", size=MEDIUM, weight="bold", pad=6)
        means = found.map_means[bins, column]
        low, high, scale = _scale_of(means, log=log)
        order = np.argsort(means, kind="stable")
        ax.scatter(
            x[order], y[order], s=dot_size(len(bins), side), c=scale(means[order]),
            cmap=sequential(), vmin=0, vmax=1, linewidths=0, rasterized=True,
        )  # fmt: skip
        bar = place(fig, left, 0.5, WIDTH - left - side, HEADER + 0.3 + side + 0.25 - _BAR)
        bar.imshow(
            np.linspace(0, 1, 256)[None], aspect="auto", extent=(0, 1, 0, 1), cmap=sequential(),
            vmin=0, vmax=1,
        )  # fmt: skip
        ticks = log_ticks(low, high, 5) if log else linear_ticks(low, high, 4)
        bar.set_xticks(scale(ticks), labels=[tick_text(float(tick)) for tick in ticks], size=SMALL)
        bar.set_yticks([])
        bar.set_xlim(0, 1)
        for spine in bar.spines.values():
            spine.set_visible(False)
    return fig


class _Scale:
    """Maps values to 0 to 1."""

    def __init__(self, low: float, high: float, *, log: bool) -> None:
        self._change = np.log10 if log else np.asarray
        self._low, self._high = float(self._change(low)), float(self._change(high))

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):
            changed = self._change(values)
        return np.clip((changed - self._low) / (self._high - self._low), 0, 1)


def _scale_of(means: NDArray[np.float64], *, log: bool) -> tuple[float, float, _Scale]:
    """Return the ends of a colour scale, which leave out the most extreme values, and the scale."""
    low, high = (float(q) for q in np.quantile(means, (0.01, 0.99)))
    if log:
        low = max(low, 1.0)
        high = max(high, low * 1.5)
    else:
        low, high = 0.0, max(high, 0.1)
    return low, high, _Scale(low, high, log=log)


UMAP_QC = DrawnFigure("umap_qc", TITLE, reading, needs_embedding, drawing)
