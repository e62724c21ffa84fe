"""Cells by their counts and the genes detected in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.axes import rounded
from dpss.figures.elements.density_scatter import Side, draw_density, marks

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.record import Summary

TITLE = "Genes detected by counts per cell"


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    return (
        f"Cells by their total {noun(summary)} (x) and the number of genes detected (y), both on "
        f"logarithmic axes; {marks(summary)}. Dashed lines are the medians. Most "
        "cells lie along one band; cells far below it have few genes for their counts."
    )


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw the density."""
    return draw_density(
        summary,
        TITLE,
        summary.genes_vs_counts,
        Side(f"total {noun(summary)} per cell", summary.counts_per_cell, rounded, log=True),
        Side("genes detected per cell", summary.n_genes_by_counts, rounded, log=True),
    )


SCATTER_GENES_VS_COUNTS = Figure("scatter_genes_vs_counts", TITLE, reading, needs_counts, drawing)
