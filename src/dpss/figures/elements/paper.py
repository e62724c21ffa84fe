"""Paper for figures that draw with matplotlib themselves: sizes, heading, places, axes.

Lengths are inches. A figure that is a page of marks needs none of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.figures.elements.axes import linear_ticks, log_ticks, tick_text
from dpss.figures.elements.layout import LARGE, MEDIUM, SMALL, number_of_cells
from dpss.figures.elements.palette import DENSITIES, LIGHT
from dpss.figures.elements.style import DPI

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from dpss.summary.record import Summary

__all__ = ["HEADER", "LARGE", "MARGIN", "MEDIUM", "SMALL", "WIDTH"]

WIDTH = 8.0
"""Width of every figure."""
MARGIN = 0.3
"""White border."""
HEADER = 0.95
"""Height of the heading with the border above it."""


def paper(summary: Summary, title: str, height: float) -> Figure:
    """Return an empty figure with its heading.

    Args:
        summary: Whose title and number of cells it tells.
        title: What the figure is.
        height: In inches.
    """
    from matplotlib.figure import Figure

    from dpss.figures.elements.text import elide, width

    fig = Figure(figsize=(WIDTH, height), dpi=DPI)
    left = MARGIN / WIDTH
    fig.text(left, 1 - 0.45 / height, title, size=LARGE, weight="bold")
    facts = number_of_cells(summary)
    room = (WIDTH - 2 * MARGIN) * 72 - width("  ·  " + facts, MEDIUM)
    name = elide(summary.title, room, MEDIUM)
    line = "  ·  ".join(part for part in (name, facts) if part)
    fig.text(left, 1 - 0.71 / height, line, size=MEDIUM, color=LIGHT.muted)
    if summary.demo:
        fig.text(
            1 - left, 1 - 0.45 / height, "SIMULATED DATA",
            size=SMALL, weight="bold", color=LIGHT.orange, ha="right",
        )  # fmt: skip
    return fig


def place(fig: Figure, left: float, bottom: float, right: float, top: float = HEADER) -> Axes:
    """Return axes that keep these distances from the figure's edges."""
    across, up = fig.get_size_inches()
    return fig.add_axes(
        (left / across, bottom / up, (across - left - right) / across, (up - bottom - top) / up)
    )


def note(fig: Figure, text: str) -> None:
    """Write a remark at the lower right edge."""
    across, up = fig.get_size_inches()
    fig.text(
        1 - MARGIN / across, 0.13 / up, text, size=7.5, color=LIGHT.muted, ha="right",
        style="italic",
    )  # fmt: skip


def sequential() -> Colormap:
    """Return the colour map for densities."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = ["#c4deef", *(getattr(LIGHT, role) for role in DENSITIES)]
    return LinearSegmentedColormap.from_list("dpss", colours)


def set_axis(
    ax: Axes,
    which: str,
    limits: tuple[float, float],
    *,
    log: bool,
    n: int | None = None,
    whole: bool = False,
) -> None:
    """Give one axis its scale, limits, round ticks and a faint grid.

    Args:
        ax: The axes.
        which: ``x`` or ``y``.
        limits: Both ends.
        log: Whether the axis is logarithmic.
        n: About how many ticks.
        whole: Whether only whole numbers are meant, such as numbers of cells.
    """
    from matplotlib.ticker import NullLocator

    low, high = limits
    ticks = log_ticks(low, high, n or 8) if log else linear_ticks(low, high, n or 5)
    if whole:
        ticks = ticks[ticks == ticks.round()]
    if log:
        ax.set(**{f"{which}scale": "log"})
    ax.set(**{f"{which}lim": (low, high)})
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_ticks(ticks, labels=[tick_text(float(tick)) for tick in ticks])
    if log:
        axis.set_minor_locator(NullLocator())
    axis.grid(True)
