"""Figure of the kept cells on a map, in the colours of their clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.errors import plural
from dpss.figures.base import Figure
from dpss.figures.elements.cell_maps import (
    colour_of,
    embedding_of,
    needs_embedding,
    numbered_map,
)
from dpss.figures.elements.layout import MARGIN, MEDIUM, SMALL, add_note, heading, is_narrow
from dpss.figures.elements.marks import Page, PaperArea, Swatch, Text
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    from dpss.summary.embedding import Embedding
    from dpss.summary.record import Summary

TITLE = "Clusters of cells"
_LIST = 112.0
"""Width of the list of clusters, in points."""
_ROW = 14.5
_MAX_CLUSTERS = 22
"""Most clusters in the list."""


def reading(summary: Summary) -> str:
    """Return the caption: it explains the map and the colours."""
    if summary.embedding is None:
        return "Cells that express the same genes lie together (UMAP)."
    found = summary.embedding
    return (
        "Cells that express the same genes lie together (UMAP); what is far apart on the map has "
        "no meaningful distance. A colour and a number are a cluster (Leiden, resolution "
        f"{found.resolution:g}{_limit(found)}), numbered by size; stronger colours are more cells. "
        f"The map is made of {plural(found.n_sketch, 'cell')} by "
        f"{plural(found.n_variable_genes, 'variable gene')}"
        + ("; all others lie among their neighbours." if found.n_sketch < found.n_cells else ".")
    )


def _limit(found: Embedding) -> str:
    return f", at most {found.n_clusters_max} wanted" if found.n_joined else ""


def layout(summary: Summary, width: float) -> Page:
    """Lay out the map and, beside or below it, the list of the clusters."""
    found = embedding_of(summary)
    head = heading(summary, TITLE, width)
    narrow = is_narrow(width)
    side = width - 2 * MARGIN - (0.0 if narrow else _LIST + 14.0)
    box = PaperArea(MARGIN, head.bottom + 6.0, side, side)
    panel, labels = numbered_map(found.map, box, [str(k) for k in range(len(found.clusters))])
    texts = [
        *head.texts,
        *labels,
        Text(box.left, box.bottom + 12.0, "UMAP 1", SMALL),
        Text(box.left - 5.0, box.bottom, "UMAP 2", SMALL, upward=True),
    ]
    if narrow:
        listed, swatches, bottom = _list(found, MARGIN, box.bottom + 26.0, width - 2 * MARGIN)
    else:
        listed, swatches, bottom = _list(found, box.right + 14.0, box.top - 6.0, _LIST)
    n_more = len(found.clusters) - _MAX_CLUSTERS
    said = f"{plural(n_more, 'smaller cluster', 'is')} in clusters.csv." if n_more > 0 else ""
    notes, height = add_note(width, max(bottom, box.bottom + 20.0) + 6.0, said)
    return Page(TITLE, width, height, (panel,), (*texts, *notes, *listed), tuple(swatches))


def _list(
    found: Embedding, left: float, top: float, room: float
) -> tuple[list[Text], list[Swatch], float]:
    """Return a row per cluster with colour, number and size, and the list's end."""
    right = left + room
    texts = [
        Text(left, top + SMALL, "cluster", SMALL),
        Text(right, top + SMALL, "cells", SMALL, anchor="end"),
    ]
    swatches: list[Swatch] = []
    y = top + SMALL
    for k, cluster in enumerate(found.clusters[:_MAX_CLUSTERS]):
        y += _ROW
        swatches.append((left + 4.0, y - MEDIUM * 0.36, "dot", colour_of(k)))
        share = percent(100 * cluster.n_cells / found.n_cells)
        texts.append(Text(left + 12.0, y, str(k), SMALL, "ink", bold=True))
        texts.append(Text(right - 42.0, y, f"{cluster.n_cells:,}", SMALL, "ink", anchor="end"))
        texts.append(Text(right, y, share, SMALL, anchor="end"))
    return texts, swatches, y + 6.0


UMAP_CLUSTERS = Figure("umap_clusters", TITLE, reading, needs_embedding, layout)
