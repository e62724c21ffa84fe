"""Cells by their counts and the part of them in mitochondrial genes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.axes import percent, rounded
from dpss.figures.elements.density_scatter import Side, draw_density, marks

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.record import Summary

TITLE = "Mitochondrial share by counts per cell"


def needs(summary: Summary) -> str | None:
    """Say that nothing is known of mitochondrial genes."""
    if summary.mt_vs_counts is None or summary.pct_counts_mt is None:
        return "the matrix has no mitochondrial genes"
    return needs_counts(summary)


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    return (
        f"Cells by their total {noun(summary)} (x, logarithmic) and the percentage of them in "
        f"mitochondrial genes (y); {marks(summary)}. Dashed lines are the medians. "
        "Cells with few counts and a high mitochondrial share, at the upper left, are often "
        "damaged."
    )


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw the density."""
    if summary.mt_vs_counts is None or summary.pct_counts_mt is None:
        raise ValueError("the matrix has no mitochondrial genes")
    values = noun(summary)
    return draw_density(
        summary,
        TITLE,
        summary.mt_vs_counts,
        Side(f"total {values} per cell", summary.counts_per_cell, rounded, log=True),
        Side(f"% of {values} in mitochondrial genes", summary.pct_counts_mt, percent, log=False),
    )


SCATTER_MITO_VS_COUNT = Figure("scatter_percentMitoGenes_vs_count", TITLE, reading, needs, drawing)
