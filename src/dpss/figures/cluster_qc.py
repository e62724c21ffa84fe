"""Figure of genes, counts and mitochondrial share in each cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dpss.errors import plural
from dpss.figures.base import Figure, noun
from dpss.figures.elements.cell_maps import colour_of, embedding_of, needs_embedding
from dpss.figures.elements.layout import (
    MARGIN,
    MEDIUM,
    SMALL,
    add_note,
    foot_of,
    heading,
    is_narrow,
)
from dpss.figures.elements.marks import Page, PaperArea, Text
from dpss.figures.elements.specification import Scale
from dpss.figures.elements.spreads import spread_panel

if TYPE_CHECKING:
    from dpss.stats.histogram import Distribution
    from dpss.summary.record import Summary

TITLE = "Quality of the clusters"
_ROW = 15.0
_BETWEEN = 16.0
_LEFT = 38.0
_MAX_CLUSTERS = 40


@dataclass(frozen=True)
class _ClusterMeasure:
    """The measure of one panel."""

    heading: str
    clusters: list[Distribution]
    whole: Distribution
    scale: Scale


def reading(summary: Summary) -> str:
    """Return the caption: it explains boxes, whiskers, medians and limits."""
    return (
        "Each row is a cluster: the line spans 90 % of its cells, the bar the middle half, the "
        "dot is the median; the dashed line is the median of all cells. Clusters far to the left "
        "in genes and counts, or far to the right in the mitochondrial share, can be damaged "
        "cells; far to the right in genes and counts, two cells in one droplet."
    )


def _measures(summary: Summary) -> list[_ClusterMeasure]:
    clusters = embedding_of(summary).clusters[:_MAX_CLUSTERS]
    genes, counts = summary.n_genes_by_counts, summary.counts_per_cell
    found = [
        _ClusterMeasure(
            "Genes per cell", [c.n_genes_by_counts for c in clusters], genes, Scale.LOG
        ),
        _ClusterMeasure(
            f"Total {noun(summary)}", [c.total_counts for c in clusters], counts, Scale.LOG
        ),
    ]
    shares = [c.pct_counts_mt for c in clusters if c.pct_counts_mt is not None]
    if summary.pct_counts_mt is not None and len(shares) == len(clusters):
        share = "Mitochondrial share, %"
        found.append(_ClusterMeasure(share, shares, summary.pct_counts_mt, Scale.LINEAR))
    return found


def layout(summary: Summary, width: float) -> Page:
    """Lay out a panel per measure, side by side or, on narrow paper, in a column."""
    measures = _measures(summary)
    head = heading(summary, TITLE, width)
    narrow = is_narrow(width)
    room = width - _LEFT - MARGIN
    wide = room if narrow else (room - _BETWEEN * (len(measures) - 1)) / len(measures)
    n_rows = len(measures[0].clusters)
    tall = n_rows * _ROW
    panels, texts = [], list(head.texts)
    for n, measure in enumerate(measures):
        left = _LEFT + (0 if narrow else n * (wide + _BETWEEN))
        top = head.bottom + 18.0 + (n * (tall + 66.0) if narrow else 0)
        texts.append(Text(left, top - 6.0, measure.heading, MEDIUM, "ink", bold=True))
        named = narrow or n == 0
        box = PaperArea(left, top, wide, tall)
        panels.append(
            spread_panel(
                box,
                measure.clusters,
                measure.whole,
                measure.scale,
                [colour_of(k) for k in range(n_rows)],
                names=[str(k) for k in range(n_rows)] if named else (),
            )
        )
        if named:
            middle = top + tall / 2
            texts.append(Text(17.0, middle, "cluster", SMALL, anchor="middle", upward=True))
    height = max(foot_of(panel.x.title or " ", panel.box) for panel in panels)
    n_more = len(embedding_of(summary).clusters) - n_rows
    said = f"{plural(n_more, 'smaller cluster', 'is')} in clusters.csv." if n_more > 0 else ""
    notes, height = add_note(width, height, said)
    return Page(TITLE, width, height, tuple(panels), (*texts, *notes))


CLUSTER_QC = Figure("cluster_qc", TITLE, reading, needs_embedding, layout)
