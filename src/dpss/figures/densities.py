"""What the figures of cells by two measures share: a grid of bins, coloured by their cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.axes import log_ticks, number, set_axis, span_of
from dpss.figures.style import HEADER, MARGIN, SMALL, paper, place, sequential
from dpss.palette import LIGHT
from dpss.stats.density import Density

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

    from dpss.summary import Summary

_ZERO = 0.5
"""Where the bin of values below 1 starts on a logarithmic axis."""


@dataclass(frozen=True)
class Side:
    """One axis of the figure."""

    title: str
    """With unit."""
    log: bool
    """Whether its bins are logarithmic."""
    median: float
    """Median of the kept cells."""
    median_text: str
    """The same for a person."""


def draw_density(
    summary: Summary, title: str, density: Density, x: Side, y: Side
) -> matplotlib.figure.Figure:
    """Draw bins, colour bar and medians."""
    fig = paper(summary, title, 6.0)
    ax = place(fig, MARGIN + 0.62, 0.75, MARGIN + 1.15, HEADER + 0.25)
    x_at, x_edges = coarsened(density.x, density.x_edges, summary.n_cells_kept, log=x.log)
    y_at, y_edges = coarsened(density.y, density.y_edges, summary.n_cells_kept, log=y.log)
    cells = np.zeros((len(y_edges) - 1, len(x_edges) - 1))
    np.add.at(cells, (y_at, x_at), density.counts)
    set_axis(ax, "x", span_of(x_edges[0], x_edges[-1], log=x.log), log=x.log)
    low, high = span_of(y_edges[0], y_edges[-1], log=y.log)
    set_axis(ax, "y", (low if y.log else max(low, 0), high), log=y.log, n=6)
    ax.set_xlabel(x.title)
    ax.set_ylabel(y.title)
    _bins(ax, x_edges, y_edges, cells)
    _medians(ax, x, y)
    return fig


def coarsened(
    bins: NDArray[np.int64], edges: NDArray[np.float64], n_cells: int, *, log: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Join neighbouring bins until they suit the number of cells, and crop to those used.

    Args:
        bins: Bins that hold cells, shape ``(n_bins,)``.
        edges: Edges of all bins.
        n_cells: How many cells there are.
        log: Whether the bins are logarithmic, the first being for values below 1.

    Returns:
        The joined bin of each of ``bins``, counted from the first that is drawn, and the
        edges of those that are drawn.
    """
    wanted = np.clip(3.5 * n_cells**0.36, 14, 200)
    used = max(int(bins.max()) - max(int(bins.min()), int(log)) + 1, 1)
    shift = max(int(np.floor(np.log2(used / wanted))), 0)
    if log:
        joined = np.where(bins == 0, 0, ((bins - 1) >> shift) + 1)
        ends = np.concatenate([[_ZERO], edges[1 :: 1 << shift]])
    else:
        joined, ends = bins >> shift, edges[:: 1 << shift]
    if ends[-1] < edges[-1]:
        ends = np.append(ends, edges[-1])
    first, last = int(joined.min()), int(joined.max())
    return joined - first, ends[first : last + 2]


def _bins(
    ax: Axes,
    x_edges: NDArray[np.float64],
    y_edges: NDArray[np.float64],
    cells: NDArray[np.float64],
) -> None:
    """Draw the bins and what their colours mean."""
    from matplotlib.colors import LogNorm

    most = float(cells.max())
    mesh = ax.pcolormesh(
        x_edges, y_edges, np.ma.masked_equal(cells, 0), cmap=sequential(),
        norm=LogNorm(1, max(most, 10.0)), rasterized=True, zorder=2, linewidth=0,
    )  # fmt: skip
    if most == 1:
        ax.annotate(
            "each square is one cell", (1, 1), (0, 6), xycoords="axes fraction",
            textcoords="offset points", ha="right", color=LIGHT.muted,
        )  # fmt: skip
        return
    fig = ax.figure
    box = ax.get_position()
    height = box.height * 0.55
    colours = fig.add_axes((box.x1 + 0.03, box.y1 - height - 0.04, 0.016, height))  # type: ignore[attr-defined]
    bar = fig.colorbar(mesh, cax=colours)  # type: ignore[attr-defined]
    ticks = log_ticks(1, max(most, 10.0), 6)
    bar.set_ticks(ticks, labels=[number(tick) for tick in ticks])
    bar.minorticks_off()
    bar.outline.set_visible(False)
    colours.tick_params(length=0, pad=4)
    colours.set_title("cells\nper bin", size=SMALL, color=LIGHT.muted, loc="left", pad=8)


def _medians(ax: Axes, x: Side, y: Side) -> None:
    """Draw a thin line at both medians, with the number at its end."""
    style = {"color": LIGHT.orange, "lw": 1.0, "ls": (0, (4, 3)), "zorder": 3}
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    if left <= x.median <= right:
        ax.axvline(x.median, **style)
        ax.annotate(
            f"median {x.median_text}", (x.median, 1), (0, 5), textcoords="offset points",
            xycoords=("data", "axes fraction"), ha="center", color=LIGHT.orange, size=SMALL,
        )  # fmt: skip
    if low <= y.median <= high:
        ax.axhline(y.median, **style)
        ax.annotate(
            f"median\n{y.median_text}", (1, y.median), (5, 0), textcoords="offset points",
            xycoords=("axes fraction", "data"), va="center", color=LIGHT.orange, size=SMALL,
        )  # fmt: skip
