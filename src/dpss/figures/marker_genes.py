"""Markers of each cluster and their expression in all clusters: a dot plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.base import Figure
from dpss.figures.elements.cell_maps import colour_of, embedding_of, needs_embedding
from dpss.figures.elements.layout import GAP, LINE, MARGIN, SMALL, heading, is_narrow
from dpss.figures.elements.marks import Dots, Mark, Page, Panel, PaperArea, Segments, Text
from dpss.figures.elements.palette import DENSITIES
from dpss.figures.elements.specification import Axis, Scale
from dpss.figures.elements.text import elide, width

if TYPE_CHECKING:
    from dpss.summary.embedding import Embedding, Expression
    from dpss.summary.record import Summary

TITLE = "Marker genes of the clusters"
_MOST_ROWS = 72
"""Genes that are drawn: five per cluster, or fewer where clusters are many."""
_MOST_IN_TWO = 18
"""Clusters up to which wide paper has two blocks side by side."""
_ROW = 12.0
_NAME = 84.0
"""Width of the longest name."""
_BAR = 9.0
"""Room for the bar of a cluster."""
_BETWEEN = 18.0
_LARGEST = 5.2
"""Radius of a dot for all cells, in points, where there is room."""
_SIZES = (10, 25, 50, 100)
"""Percentages of cells that have a size of their own; the next above counts."""


def needs(summary: Summary) -> str | None:
    """Say why there are no markers."""
    reason = needs_embedding(summary)
    if reason is None and summary.embedding is not None and not summary.embedding.markers:
        return "no gene marks a cluster"
    return reason


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    return (
        "Each row is a gene, each column a cluster. A dot is as large as there are many cells of "
        "the cluster with the gene, and as dark as its mean expression, from the gene's lowest to "
        "its highest mean. The bars at the names tell which cluster a gene is a marker of: the "
        "best by the rank-sum test against all other cells, found in more cells inside than "
        "outside."
    )


def shown_genes(found: Embedding) -> NDArray[np.int64]:
    """Return the genes that are drawn: the same number for each cluster, as many as fit."""
    clusters = found.expression.clusters
    per_cluster = max(1, min(5, _MOST_ROWS // len(found.clusters)))
    first = np.searchsorted(clusters, clusters)
    return np.flatnonzero(np.arange(len(clusters)) - first < per_cluster)


def layout(summary: Summary, paper: float) -> Page:
    """Lay out the genes in one block or, on wide paper, in two side by side."""
    found = embedding_of(summary)
    shown, n_clusters = shown_genes(found), len(found.clusters)
    head = heading(summary, TITLE, paper)
    n_blocks = 1 if is_narrow(paper) or n_clusters > _MOST_IN_TWO else 2
    wide = (paper - 2 * MARGIN - _BETWEEN * (n_blocks - 1)) / n_blocks
    names = [elide(name, _NAME, SMALL) for name in summary.gene_labels(found.expression.genes)]
    room = _BAR + max(width(names[gene], SMALL) for gene in shown) + GAP
    largest = min(_LARGEST, 0.5 * _ROW, 0.53 * (wide - room) / n_clusters)
    key, top = _legend(head.bottom, largest, paper)
    panels, texts = [key[0]], [*head.texts, *key[1]]
    for n, genes in enumerate(_blocks(found.expression.clusters[shown], n_blocks)):
        left = MARGIN + n * (wide + _BETWEEN)
        box = PaperArea(left + room, top + LINE, wide - room, len(genes) * _ROW)
        panel, named = _block(found, shown[genes], names, box, left, largest)
        panels.append(panel)
        texts += named
    height = max(panel.box.bottom for panel in panels) + 14.0
    return Page(TITLE, paper, height, tuple(panels), tuple(texts))


def _blocks(clusters: NDArray[np.int64], n_blocks: int) -> list[NDArray[np.int64]]:
    """Cut rows into blocks of about the same length, without parting a cluster's genes."""
    if n_blocks == 1:
        return [np.arange(len(clusters))]
    starts = np.flatnonzero(np.diff(clusters, prepend=-1))
    half = int(starts[np.argmin(np.abs(starts - len(clusters) / 2))])
    return [np.arange(half), np.arange(half, len(clusters))] if half else [np.arange(len(clusters))]


def _block(
    found: Embedding,
    genes: NDArray[np.int64],
    labels: list[str],
    box: PaperArea,
    left: float,
    largest: float,
) -> tuple[Panel, list[Text]]:
    """Return rows of genes, with the clusters' bars at ``left``, and the numbers above."""
    table, n_clusters, n_rows = found.expression, len(found.clusters), len(genes)
    names = tuple((float(row), labels[gene]) for row, gene in enumerate(genes))
    x = Axis("", Scale.LINEAR, -0.5, n_clusters - 0.5, ())
    y = Axis("", Scale.LINEAR, n_rows - 0.5, -0.5, names)
    texts: list[Text] = []
    marks: list[Mark] = []
    column = box.width / n_clusters
    # Numbers of columns that are narrower than their numbers: every second, every third.
    each = int(np.ceil((width(str(n_clusters - 1), SMALL) + 2.0) / column))
    for k in range(0, n_clusters, each):
        middle = box.left + (k + 0.5) * column
        texts.append(Text(middle, box.top - 4.0, str(k), SMALL, anchor="middle"))
    of = table.clusters[genes]
    for cluster in np.unique(of).tolist():
        rows = np.flatnonzero(of == cluster)
        at = np.array([(left - box.left + 2.0) / box.width * n_clusters - 0.5])
        ends = np.array([rows[0] - 0.36]), np.array([rows[-1] + 0.36])
        marks.append(Segments(at, ends[0], at, ends[1], colour_of(cluster), 3.0))
    marks += _dots(table, genes, largest)
    return Panel(box, x, y, tuple(marks), "y", "", SMALL), texts


def _dots(table: Expression, genes: NDArray[np.int64], largest: float) -> list[Dots]:
    """Return one dot for each gene and cluster, by size and colour; none where no cell has it."""
    means, percents = table.means[:, genes].T, table.percents[:, genes].T
    low = means.min(axis=1, keepdims=True)
    spread = np.ptp(means, axis=1, keepdims=True)
    scaled = (means - low) / np.where(spread > 0, spread, 1)
    shade = np.minimum(scaled * len(DENSITIES), len(DENSITIES) - 1).astype(np.int64)
    size = np.searchsorted(_SIZES, np.minimum(percents, 100.0))
    dots = []
    for s, share in enumerate(_SIZES):
        for n, role in enumerate(DENSITIES):
            rows, columns = np.nonzero((size == s) & (shade == n) & (percents > 0))
            if len(rows):
                radius = largest * float(np.sqrt(share / 100))
                dots.append(Dots(columns.astype(float), rows.astype(float), role, radius))
    return dots


def _legend(top: float, largest: float, paper: float) -> tuple[tuple[Panel, list[Text]], float]:
    """Return sizes and colours with their meaning, and where the rest may begin."""
    texts: list[Text] = []
    marks: list[Mark] = []
    x, y = MARGIN, top + SMALL
    deep = y

    def dot(role: str, share: float) -> None:
        at = np.array([x]), np.array([deep - SMALL * 0.36])
        marks.append(Dots(*at, role, largest * float(np.sqrt(share / 100))))

    texts.append(Text(x, deep, "cells with the gene, up to", SMALL))
    if is_narrow(paper):
        deep, x = deep + LINE, x + 6.0
    else:
        x += width(texts[-1].text, SMALL) + 10.0
    for share in _SIZES:
        dot("grey", share)
        texts.append(Text(x + largest + 2.5, deep, f"{share} %", SMALL))
        x += largest + 2.5 + width(f"{share} %", SMALL) + 10.0
    if is_narrow(paper):
        deep, x = deep + LINE + 2.0, MARGIN
    else:
        x += 8.0
    texts.append(Text(x, deep, "mean", SMALL))
    x += width("mean", SMALL) + 9.0
    for role in DENSITIES:
        dot(role, 75)
        x += 2 * largest + 1.5
    texts.append(Text(x, deep, "low to high", SMALL))
    box = PaperArea(0.0, 0.0, paper, deep + 6.0)
    axes = Axis("", Scale.LINEAR, 0.0, paper, ()), Axis("", Scale.LINEAR, box.height, 0.0, ())
    return (Panel(box, *axes, tuple(marks), "", ""), texts), deep + 12.0


MARKER_GENES = Figure("marker_genes", TITLE, reading, needs, layout)
