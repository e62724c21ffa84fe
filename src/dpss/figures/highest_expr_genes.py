"""Figure of box plots of the genes with the largest mean part of a cell's counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.errors import plural
from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.axes import make_axis
from dpss.figures.elements.gene_rows import default_edges, gene_rows, not_found
from dpss.figures.elements.layout import MEDIUM, NOTE_LINE, add_note, foot_of, heading
from dpss.figures.elements.marks import Dots, Page, Panel, Rectangles, Segments
from dpss.figures.elements.specification import SQUEEZED, Axis, Scale, shortest_span
from dpss.stats.boxes import Box
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Genes with the highest expression"
_HALF = 0.31
"""Half a box's height, in rows."""


def reading(summary: Summary) -> str:
    """Return the caption: it explains boxes, whiskers, dots and percentages."""
    which = summary.top_highest_expr()
    n = int(np.count_nonzero(summary.genes.n_cells_by_counts[which]))
    genes = "gene" if n == 1 else plural(n, "gene")
    return (
        f"The {genes} with the highest mean share of a cell's {noun(summary)}, best "
        f"first.{not_found(len(which) - n)} Each box spans the middle half of the "
        "cells and its line is the median; the whiskers reach the farthest cells within 1.5 times "
        "the box's width, dots are cells beyond, and the diamond is the mean, also given at the "
        "right; the number of dots beyond the axis stands below it. "
        "A few genes with a large share of all counts, often mitochondrial or ribosomal ones, "
        "can hint at stressed or damaged cells."
    )


def layout(summary: Summary, width: float) -> Page:
    """Lay out one box per gene."""
    which, boxes = summary.top_highest_expr(), summary.highest_expr_boxes
    means = summary.genes.mean_pct_of_cell_counts[which]
    head = heading(summary, TITLE, width)
    left, right = default_edges(width)
    columns = [("mean", [percent(float(mean)) for mean in means])]
    rows = gene_rows(summary, which, columns, left, head.bottom, right)
    dots = np.concatenate([box.outliers for box in boxes])
    x = _axis(f"% of a cell's {noun(summary)}", boxes, means, dots)
    rows_of_dots = np.repeat(np.arange(len(boxes)), [len(box.outliers) for box in boxes])
    near = dots <= x.high
    at = np.flatnonzero(rows.found).astype(np.float64)
    low, q1, median, q3, high = (
        np.array([getattr(boxes[row], name) for row in at.astype(np.int64)])
        for name in ("whisker_low", "q1", "median", "q3", "whisker_high")
    )
    marks = (
        Dots(dots[near], at[rows_of_dots[near]], "blue", 1.2, 0.45),
        Segments(low, at, high, at, "blue", 1.1),
        Rectangles(q1, at + _HALF, q3, at - _HALF, "blue_soft", rim="blue"),
        Segments(median, at - _HALF, median, at + _HALF, "blue", 2.0),
        Dots(means[rows.found], at, "orange", 2.1, rim="background", diamond=True),
    )
    panel = Panel(rows.box, x, rows.y, marks, grid="x", frame="x", name_size=MEDIUM)
    said = "" if near.all() else f"{plural(int((~near).sum()), 'dot')} beyond the axis."
    notes, height = add_note(width, foot_of(x.title, rows.box) + 1.0, said, NOTE_LINE)
    return Page(TITLE, width, height, (panel,), (*head.texts, *rows.texts, *notes))


def _axis(
    title: str,
    boxes: tuple[Box, ...],
    means: NDArray[np.float64],
    dots: NDArray[np.float64],
) -> Axis:
    """Return an axis on which the boxes can be told apart.

    A linear one that shows all dots; if that squeezes the boxes, a square-root scale; if that
    does, too, one that ends with the whiskers; then an inverse hyperbolic sine, for one gene with
    half of all counts. The first that squeezes nothing, or the best.
    """
    middles = np.ravel([[box.q1, box.median, box.q3] for box in boxes])
    whiskers = max(float(means.max()), *(box.whisker_high for box in boxes))
    all_dots = max(float(dots.max(initial=0)), whiskers)
    found: list[tuple[float, Axis]] = []
    for end, scale in (
        (all_dots, Scale.LINEAR),
        (all_dots, Scale.ROOT),
        (whiskers, Scale.ROOT),
        (all_dots, Scale.ASINH),
    ):
        axis = make_axis(title, 0, min(end * 1.03, 100.5), scale, n=5)
        found.append((shortest_span(axis, middles), axis))
        if found[-1][0] >= SQUEEZED:
            return axis
    return max(found, key=lambda one: one[0])[1]


HIGHEST_EXPR_GENES = Figure("highest_expr_genes", TITLE, reading, needs_counts, layout)
