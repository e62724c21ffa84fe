"""The look that all figures share: sizes, colours, header and place on the paper."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dpss.figures.elements.palette import LIGHT, SEQUENTIAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from dpss.summary.record import Summary

WIDTH = 8.0
"""Width of every figure, in inches."""
DPI = 150
LARGE, MEDIUM, SMALL = 14.0, 9.5, 8.5
"""Type sizes in points: heading; gene names and axis titles; numbers and notes."""
MARGIN = 0.3
"""White border, in inches."""
HEADER = 0.95
"""Height of the heading with the border above it, in inches."""

_NOT_OURS = ("backend", "backend_fallback", "interactive", "toolbar", "date.epoch")
_LOCK = threading.RLock()
_themed = False


@cache
def preload() -> None:
    """Import all of matplotlib that drawing needs, without a word.

    It takes about a second: a caller may want to do so in a thread beside other work. A
    configuration folder that can't be written costs matplotlib its font cache, no more;
    it would warn of that at length.
    """
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        for name in ("figure", "font_manager", "backends.backend_agg", "backends.backend_svg"):
            import_module(f"matplotlib.{name}")
    finally:
        logger.setLevel(level)


@contextmanager
def theme() -> Iterator[None]:
    """Set this program's style, whatever the caller's is, and give that back in the end.

    matplotlib's settings belong to the process: one thread at a time draws. To set them
    takes a while: set them once around several figures.
    """
    global _themed  # noqa: PLW0603 (guarded by the lock)
    preload()
    import matplotlib as mpl

    with _LOCK:
        if _themed:
            yield
            return
        with mpl.rc_context():
            settings: dict[Any, Any] = {
                key: value for key, value in mpl.rcParamsDefault.items() if key not in _NOT_OURS
            }
            mpl.rcParams.update(settings | _settings())
            _themed = True
            try:
                yield
            finally:
                _themed = False


def _settings() -> dict[str, Any]:
    """Return matplotlib's settings for the style."""
    return {
        "figure.dpi": DPI,
        "figure.facecolor": LIGHT.background,
        "savefig.dpi": "figure",
        "svg.fonttype": "path",  # the same glyphs in every browser, whatever fonts it has
        "svg.hashsalt": "dpss",
        "font.family": ["DejaVu Sans"],
        "font.size": SMALL,
        "text.color": LIGHT.ink,
        "text.parse_math": False,  # a `$` in a name is a `$`
        "axes.labelcolor": LIGHT.muted,
        "axes.labelsize": MEDIUM,
        "axes.labelpad": 7,
        "axes.edgecolor": LIGHT.line,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": LIGHT.grid,
        "grid.linewidth": 0.8,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "xtick.color": LIGHT.line,
        "ytick.color": LIGHT.line,
        "xtick.labelcolor": LIGHT.muted,
        "ytick.labelcolor": LIGHT.muted,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "lines.solid_capstyle": "butt",
    }


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
    fig.text(
        left,
        1 - 0.71 / height,
        "  ·  ".join(part for part in (name, facts) if part),
        size=MEDIUM,
        color=LIGHT.muted,
    )
    if summary.demo:
        fig.text(
            1 - left, 1 - 0.45 / height, "SIMULATED DATA",
            size=SMALL, weight="bold", color=LIGHT.orange, ha="right",
        )  # fmt: skip
    return fig


def number_of_cells(summary: Summary) -> str:
    """Say how many cells the figure is of: ``2,170 cells``, or so many of how many."""
    kept, all_cells = summary.n_cells_kept, summary.n_cells
    unit = "cell" if all_cells == 1 else "cells"
    return f"{all_cells:,} {unit}" if kept == all_cells else f"{kept:,} of {all_cells:,} {unit}"


def place(fig: Figure, left: float, bottom: float, right: float, top: float = HEADER) -> Axes:
    """Return axes that keep these distances, in inches, from the figure's edges."""
    across, up = fig.get_size_inches()
    return fig.add_axes(
        (left / across, bottom / up, (across - left - right) / across, (up - bottom - top) / up)
    )


def figure_of(ax: Axes) -> Figure:
    """Return the figure that axes lie on."""
    fig = ax.get_figure(root=True)
    if fig is None:
        raise ValueError("these axes lie on no figure")
    return fig


def note(fig: Figure, text: str) -> None:
    """Write a remark at the lower right edge."""
    across, up = fig.get_size_inches()
    fig.text(
        1 - MARGIN / across,
        0.13 / up,
        text,
        size=7.5,
        color=LIGHT.muted,
        ha="right",
        style="italic",
    )


def sequential() -> Colormap:
    """Return the colour map for densities."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("dpss", SEQUENTIAL)
