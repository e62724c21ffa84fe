"""Cells in the order of their counts: the barcode rank plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.axes import rounded, set_axis, span_of
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.style import HEADER, MARGIN, note, paper, place
from dpss.stats.histogram import Distribution

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.record import Summary

TITLE = "Counts per cell by rank"
_N_POINTS = 1500
_FEW = 60


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    return (
        f"The kept cells from the one with the most {noun(summary)} to the one with the fewest, "
        "both axes logarithmic (barcode rank or knee plot). The dot marks the median cell. A "
        "steep fall, the knee, separates cells from empty droplets where the matrix still has "
        "them; a matrix of called cells only ends in it."
    )


def ranked(distribution: Distribution) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ranks and values of a falling curve through the cells with counts.

    Each distinct value gives the ranks of the first and the last cell that has it; where
    these are more than can be seen, a selection evenly spread by the rank's logarithm.
    """
    some = distribution.values > 0
    values, counts = distribution.values[some][::-1], distribution.counts[some][::-1]
    last = np.cumsum(counts).astype(np.float64)
    ranks = np.column_stack([last - counts + 1, last]).ravel()
    heights = np.repeat(values, 2)
    if len(ranks) > _N_POINTS:
        wanted = np.geomspace(1, ranks[-1], _N_POINTS)
        keep = np.unique(np.searchsorted(ranks, wanted).clip(0, len(ranks) - 1))
        ranks, heights = ranks[keep], heights[keep]
    return ranks, heights


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw the curve and its median."""
    ranks, heights = ranked(summary.counts_per_cell)
    n, median = summary.n_cells_kept, summary.counts_per_cell.median
    fig = paper(summary, TITLE, 5.2)
    ax = place(fig, MARGIN + 0.72, 0.75, MARGIN + 0.2, HEADER + 0.15)
    bottom, top = span_of(float(heights[-1]), float(heights[0]), log=True, pad=0.07)
    set_axis(ax, "x", (0.9, max(n, 2) * 1.15), log=True, whole=True)
    set_axis(ax, "y", (bottom, top), log=True)
    ax.set_xlabel("cells, ranked by their counts")
    ax.set_ylabel(f"total {noun(summary)} per cell")
    ax.fill_between(ranks, heights, bottom, color=LIGHT.blue_soft, alpha=0.45, linewidth=0)
    ax.plot(ranks, heights, color=LIGHT.blue, lw=2.0, solid_joinstyle="round")
    if len(ranks) <= 2 * _FEW:
        ax.scatter(ranks, heights, s=14, color=LIGHT.blue, linewidths=0, zorder=3)
    if median > 0:
        middle = (n + 1) / 2
        style: dict[str, Any] = {"color": LIGHT.orange, "lw": 1.0, "ls": (0, (4, 3)), "zorder": 2.5}
        ax.hlines(median, 0.9, middle, **style)
        ax.vlines(middle, bottom, median, **style)
        ax.scatter(
            [middle], [median], s=46, color=LIGHT.background, edgecolor=LIGHT.orange,
            linewidth=2.0, zorder=4,
        )  # fmt: skip
        # Above the dot nothing is drawn; left of it there is room if there are some cells.
        where = ((0.9, median), (8, -13)) if n > 5 else ((middle, median), (7, 7))
        ax.annotate(
            f"median {rounded(median)}", *where, textcoords="offset points",
            color=LIGHT.orange,
        )  # fmt: skip
    n_empty = n - int(ranks[-1])
    if n_empty:
        note(fig, f"{n_empty:,} cells without counts can't be drawn on logarithmic axes.")
    return fig


KNEE = Figure("knee", TITLE, reading, needs_counts, drawing)
