"""The kept cells on a map, in the colours of their clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.figures.base import DrawnFigure
from dpss.figures.elements.cell_maps import (
    colour_of,
    draw_clusters,
    draw_numbers,
    needs_embedding,
    prepare_map,
)
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.paper import HEADER, MARGIN, SMALL, WIDTH, note, paper, place
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.embedding import Embedding
    from dpss.summary.record import Summary

TITLE = "Clusters of cells"
_SIDE = 5.7
_ROW = 0.2
_MOST_ROWS = 27


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    if summary.embedding is None:
        return "Cells that express the same genes lie together (UMAP)."
    found = summary.embedding
    return (
        "Cells that express the same genes lie together (UMAP); what is far apart on the map has "
        "no meaningful distance. A colour and a number are a cluster (Leiden, resolution "
        f"{found.resolution:g}), numbered by size; stronger colours are more cells. The map is "
        f"made of {found.n_sketch:,} cells by {found.n_variable_genes:,} variable genes"
        + ("; all others lie among their neighbours." if found.n_sketch < found.n_cells else ".")
    )


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw the map and a list of the clusters."""
    found: Embedding = summary.embedding  # type: ignore[assignment]  # the figure's need
    height = HEADER + _SIDE + 0.35
    fig = paper(summary, TITLE, height)
    ax = place(fig, MARGIN, 0.35, WIDTH - MARGIN - _SIDE)
    prepare_map(ax, found.map)
    draw_clusters(ax, found.map, _SIDE)
    draw_numbers(ax, found.map, len(found.clusters))
    ax.set_xlabel("UMAP 1", loc="left", labelpad=4)
    ax.set_ylabel("UMAP 2", loc="bottom", labelpad=4)
    left = (MARGIN + _SIDE + 0.28) / WIDTH
    top = 1 - (HEADER + 0.12) / height
    fig.text(left, top, "cluster", size=SMALL, color=LIGHT.muted, va="center")
    fig.text(
        1 - MARGIN / WIDTH, top, "cells", size=SMALL, color=LIGHT.muted, ha="right", va="center"
    )
    shown = found.clusters[:_MOST_ROWS]
    for k, cluster in enumerate(shown):
        y = top - (k + 1) * _ROW / height
        fig.text(left, y, "●", size=SMALL + 1, color=colour_of(k), va="center")
        fig.text(left + 0.18 / WIDTH, y, str(k), size=SMALL, va="center", weight="bold")
        share = percent(100 * cluster.n_cells / found.n_cells)
        fig.text(
            1 - MARGIN / WIDTH, y, f"{cluster.n_cells:,}  ({share})", size=SMALL, ha="right",
            va="center",
        )  # fmt: skip
    if len(shown) < len(found.clusters):
        note(fig, f"{len(found.clusters) - len(shown)} smaller clusters are in clusters.csv.")
    return fig


UMAP_CLUSTERS = DrawnFigure("umap_clusters", TITLE, reading, needs_embedding, drawing)
