"""Figure of the components' variance, and of the cells on the first two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dpss.errors import plural
from dpss.figures.base import Figure
from dpss.figures.elements.axes import make_axis
from dpss.figures.elements.cell_maps import (
    embedding_of,
    needs_embedding,
    numbered_map,
)
from dpss.figures.elements.layout import MARGIN, MEDIUM, foot_of, heading, is_narrow, left_of
from dpss.figures.elements.marks import Curve, Dots, Page, Panel, PaperArea, Text
from dpss.figures.elements.specification import Scale
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    from dpss.summary.embedding import Embedding
    from dpss.summary.record import Summary

TITLE = "Principal components"
_BETWEEN = 34.0


def reading(summary: Summary) -> str:
    """Return the caption: it explains the curve and the map."""
    if summary.embedding is None:
        return "How much of the variance each principal component explains."
    found = summary.embedding
    return (
        f"The curve is the percentage of the variance of "
        f"{plural(found.n_variable_genes, 'variable gene')} "
        "(log1p of the counts per 10,000) that each principal component explains; the components "
        f"together explain {percent(float(found.explained.sum()))}. Where the curve becomes flat, "
        "what follows is mostly noise. The map has the cells on the first two components, in the "
        "colours of their clusters."
    )


def layout(summary: Summary, width: float) -> Page:
    """Lay out the curve and, beside or below it, the map."""
    found = embedding_of(summary)
    head = heading(summary, TITLE, width)
    narrow = is_narrow(width)
    top = head.bottom + 8.0
    room = width - 2 * MARGIN
    side = room - 14.0 if narrow else (room - _BETWEEN) / 2 - 6.0
    right = width - MARGIN
    curve = _curve(found, top, right if narrow else MARGIN + room - side - _BETWEEN, side)
    start = foot_of(curve.x.title, curve.box) + 8.0 if narrow else top
    box = PaperArea(right - side, start, side, side)
    named = [str(k) for k in range(len(found.clusters))]
    panel, labels = numbered_map(found.components, box, named)
    first, second = (percent(float(share)) for share in found.explained[:2])
    middle = (box.left + box.right) / 2
    texts = (
        *head.texts,
        *labels,
        Text(middle, box.bottom + 16.0, f"component 1 ({first})", MEDIUM, anchor="middle"),
        Text(
            box.left - 7.0,
            (box.top + box.bottom) / 2,
            f"component 2 ({second})",
            MEDIUM,
            anchor="middle",
            upward=True,
        ),
    )
    height = max(box.bottom + 28.0, foot_of(curve.x.title, curve.box))
    return Page(TITLE, width, height, (curve, panel), texts)


def _curve(found: Embedding, top: float, right: float, tall: float) -> Panel:
    explained = found.explained
    ranks = np.arange(1.0, len(explained) + 1)
    x = make_axis("principal component", 0, len(explained) + 1, whole=True)
    some = explained[explained > 0]
    low, high = float(some.min(initial=100.0)), float(some.max(initial=1e-3))
    y = make_axis("% of the variance", min(low, high) / 1.4, high * 1.4, Scale.LOG, n=7)
    left = left_of([label for _, label in y.ticks])
    box = PaperArea(left, top, right - left, tall)
    marks = (
        Curve(ranks[explained > 0], some, "blue", 1.2),
        Dots(ranks[explained > 0], some, "blue", 1.8),
    )
    return Panel(box, x, y, marks)


PCA_VARIANCE = Figure("pca_variance", TITLE, reading, needs_embedding, layout)
