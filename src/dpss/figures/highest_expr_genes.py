"""Box plots of the genes that make up the largest part of a cell's counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.axes import make_axis
from dpss.figures.elements.gene_rows import default_edges, gene_rows
from dpss.figures.elements.layout import MEDIUM, heading
from dpss.figures.elements.marks import Dots, Page, Panel, Rectangles, Segments
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Genes with the highest expression"
_HALF = 0.31
"""Half a box's height, in rows."""


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    n = len(summary.top_highest_expr())
    genes = "gene" if n == 1 else f"{n} genes"
    return (
        f"The {genes} with the highest mean share of a cell's {noun(summary)}, best first. "
        "Each box spans the middle half of the cells and its line is the median; the whiskers "
        "reach the farthest cells within 1.5 times the box's width, dots are cells beyond, and "
        "the diamond is the mean, also given at the right. "
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
    end = max(dots.max(initial=0), means.max(), *(box.whisker_high for box in boxes))
    x = make_axis(f"% of a cell's {noun(summary)}", 0, min(end * 1.03, 100.5), n=5)
    at = np.arange(len(boxes), dtype=np.float64)
    low, q1, median, q3, high = (
        np.array([getattr(box, name) for box in boxes])
        for name in ("whisker_low", "q1", "median", "q3", "whisker_high")
    )
    marks = (
        Dots(dots, np.repeat(at, [len(box.outliers) for box in boxes]), "blue", 1.2, 0.45),
        Segments(low, at, high, at, "blue", 1.1),
        Rectangles(q1, at + _HALF, q3, at - _HALF, "blue_soft", rim="blue"),
        Segments(median, at - _HALF, median, at + _HALF, "blue", 2.0),
        Dots(means, at, "orange", 2.1, rim="background", diamond=True),
    )
    panel = Panel(rows.box, x, rows.y, marks, grid="x", frame="x", name_size=MEDIUM)
    height = rows.box.bottom + 44.0
    return Page(TITLE, width, height, (panel,), (*head.texts, *rows.texts))


HIGHEST_EXPR_GENES = Figure("highest_expr_genes", TITLE, reading, needs_counts, layout)
