"""Markers of each cluster and their expression in all clusters: a dot plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.base import DrawnFigure
from dpss.figures.elements.cell_maps import colour_of, needs_embedding
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.paper import HEADER, MARGIN, SMALL, WIDTH, paper, place, sequential
from dpss.figures.elements.text import elide, width

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

    from dpss.summary.embedding import Embedding
    from dpss.summary.record import Summary

TITLE = "Marker genes of the clusters"
_MOST_COLUMNS = 66
_ROW = 0.24
_LABEL_POINTS = 72.0
_LARGEST = 62.0
"""Area of a dot for all cells, in square points, where there is room."""


def needs(summary: Summary) -> str | None:
    """Say why there are no markers."""
    reason = needs_embedding(summary)
    if reason is None and summary.embedding is not None and not summary.embedding.markers:
        return "no gene marks a cluster"
    return reason


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    return (
        "Each column is a gene, each row a cluster. A dot is as large as there are many cells of "
        "the cluster with the gene, and as dark as its mean expression, from the gene's lowest to "
        "its highest mean. The bars below tell which cluster a gene is a marker of: the best by "
        "the rank-sum test against all other cells, found in more cells inside than outside."
    )


def _shown(found: Embedding) -> NDArray[np.int64]:
    """Return the columns that are drawn: the same number for each cluster, as many as fit."""
    clusters = found.expression.clusters
    per_cluster = max(1, min(5, _MOST_COLUMNS // len(found.clusters)))
    first = np.searchsorted(clusters, clusters)
    return np.flatnonzero(np.arange(len(clusters)) - first < per_cluster)


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw the dots, names and bars."""
    found: Embedding = summary.embedding  # type: ignore[assignment]  # the figure's need
    columns = _shown(found)
    table = found.expression
    n_rows, n_columns = len(found.clusters), len(columns)
    names = [
        elide(name, _LABEL_POINTS, SMALL - 1) for name in summary.gene_labels(table.genes[columns])
    ]
    below = max(width(name, SMALL - 1) for name in names) / 72 + 0.3
    fig = paper(summary, TITLE, HEADER + 0.5 + n_rows * _ROW + below)
    ax = place(fig, MARGIN + 0.45, below, MARGIN, HEADER + 0.5)
    means, percents = table.means[:, columns], table.percents[:, columns]
    spread = np.ptp(means, axis=0)
    scaled = (means - means.min(axis=0)) / np.where(spread > 0, spread, 1)
    room = (WIDTH - 2 * MARGIN - 0.45) / max(n_columns, 12) * 72
    largest = min(_LARGEST, (room * 1.05) ** 2, (_ROW * 72) ** 2)
    rows, places = np.mgrid[:n_rows, :n_columns]
    ax.scatter(
        places.ravel(), rows.ravel(), s=largest * percents.ravel() / 100, c=scaled.ravel(),
        cmap=sequential(), vmin=0, vmax=1, linewidths=0, zorder=3,
    )  # fmt: skip
    ax.set_xlim(-0.7, max(n_columns, 12) - 0.3)
    ax.set_ylim(n_rows - 0.4, -0.6)
    ax.set_xticks(range(n_columns), labels=names, rotation=90, size=SMALL - 1)
    ax.set_yticks(range(n_rows), labels=[str(k) for k in range(n_rows)], size=SMALL)
    ax.tick_params(length=0)
    ax.set_ylabel("cluster")
    ax.grid(True, axis="y")
    _mark_clusters(ax, table.clusters[columns])
    _legend(fig, largest)
    return fig


def _mark_clusters(ax: Axes, clusters: NDArray[np.int64]) -> None:
    """Draw a bar in each cluster's colour below its markers."""
    for cluster in np.unique(clusters).tolist():
        places = np.flatnonzero(clusters == cluster)
        ax.plot(
            [places[0] - 0.4, places[-1] + 0.4], [0, 0], lw=3, color=colour_of(cluster),
            transform=ax.get_xaxis_transform(), clip_on=False, zorder=4,
        )  # fmt: skip


def _legend(fig: matplotlib.figure.Figure, largest: float) -> None:
    """Explain size and colour above the dots."""
    across, up = fig.get_size_inches()
    ax = place(fig, MARGIN + 0.45, up - HEADER - 0.4, MARGIN, HEADER - 0.02)
    ax.set_axis_off()
    ax.set_xlim(0, across * 72)
    ax.set_ylim(-1, 1)
    ax.annotate("cells with the gene", (0, 0), size=SMALL, color=LIGHT.muted, va="center")
    x = width("cells with the gene", SMALL) * across / (across - 2 * MARGIN - 0.45) + 12
    for share in (25, 50, 75, 100):
        ax.scatter([x], [0], s=largest * share / 100, color=LIGHT.grey, linewidths=0)
        ax.annotate(f"{share} %", (x + 10, 0), size=SMALL, color=LIGHT.muted, va="center")
        x += 48
    x += 20
    ax.annotate("mean expression", (x, 0), size=SMALL, color=LIGHT.muted, va="center")
    x += width("mean expression", SMALL) * across / (across - 2 * MARGIN - 0.45) + 10
    for k in range(5):
        ax.scatter([x + 14 * k], [0], s=44, color=sequential()(k / 4), linewidths=0)
    ax.annotate("low to high", (x + 70, 0), size=SMALL, color=LIGHT.muted, va="center")


MARKER_GENES = DrawnFigure("marker_genes", TITLE, reading, needs, drawing)
