"""Box plots of the genes that make up the largest part of a cell's counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.axes import percent, set_axis
from dpss.figures.elements.gene_rows import row_axes
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.style import figure_of

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.record import Summary

TITLE = "Genes with the highest expression"


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    n = len(summary.top_highest_expr())
    return (
        f"The {n} genes with the highest mean share of a cell's {noun(summary)}, best first. "
        "Each box spans the middle half of the cells and its line is the median; the whiskers "
        "reach the farthest cells within 1.5 times the box's width, dots are cells beyond, and "
        "the diamond is the mean, also given at the right. "
        "A few genes with a large share of all counts, often mitochondrial or ribosomal ones, "
        "can hint at stressed or damaged cells."
    )


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw one box per gene."""
    which, boxes = summary.top_highest_expr(), summary.highest_expr_boxes
    means = summary.genes.mean_pct_of_cell_counts[which]
    ax = row_axes(summary, TITLE, which, [("mean", [percent(mean) for mean in means])])
    rows = np.arange(len(boxes))
    dots = np.concatenate([box.outliers for box in boxes])
    end = max(dots.max(initial=0), means.max(), *(box.whisker_high for box in boxes))
    set_axis(ax, "x", (0, min(end * 1.03, 100.5)), log=False, n=6)
    ax.set_xlabel(f"% of a cell's {noun(summary)}")
    low, high = [b.whisker_low for b in boxes], [b.whisker_high for b in boxes]
    q1, q3 = np.array([b.q1 for b in boxes]), np.array([b.q3 for b in boxes])
    ax.scatter(  # An image in SVG: there can be thousands.
        dots, np.repeat(rows, [len(box.outliers) for box in boxes]), s=7, color=LIGHT.blue,
        alpha=0.22, linewidths=0, rasterized=True, zorder=2,
    )  # fmt: skip
    ax.hlines(rows, low, high, color=LIGHT.blue, lw=1.1, zorder=2.5)
    ax.barh(
        rows, q3 - q1, left=q1, height=0.62, color=LIGHT.blue_soft, edgecolor=LIGHT.blue,
        linewidth=0.9, zorder=3,
    )  # fmt: skip
    medians = [box.median for box in boxes]
    ax.vlines(medians, rows - 0.31, rows + 0.31, color=LIGHT.blue, lw=2.0, zorder=4)
    ax.scatter(
        means, rows, marker="D", s=17, color=LIGHT.orange, edgecolor=LIGHT.background,
        linewidth=0.7, zorder=5, clip_on=False,
    )  # fmt: skip
    return figure_of(ax)


HIGHEST_EXPR_GENES = Figure("highest_expr_genes", TITLE, reading, needs_counts, drawing)
