"""Scatter plot of cells by two measures: dots, or bins coloured by their number of cells.

The summary's logarithmic bins are not equally wide (they are read off the bits of a
double) and far too fine for few cells. Here they become squares of one size on the
paper, as many as suit the number of cells; and few cells become dots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.axes import log_ticks, number, set_axis, span_of
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.style import (
    HEADER,
    MARGIN,
    SMALL,
    figure_of,
    note,
    paper,
    place,
    sequential,
)
from dpss.stats.density import Density
from dpss.stats.histogram import Distribution

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

    from dpss.summary.record import Summary

FEW = 500
"""Up to this many cells, each is a dot."""
_BELOW_ONE = 0.7
"""Where the bin of values below 1 begins, should there be no other."""
_SPLIT = 4
"""Bins less than this many times as wide as the finer ones get their parts of them."""
_FAINTEST = 0.05


@dataclass(frozen=True)
class Side:
    """One axis of the figure."""

    title: str
    """With unit."""
    distribution: Distribution
    """Its values."""
    write: Callable[[float], str]
    """Writes a value for a person."""
    log: bool
    """Whether its bins are logarithmic."""


def marks(summary: Summary) -> str:
    """Say what the marks are."""
    if summary.n_cells_kept <= FEW:
        return "each dot is a cell, in its place to within 3 %"
    return "the darker a bin, the more cells"


def draw_density(
    summary: Summary, title: str, density: Density, x: Side, y: Side
) -> matplotlib.figure.Figure:
    """Draw bins or dots, what the colours mean, and medians."""
    fig = paper(summary, title, 6.0)
    ax = place(fig, MARGIN + 0.62, 0.75, MARGIN + 0.95, HEADER + 0.25)
    # The first bin of a logarithmic axis goes down to zero; it is drawn only if it is all.
    drawn = (density.x > 0) & ((density.y > 0) | (not y.log))
    if not drawn.any():
        drawn[:] = True
    x_edges = _crop(density.x[drawn], density.x_edges, log=x.log)
    y_edges = _crop(density.y[drawn], density.y_edges, log=y.log)
    set_axis(ax, "x", span_of(x_edges[0], x_edges[-1], log=x.log), log=x.log)
    low, high = span_of(y_edges[0], y_edges[-1], log=y.log)
    set_axis(ax, "y", (low if y.log else -0.01 * max(high, 1), max(high, 1)), log=y.log, n=6)
    ax.set_xlabel(x.title)
    ax.set_ylabel(y.title)
    if summary.n_cells_kept <= FEW:
        _dots(ax, density, x, y)
    else:
        fine = np.zeros((len(y_edges) - 1, len(x_edges) - 1))
        at_x, at_y = density.x[drawn], density.y[drawn]
        np.add.at(fine, (at_y - at_y.min(), at_x - at_x.min()), density.counts[drawn])
        n_bins = min(4.5 * summary.n_cells_kept**0.28, 150)
        box = ax.get_window_extent()
        x_new, x_parts = rebin(x_edges, n_bins * box.width / box.height, log=x.log)
        y_new, y_parts = rebin(y_edges, n_bins, log=y.log)
        _bins(ax, x_new, y_new, y_parts.T @ fine @ x_parts)
    _medians(ax, x, y)
    n_hidden = int(density.counts[~drawn].sum())
    if n_hidden:
        note(fig, f"{n_hidden:,} cells without counts can't be drawn on a logarithmic axis.")
    return fig


def _crop(bins: NDArray[np.int64], edges: NDArray[np.float64], *, log: bool) -> NDArray[np.float64]:
    """Return the edges of the fine bins from the first to the last that holds cells."""
    used = edges[int(bins.min()) : int(bins.max()) + 2]
    return np.maximum(used, _BELOW_ONE) if log else used


def rebin(
    edges: NDArray[np.float64], n_wanted: float, *, log: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lay equally wide bins (by logarithm, where the axis is) over those that hold cells.

    Args:
        edges: Edges of the fine bins, shape ``(n_fine + 1,)``.
        n_wanted: About how many bins there are to be.
        log: Whether the axis is logarithmic.

    Returns:
        The new bins' edges, and which part of each fine bin falls into each of them, shape
        ``(n_fine, n_new)``.
    """
    fine = np.log2(edges) if log else edges
    finest = float(np.diff(fine).max())
    width = max((fine[-1] - fine[0]) / n_wanted, min(finest, (fine[-1] - fine[0])))
    n = max(int(np.ceil((fine[-1] - fine[0]) / width - 1e-9)), 1)
    new = fine[0] + width * np.arange(n + 1)
    if width >= _SPLIT * finest:
        at = np.clip(((fine[:-1] + fine[1:]) / 2 - fine[0]) / width, 0, n - 1).astype(np.int64)
        parts = np.eye(n)[at]
    else:
        inner = np.minimum(fine[1:, None], new[1:]) - np.maximum(fine[:-1, None], new[:-1])
        parts = np.maximum(inner, 0) / np.diff(fine)[:, None]
    return (np.exp2(new) if log else new), parts


def _dots(ax: Axes, density: Density, x: Side, y: Side) -> None:
    """Draw a dot per cell.

    The bins say which cells go together, and the distributions, which are exact for few
    cells, where within its bin each value lies.
    """
    spots = []
    n = int(density.counts.sum())
    # Which of a bin's x goes with which of its y isn't known: no order that looks like one.
    shuffled = np.arange(n) * 0.6180339887498949 % 1
    for bins, side, ties in ((density.x, x, np.arange(n)), (density.y, y, shuffled)):
        values = np.empty(n)
        order = np.lexsort((ties, np.repeat(bins, density.counts)))
        values[order] = np.repeat(side.distribution.values, side.distribution.counts)
        spots.append(values)
    at_x, at_y = spots
    ax.scatter(
        at_x, at_y, s=20, color=LIGHT.blue, alpha=0.5, linewidths=0, rasterized=True, zorder=2,
    )  # fmt: skip


def _bins(
    ax: Axes,
    x_edges: NDArray[np.float64],
    y_edges: NDArray[np.float64],
    cells: NDArray[np.float64],
) -> None:
    """Draw the bins and what their colours mean."""
    from matplotlib.colors import LogNorm

    most = max(float(cells.max()), 10.0)
    mesh = ax.pcolormesh(
        x_edges, y_edges, np.ma.masked_less(cells, _FAINTEST), cmap=sequential(),
        norm=LogNorm(1, most), rasterized=True, zorder=2, linewidth=0,
    )  # fmt: skip
    fig = figure_of(ax)
    box = ax.get_position()
    height = box.height * 0.5
    colours = fig.add_axes((box.x1 + 0.04, box.y1 - height - 0.04, 0.016, height))
    bar = fig.colorbar(mesh, cax=colours)
    ticks = log_ticks(1, most, 6)
    bar.set_ticks(ticks.tolist(), labels=[number(tick) for tick in ticks])
    bar.minorticks_off()
    bar.outline.set_visible(False)
    colours.tick_params(length=0, pad=4)
    colours.set_title("cells\nper bin", size=SMALL, color=LIGHT.muted, loc="left", pad=8)


def _medians(ax: Axes, x: Side, y: Side) -> None:
    """Draw a thin line at both medians, with the number at its end."""
    style: dict[str, Any] = {"color": LIGHT.orange, "lw": 1.0, "ls": (0, (4, 3)), "zorder": 3}
    text: dict[str, Any] = {"color": LIGHT.orange, "size": SMALL, "textcoords": "offset points"}
    paper_behind = {"facecolor": LIGHT.background, "alpha": 0.75, "linewidth": 0, "pad": 1.0}
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    x_median, y_median = x.distribution.median, y.distribution.median
    if left <= x_median <= right:
        ax.axvline(x_median, **style)
        ax.annotate(
            f"median {x.write(x_median)}", (x_median, 1), (0, 5), ha="center",
            xycoords=("data", "axes fraction"), **text,
        )  # fmt: skip
    if low <= y_median <= high:
        ax.axhline(y_median, **style)
        ax.annotate(
            f"median {y.write(y_median)}", (1, y_median), (0, 4), ha="right", zorder=4,
            xycoords=("axes fraction", "data"), bbox=paper_behind, **text,
        )  # fmt: skip
