"""The variance of the principal components, and the cells on the first two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dpss.figures.base import DrawnFigure
from dpss.figures.elements.cell_maps import (
    draw_clusters,
    draw_numbers,
    needs_embedding,
    prepare_map,
)
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.paper import HEADER, MARGIN, MEDIUM, WIDTH, paper, place, set_axis
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.embedding import Embedding
    from dpss.summary.record import Summary

TITLE = "Principal components"
_SIDE = 3.5


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    if summary.embedding is None:
        return "How much of the variance each principal component explains."
    found = summary.embedding
    return (
        f"Left, the percentage of the variance of {found.n_variable_genes:,} variable genes "
        "(log1p of the counts per 10,000) that each principal component explains; the components "
        f"together explain {percent(float(found.explained.sum()))}. Where the curve becomes flat, "
        "what follows is mostly noise. Right, the cells on the first two components, in the "
        "colours of their clusters."
    )


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw the curve and the map."""
    found: Embedding = summary.embedding  # type: ignore[assignment]  # the figure's need
    fig = paper(summary, TITLE, HEADER + 0.3 + _SIDE + 0.6)
    explained = found.explained
    ax = place(fig, MARGIN + 0.6, 0.6, MARGIN + _SIDE + 0.6, HEADER + 0.3)
    ranks = np.arange(1, len(explained) + 1)
    set_axis(ax, "x", (0, len(explained) + 1), log=False, whole=True)
    low = float(explained.min())
    set_axis(ax, "y", (low / 1.4, float(explained.max()) * 1.4), log=True, n=7)
    ax.plot(ranks, explained, color=LIGHT.blue, lw=1.2, zorder=2)
    ax.scatter(ranks, explained, s=13, color=LIGHT.blue, linewidths=0, zorder=3)
    ax.set_xlabel("principal component")
    ax.set_ylabel("% of the variance (log scale)")
    cells = place(fig, WIDTH - MARGIN - _SIDE, 0.6, MARGIN, HEADER + 0.3)
    prepare_map(cells, found.components)
    draw_clusters(cells, found.components, _SIDE)
    draw_numbers(cells, found.components, len(found.clusters))
    first, second = (percent(float(explained[k])) for k in (0, 1))
    cells.set_xlabel(f"component 1 ({first})", size=MEDIUM)
    cells.set_ylabel(f"component 2 ({second})", size=MEDIUM)
    return fig


PCA_VARIANCE = DrawnFigure("pca_variance", TITLE, reading, needs_embedding, drawing)
