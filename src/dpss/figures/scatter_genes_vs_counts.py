"""Figure of cells by their counts and the genes detected in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.density_scatter import CellPlot, cell_plot, describe_marks, lay_out_cells
from dpss.figures.elements.limits import limits_of
from dpss.figures.elements.marks import Page
from dpss.figures.elements.plotted_measures import PlottedMeasure, counts_measure
from dpss.figures.elements.specification import Scale
from dpss.summary.numerals import number

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Genes detected by counts per cell"


def reading(summary: Summary) -> str:
    """Return the caption: it explains the marks and lines."""
    return (
        f"Cells by their total {noun(summary)} (x) and the number of genes detected (y), both on "
        f"logarithmic axes. {describe_marks(summary)} Most "
        "cells lie along one band; cells far below it have few genes for their counts."
    )


def genes_vs_counts(summary: Summary) -> CellPlot:
    """Return the plot as data."""
    genes = PlottedMeasure(
        "genes detected per cell",
        "genes",
        summary.n_genes_by_counts,
        number,
        Scale.LOG,
        limits_of(summary, "n_genes_by_counts", "at least"),
    )
    return cell_plot(summary.genes_vs_counts, counts_measure(summary, noun(summary)), genes)


def layout(summary: Summary, width: float) -> Page:
    """Lay the figure out."""
    return lay_out_cells(summary, TITLE, genes_vs_counts(summary), width)


SCATTER_GENES_VS_COUNTS = Figure("scatter_genes_vs_counts", TITLE, reading, needs_counts, layout)
