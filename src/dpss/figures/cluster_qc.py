"""Genes, counts and mitochondrial share in each cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dpss.figures.base import Figure, noun
from dpss.figures.elements.axes import make_axis, span_of
from dpss.figures.elements.cell_maps import colour_of, embedding_of, needs_embedding
from dpss.figures.elements.layout import (
    LINE,
    MARGIN,
    MEDIUM,
    SMALL,
    foot_of,
    heading,
    is_narrow,
    note,
)
from dpss.figures.elements.marks import Dots, Mark, Page, Panel, PaperArea, Segments, Text
from dpss.figures.elements.specification import Axis, Scale
from dpss.summary.numerals import plural

if TYPE_CHECKING:
    from dpss.stats.histogram import Distribution
    from dpss.summary.record import Summary

TITLE = "Quality of the clusters"
_ROW = 15.0
_BETWEEN = 16.0
_LEFT = 38.0
_MOST = 40
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class _ClusterRow:
    """One panel."""

    heading: str
    clusters: list[Distribution]
    whole: Distribution
    scale: Scale


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    return (
        "Each row is a cluster: the line spans 90 % of its cells, the bar the middle half, the "
        "dot is the median; the dashed line is the median of all cells. Clusters far to the left "
        "in genes and counts, or far to the right in the mitochondrial share, can be damaged "
        "cells; far to the right in genes and counts, two cells in one droplet."
    )


def _measures(summary: Summary) -> list[_ClusterRow]:
    clusters = embedding_of(summary).clusters[:_MOST]
    genes, counts = summary.n_genes_by_counts, summary.counts_per_cell
    found = [
        _ClusterRow("Genes per cell", [c.n_genes_by_counts for c in clusters], genes, Scale.LOG),
        _ClusterRow(
            f"Total {noun(summary)}", [c.total_counts for c in clusters], counts, Scale.LOG
        ),
    ]
    shares = [c.pct_counts_mt for c in clusters if c.pct_counts_mt is not None]
    if summary.pct_counts_mt is not None and len(shares) == len(clusters):
        share = "Mitochondrial share, %"
        found.append(_ClusterRow(share, shares, summary.pct_counts_mt, Scale.LINEAR))
    return found


def layout(summary: Summary, width: float) -> Page:
    """Lay out one panel per measure, side by side or, on narrow paper, one below the other."""
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
        panels.append(_panel(measure, box, named=named))
        if named:
            middle = top + tall / 2
            texts.append(Text(17.0, middle, "cluster", SMALL, anchor="middle", upward=True))
    height = max(foot_of(panel.x.title or " ", panel.box) for panel in panels)
    n_more = len(embedding_of(summary).clusters) - n_rows
    if n_more > 0:
        height += LINE
        what = plural(n_more, "smaller cluster")
        texts += note(width, height, f"{what} {'is' if n_more == 1 else 'are'} in clusters.csv.")
    return Page(TITLE, width, height, tuple(panels), tuple(texts))


def _panel(measure: _ClusterRow, box: PaperArea, *, named: bool) -> Panel:
    log = measure.scale is Scale.LOG
    ends = np.array([[d.quantile(q) for q in _QUANTILES] for d in measure.clusters])
    floor = max(float(ends[ends > 0].min(initial=1.0)), 0.5) if log else 0.0
    ends = np.maximum(ends, floor)
    low, high = span_of(float(ends.min()), float(ends.max()), log=log)
    x = make_axis("", low if log else 0.0, high, measure.scale, n=5 if log else 4)
    x = replace(x, title="log scale" if log else "")
    rows = np.arange(len(ends), dtype=np.float64)
    names = tuple((float(k), str(k)) for k in range(len(ends))) if named else ()
    y = Axis("", Scale.LINEAR, len(ends) - 0.5, -0.5, names)
    marks: list[Mark] = []
    median = measure.whole.median
    if low <= median <= high:
        at = np.array([median])
        marks.append(
            Segments(at, np.array([y.low]), at, np.array([y.high]), "orange", 1.0, dashed=True)
        )
    for k, (start, q1, _, q3, end) in enumerate(ends):
        row, colour = np.array([float(k)]), colour_of(k)
        marks.append(Segments(np.array([start]), row, np.array([end]), row, colour, 1.2))
        marks.append(Segments(np.array([q1]), row, np.array([q3]), row, colour, 5.5))
    marks.append(Dots(ends[:, 2], rows, "background", 2.4, rim="ink", rim_width=1.1))
    return Panel(box, x, y, tuple(marks), grid="x", frame="x", name_size=SMALL)


CLUSTER_QC = Figure("cluster_qc", TITLE, reading, needs_embedding, layout)
