"""Figure of each cluster's markers in all clusters: a dot plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.figures.base import Figure
from dpss.figures.elements.cell_maps import embedding_of, needs_embedding
from dpss.figures.elements.dot_plot import dot_plot
from dpss.figures.elements.layout import heading
from dpss.figures.elements.marks import Page

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Marker genes of the clusters"


def needs(summary: Summary) -> str | None:
    """Return the reason why there are no markers; ``None`` if there are."""
    reason = needs_embedding(summary)
    if reason is None and summary.embedding is not None and not summary.embedding.markers:
        return "no gene marks a cluster"
    return reason


def reading(summary: Summary) -> str:
    """Return the caption: it explains sizes and colours of the dots."""
    return (
        "Each row is a gene, each column a cluster. A dot is as large as there are many cells of "
        "the cluster with the gene, and as dark as its mean expression, from the gene's lowest to "
        "its highest mean. The bars at the names tell which cluster a gene is a marker of: the "
        "best by the rank-sum test against all other cells, found in more cells inside than "
        "outside."
    )


def layout(summary: Summary, paper: float) -> Page:
    """Lay out the genes in one block or, on wide paper, in two side by side."""
    found = embedding_of(summary)
    head = heading(summary, TITLE, paper)
    columns = [str(k) for k in range(len(found.clusters))]
    genes = summary.gene_labels(found.expression.genes)
    dots = dot_plot(found.expression, genes, columns, head.bottom, paper)
    texts = (*head.texts, *dots.texts)
    return Page(TITLE, paper, dots.bottom + 14.0, dots.panels, texts)


MARKER_GENES = Figure("marker_genes", TITLE, reading, needs, layout)
