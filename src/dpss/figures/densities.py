"""What the figures of cells by two measures share: square bins, coloured by their cells.

The summary's logarithmic bins are not equally wide (they are read off the bits of a
double) and far too fine for few cells. Here they become squares of one size on the
paper, as many as suit the number of cells.
"""

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

_BELOW_ONE = 0.7
"""Where values below 1 begin on a logarithmic axis."""
_SPLIT = 4
"""Bins less than this many times as wide as the finer ones get their parts of them."""
_FAINTEST = 0.05


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
    ax = place(fig, MARGIN + 0.62, 0.75, MARGIN + 0.95, HEADER + 0.25)
    box = ax.get_position()
    across, up = fig.get_size_inches()
    n_bins = float(np.clip(4.5 * summary.n_cells_kept**0.28, 14, 150))
    x_edges, x_parts = rebin(density.x, density.x_edges, n_bins * across / up, log=x.log)
    y_edges, y_parts = rebin(density.y, density.y_edges, n_bins * box.height / box.width, log=y.log)
    fine = np.zeros((len(y_parts), len(x_parts)))
    np.add.at(fine, (density.y - density.y.min(), density.x - density.x.min()), density.counts)
    cells = y_parts.T @ fine @ x_parts
    set_axis(ax, "x", span_of(x_edges[0], x_edges[-1], log=x.log), log=x.log)
    low, high = span_of(y_edges[0], y_edges[-1], log=y.log)
    set_axis(ax, "y", (low if y.log else max(low, 0), high), log=y.log, n=6)
    ax.set_xlabel(x.title)
    ax.set_ylabel(y.title)
    _bins(ax, x_edges, y_edges, cells)
    _medians(ax, x, y)
    return fig


def rebin(
    bins: NDArray[np.int64], edges: NDArray[np.float64], n_wanted: float, *, log: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lay equally wide bins (by logarithm, where the axis is) over those that hold cells.

    Args:
        bins: Fine bins that hold cells, shape ``(n_filled,)``.
        edges: Edges of all fine bins.
        n_wanted: About how many bins there are to be.
        log: Whether the axis is logarithmic; the first fine bin is for values below 1 then.

    Returns:
        The new bins' edges, and which part of each fine bin, from the first to the last
        that holds cells, falls into each of them, shape ``(n_fine, n_new)``.
    """
    used = edges[int(bins.min()) : int(bins.max()) + 2]
    fine = np.log2(np.maximum(used, _BELOW_ONE)) if log else used
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
    fig = ax.get_figure(root=True)
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
    style = {"color": LIGHT.orange, "lw": 1.0, "ls": (0, (4, 3)), "zorder": 3}
    text = {"color": LIGHT.orange, "size": SMALL, "textcoords": "offset points"}
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    if left <= x.median <= right:
        ax.axvline(x.median, **style)
        where = (x.median, 1), (0, 5)
        ax.annotate(
            f"median {x.median_text}", *where, xycoords=("data", "axes fraction"), ha="center",
            **text,
        )  # fmt: skip
    if low <= y.median <= high:
        ax.axhline(y.median, **style)
        where = (1, y.median), (0, 4)
        ax.annotate(
            f"median {y.median_text}", *where, xycoords=("axes fraction", "data"), ha="right",
            zorder=4, **text,
        )  # fmt: skip
