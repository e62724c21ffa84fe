"""Genes, counts and mitochondrial share in each cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dpss.figures.base import DrawnFigure, noun
from dpss.figures.elements.axes import span_of
from dpss.figures.elements.cell_maps import colour_of, needs_embedding
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.paper import HEADER, MARGIN, MEDIUM, SMALL, WIDTH, paper, place, set_axis

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

    from dpss.stats.histogram import Distribution
    from dpss.summary.embedding import Embedding
    from dpss.summary.record import Summary

TITLE = "Quality of the clusters"
_ROW = 0.24
_GAP = 0.25
_MOST = 40


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    return (
        "Each row is a cluster: the line spans 90 % of its cells, the bar the middle half, the "
        "dot is the median; the dashed line is the median of all cells. Clusters far to the left "
        "in genes and counts, or far to the right in the mitochondrial share, can be damaged "
        "cells; far to the right in genes and counts, two cells in one droplet."
    )


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw one panel per measure."""
    found: Embedding = summary.embedding  # type: ignore[assignment]  # the figure's need
    clusters = found.clusters[:_MOST]
    panels: list[tuple[str, list[Distribution], Distribution, bool]] = [
        (
            "Genes per cell",
            [c.n_genes_by_counts for c in clusters],
            summary.n_genes_by_counts,
            True,
        ),
        (
            f"Total {noun(summary)}",
            [c.total_counts for c in clusters],
            summary.counts_per_cell,
            True,
        ),
    ]
    shares = [c.pct_counts_mt for c in clusters if c.pct_counts_mt is not None]
    if summary.pct_counts_mt is not None and len(shares) == len(clusters):
        panels.append(("% in mitochondrial genes", shares, summary.pct_counts_mt, False))
    fig = paper(summary, TITLE, HEADER + 0.35 + len(clusters) * _ROW + 0.5)
    room = WIDTH - 2 * MARGIN - 0.4
    wide = (room - _GAP * (len(panels) - 1)) / len(panels)
    for n, (heading, distributions, whole, log) in enumerate(panels):
        left = MARGIN + 0.4 + n * (wide + _GAP)
        ax = place(fig, left, 0.5, WIDTH - left - wide, HEADER + 0.35)
        ax.set_title(heading, loc="left", size=MEDIUM, weight="bold", pad=7)
        _rows(ax, distributions, whole, log=log)
        if n == 0:
            ax.set_yticks(range(len(clusters)), labels=[str(k) for k in range(len(clusters))])
            ax.set_ylabel("cluster")
        else:
            ax.set_yticks([])
        ax.tick_params(axis="y", length=0, labelsize=SMALL)
    return fig


def _rows(ax: Axes, distributions: list[Distribution], whole: Distribution, *, log: bool) -> None:
    ends = np.array([[d.quantile(q) for q in (0.05, 0.25, 0.5, 0.75, 0.95)] for d in distributions])
    floor = max(float(ends[ends > 0].min(initial=1.0)), 0.5) if log else 0.0
    ends = np.maximum(ends, floor)
    low, high = span_of(float(ends.min()), float(ends.max()), log=log)
    set_axis(ax, "x", (low if log else 0.0, high), log=log, n=5)
    rows = np.arange(len(ends))
    colours = [colour_of(k) for k in range(len(ends))]
    ax.hlines(rows, ends[:, 0], ends[:, 4], color=colours, lw=1.2, zorder=2)
    ax.hlines(rows, ends[:, 1], ends[:, 3], color=colours, lw=6, zorder=3)
    ax.scatter(
        ends[:, 2], rows, s=24, color=LIGHT.background, edgecolor=LIGHT.ink, linewidth=1.1, zorder=4
    )
    median = whole.median
    if low <= median <= high:
        ax.axvline(median, color=LIGHT.orange, lw=1.0, ls=(0, (4, 3)), zorder=1.5)
    ax.set_ylim(len(ends) - 0.5, -0.5)
    ax.spines["left"].set_visible(False)


CLUSTER_QC = DrawnFigure("cluster_qc", TITLE, reading, needs_embedding, drawing)
