"""How genes, counts and mitochondrial percentage are distributed over the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.axes import percent, rounded, set_axis, span_of
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.smoothing import smooth
from dpss.figures.elements.style import LARGE, MARGIN, MEDIUM, SMALL, WIDTH, note, paper, place
from dpss.figures.elements.text import width
from dpss.stats.histogram import Distribution

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

    from dpss.summary.record import Summary

TITLE = "Genes, counts and mitochondrial share per cell"
FEW = 150
"""Up to this many cells, each is drawn as a dot."""
SKEWED = 8.0
"""From this ratio of the largest to the median value on, the axis is logarithmic."""
_GAP = 0.72


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    text = (
        "Each shape is as wide as there are many cells at that value. The white dot is the "
        "median, also written above; the thick bar spans the middle half of the cells."
    )
    if summary.n_cells_kept <= FEW:
        text += " Each small dot is a cell."
    if summary.pct_counts_mt is None:
        text += " The matrix has no mitochondrial genes, so their share is left out."
    return text


def _panels(summary: Summary) -> list[tuple[str, str, Distribution]]:
    """Return heading, axis title and numbers of each panel."""
    values = noun(summary)
    panels = [
        ("Genes per cell", "genes detected", summary.n_genes_by_counts),
        ("Counts per cell", f"total {values}", summary.counts_per_cell),
    ]
    if summary.pct_counts_mt is not None:
        share = "% in mitochondrial genes"
        panels.append(("Mitochondrial share", share, summary.pct_counts_mt))
    return panels


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw one panel per measure."""
    panels = _panels(summary)
    fig = paper(summary, TITLE, 5.2)
    wide = (WIDTH - 2 * MARGIN - _GAP * len(panels)) / len(panels)
    n_hidden = 0
    for n, (heading, unit, distribution) in enumerate(panels):
        left = MARGIN + _GAP + n * (wide + _GAP)
        ax = place(fig, left, 0.4, WIDTH - left - wide, 1.75)
        is_share = distribution is summary.pct_counts_mt
        log = not is_share and _is_skewed(distribution)
        values, counts = distribution.values, distribution.counts
        if log and values[0] == 0:
            n_hidden = max(n_hidden, int(counts[0]))
            values, counts = values[1:], counts[1:]
        median = distribution.median
        text = percent(median) if is_share else rounded(median)
        _heading(ax, heading, text)
        low, high = span_of(float(values[0]), float(values[-1]), log=log)
        set_axis(ax, "y", (max(low, -0.05 * high), high), log=log, n=6)
        ax.set_ylabel(unit + (" (log scale)" if log else ""))
        _violin(ax, values, counts, log=log)
        _quartiles(ax, distribution, float(values[0]))
    if n_hidden:
        note(fig, f"{n_hidden:,} cells without counts can't be drawn on a logarithmic axis.")
    return fig


def _is_skewed(distribution: Distribution) -> bool:
    """Tell whether most cells would be squeezed at the foot of a linear axis."""
    return bool(distribution.values[-1] > SKEWED * max(distribution.median, 1e-9))


def _heading(ax: Axes, text: str, median: str) -> None:
    """Write a panel's name and its median large above it."""
    left = -72 * _GAP
    ax.annotate(
        text, (0, 1), (left, 38), xycoords="axes fraction", textcoords="offset points",
        size=MEDIUM, weight="bold",
    )  # fmt: skip
    ax.annotate(
        median, (0, 1), (left, 17), xycoords="axes fraction", textcoords="offset points",
        size=LARGE, color=LIGHT.orange, weight="bold",
    )  # fmt: skip
    ax.annotate(
        "median", (0, 1), (left + width(median, LARGE, bold=True) + 5, 17),
        xycoords="axes fraction", textcoords="offset points", size=SMALL, color=LIGHT.muted,
    )  # fmt: skip


def _violin(ax: Axes, values: NDArray[np.float64], counts: NDArray[np.int64], *, log: bool) -> None:
    """Draw the outline, and the cells themselves where they are few."""
    grid, density = smooth(np.log10(values) if log else values, counts)
    grid = 10**grid if log else grid
    if len(grid) == 1:
        ax.hlines(grid, -0.4, 0.4, color=LIGHT.blue, lw=3)
    else:
        ax.fill_betweenx(
            grid, -density * 0.45, density * 0.45, facecolor=LIGHT.blue_soft, edgecolor=LIGHT.blue,
            linewidth=1.0, zorder=2,
        )  # fmt: skip
    n = int(counts.sum())
    if n <= FEW:
        cells = np.repeat(values, counts)
        reach = 0.36 * np.interp(cells, grid, density)
        ax.scatter(
            (_scattered(n) * 2 - 1) * reach, cells, s=11, color=LIGHT.blue, alpha=0.6,
            linewidths=0, zorder=2.5,
        )  # fmt: skip
    ax.set_xlim(-0.5, 0.5)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _scattered(n: int) -> NDArray[np.float64]:
    """Return numbers that fill 0 to 1 evenly (golden ratio), shape ``(n,)``."""
    return np.asarray((0.5 + np.arange(n) * 0.6180339887498949) % 1.0)


def _quartiles(ax: Axes, distribution: Distribution, lowest: float) -> None:
    """Draw the middle half and the median."""
    q1, median, q3 = (max(distribution.quantile(q), lowest) for q in (0.25, 0.5, 0.75))
    ax.vlines(0, q1, q3, color=LIGHT.blue, lw=6, zorder=3, capstyle="round")
    ax.scatter(
        [0], [median], s=52, color=LIGHT.background, edgecolor=LIGHT.orange, linewidth=2.0, zorder=4
    )


VIOLIN = Figure("violin", TITLE, reading, needs_counts, drawing)
