"""Figure of cells by their counts and the part of these in mitochondrial genes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.density_scatter import CellPlot, cell_plot, describe_marks, lay_out_cells
from dpss.figures.elements.limits import limits_of
from dpss.figures.elements.marks import Page
from dpss.figures.elements.plotted_measures import PlottedMeasure, counts_measure
from dpss.figures.elements.specification import Scale
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Mitochondrial share by counts per cell"


def needs(summary: Summary) -> str | None:
    """Return the reason why there is no figure: no mitochondrial gene is known."""
    if summary.mt_vs_counts is None or summary.pct_counts_mt is None:
        return "the matrix has no mitochondrial genes"
    return needs_counts(summary)


def reading(summary: Summary) -> str:
    """Return the caption: it explains the marks and lines."""
    return (
        f"Cells by their total {noun(summary)} (x, logarithmic) and the percentage of them in "
        f"mitochondrial genes (y, on a square-root scale, which has room for the many "
        "cells with a low share; it ends before a few extreme ones, whose number is given). "
        f"{describe_marks(summary)} "
        "Cells with few counts and a high mitochondrial share, at the upper left, are often "
        "damaged."
    )


def mt_vs_counts(summary: Summary) -> CellPlot:
    """Return the plot as data.

    Raises:
        ValueError: The matrix has no mitochondrial genes.
    """
    if summary.mt_vs_counts is None or summary.pct_counts_mt is None:
        raise ValueError("the matrix has no mitochondrial genes")
    share = PlottedMeasure(
        f"% of {noun(summary)} in mitochondrial genes",
        "",
        summary.pct_counts_mt,
        percent,
        Scale.ROOT,
        limits_of(summary, "pct_counts_mt", "at most"),
    )
    return cell_plot(summary.mt_vs_counts, counts_measure(summary, noun(summary)), share)


def layout(summary: Summary, width: float) -> Page:
    """Lay the figure out."""
    return lay_out_cells(summary, TITLE, mt_vs_counts(summary), width)


SCATTER_MITO_VS_COUNT = Figure("scatter_percentMitoGenes_vs_count", TITLE, reading, needs, layout)
