"""Dots for the genes that are found in the most cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dpss.figures.base import Figure, needs_counts
from dpss.figures.elements.axes import percent, set_axis
from dpss.figures.elements.gene_rows import row_axes
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.style import figure_of, note

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.record import Summary

TITLE = "Genes found in the most cells"
WIDE = 0.8
"""From this part of the cells on, the axis does not start at zero: the rows would look alike."""


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    text = (
        f"The {len(summary.top_cell_count())} genes that are detected (count above 0) in the most "
        "cells, best first, with the number of cells and its percentage."
    )
    if _start(summary) > 0:
        text += " Mind that the axis does not start at zero, to tell the genes apart."
    return text


def _start(summary: Summary) -> float:
    """Return where the axis starts, in cells."""
    cells = summary.genes.n_cells_by_counts[summary.top_cell_count()]
    everything = summary.n_cells_kept
    fewest = int(cells.min()) if len(cells) else 0
    if fewest < WIDE * everything or fewest == everything:
        return 0.0
    return max(0.0, everything - max((everything - fewest) * 1.15, 0.01 * everything))


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw one dot per gene, with a line from the axis to it."""
    which = summary.top_cell_count()
    cells = summary.genes.n_cells_by_counts[which]
    shares = 100 * cells / summary.n_cells_kept
    start, rows = _start(summary), np.arange(len(which))
    columns = [("cells", [f"{n:,}" for n in cells]), ("of all", [percent(s) for s in shares])]
    ax = row_axes(summary, TITLE, which, columns)
    set_axis(ax, "x", (start, summary.n_cells_kept), log=False, whole=True)
    ax.set_xlabel("cells with the gene detected")
    if start > 0:  # The length of a bar would mislead.
        ax.hlines(rows, start, cells, color=LIGHT.line, lw=1, ls=(0, (1, 3)), zorder=2)
    else:
        ax.hlines(rows, start, cells, color=LIGHT.blue_soft, lw=4, zorder=2)
    ax.scatter(cells, rows, s=34, color=LIGHT.blue, linewidths=0, zorder=3, clip_on=False)
    figure = figure_of(ax)
    n_everywhere = int(np.count_nonzero(summary.genes.n_cells_by_counts == summary.n_cells_kept))
    if start > 0:
        note(figure, "The axis does not start at zero.")
    elif n_everywhere > len(which):
        note(figure, f"{n_everywhere:,} genes are found in every cell.")
    return figure


GENES_BY_CELL_COUNT = Figure("genes_by_cell_count", TITLE, reading, needs_counts, drawing)
