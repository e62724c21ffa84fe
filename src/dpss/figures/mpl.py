"""A page drawn with matplotlib, as notebooks show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dpss.figures.elements.layout import DPI, axis_texts
from dpss.figures.elements.marks import (
    Area,
    Curve,
    Dots,
    Mark,
    Page,
    Panel,
    Rectangles,
    Segments,
    Text,
)
from dpss.figures.elements.palette import LIGHT, colour_of
from dpss.figures.elements.specification import Axis, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DASHES = (0, (4, 3))


def draw_page(page: Page) -> Figure:
    """Return a matplotlib figure of a page, in the colours for light paper."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(page.width / 72, page.height / 72), dpi=DPI)
    texts = list(page.texts)
    for panel in page.panels:
        _draw_panel(fig, page, panel)
        texts.extend(axis_texts(panel))
    if page.swatches:
        _draw_swatches(_paper_axes(fig, page), page)
    for text in texts:
        _draw_text(fig, page, text)
    return fig


def _draw_panel(fig: Figure, page: Page, panel: Panel) -> None:
    box = panel.box
    ax = fig.add_axes(
        (
            box.left / page.width,
            1 - box.bottom / page.height,
            box.width / page.width,
            box.height / page.height,
        )
    )
    for which, axis, values in (("x", panel.x, ax.xaxis), ("y", panel.y, ax.yaxis)):
        _set_axis(ax, which, axis)
        shown = which in panel.frame
        ax.spines["bottom" if which == "x" else "left"].set_visible(shown)
        values.set_tick_params(length=3 if shown else 0)
        if which in panel.grid:
            values.grid(True)
    for order, mark in enumerate(panel.marks):
        _draw_mark(ax, mark, 2 + order / 100)


def _set_axis(ax: Axes, which: str, axis: Axis) -> None:
    """Set scale, limits and ticks; the labels are texts of the page."""
    from matplotlib.ticker import NullLocator

    if axis.scale is Scale.LOG:
        ax.set(**{f"{which}scale": "log"})
    elif axis.scale is not Scale.LINEAR:
        set_scale = ax.set_xscale if which == "x" else ax.set_yscale
        set_scale("function", functions=(axis.scale.forward, axis.scale.inverse))
    ax.set(**{f"{which}lim": (axis.low, axis.high)})
    ticks = [value for value, _ in axis.ticks]
    ax.set(**{f"{which}ticks": ticks, f"{which}ticklabels": [""] * len(ticks)})
    getattr(ax, f"{which}axis").set_minor_locator(NullLocator())


def _draw_mark(ax: Axes, mark: Mark, order: float) -> None:
    style: dict[str, Any] = {"zorder": order, "clip_on": False}
    colour = colour_of(LIGHT, mark.colour)
    if isinstance(mark, Dots):
        rim: dict[str, Any] = {"linewidths": 0}
        if mark.rim:
            rim = {"edgecolor": colour_of(LIGHT, mark.rim), "linewidths": mark.rim_width}
        ax.scatter(
            mark.x, mark.y, s=(2 * mark.radius) ** 2, color=colour, alpha=mark.alpha,
            marker="D" if mark.diamond else "o", **rim, **style,
        )  # fmt: skip
    elif isinstance(mark, Rectangles):
        from matplotlib.collections import PolyCollection

        corners = np.stack(
            [
                np.stack([mark.left, mark.bottom], axis=1),
                np.stack([mark.right, mark.bottom], axis=1),
                np.stack([mark.right, mark.top], axis=1),
                np.stack([mark.left, mark.top], axis=1),
            ],
            axis=1,
        )
        edge: dict[str, Any] = {"linewidths": 0, "antialiaseds": False}
        if mark.rim:
            edge = {"edgecolors": colour_of(LIGHT, mark.rim), "linewidths": 0.9}
        shapes: Any = corners
        ax.add_collection(PolyCollection(shapes, facecolors=colour, **edge, **style))
    elif isinstance(mark, Segments):
        from matplotlib.collections import LineCollection

        lines: Any = np.stack(
            [np.stack([mark.x0, mark.y0], axis=1), np.stack([mark.x1, mark.y1], axis=1)], axis=1
        )
        ax.add_collection(
            LineCollection(
                lines,
                colors=colour,
                linewidths=mark.width,
                linestyles=_DASHES if mark.dashed else "solid",
                capstyle="round" if mark.round_ends else "butt",
                **style,
            )
        )
    elif isinstance(mark, Curve):
        ax.plot(
            mark.x, mark.y, color=colour, lw=mark.width, solid_joinstyle="round",
            solid_capstyle="round", **style,
        )  # fmt: skip
    else:
        _draw_area(ax, mark, style)


def _draw_area(ax: Axes, mark: Area, style: dict[str, Any]) -> None:
    colour, rim = colour_of(LIGHT, mark.colour), colour_of(LIGHT, mark.rim)
    ax.fill(mark.x, mark.y, facecolor=colour, edgecolor=rim, linewidth=1.0, **style)


def _paper_axes(fig: Figure, page: Page) -> Axes:
    """Return axes over the whole paper, in its points from the upper left corner."""
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, page.width), ylim=(page.height, 0))
    ax.set_axis_off()
    return ax


def _draw_swatches(ax: Axes, page: Page) -> None:
    for x, y, mark, role in page.swatches:
        colour = colour_of(LIGHT, role)
        if mark in ("median", "limit"):
            dashes = _DASHES if mark == "limit" else "solid"
            ax.plot([x - 5, x + 5], [y, y], color=colour, lw=1.2, ls=dashes)
        else:
            size, shape = {"dot": (3.0, "o"), "bin": (7.0, "s"), "diamond": (4.0, "D")}[mark]
            ax.scatter([x], [y], s=(size * 1.6 if mark == "dot" else size) ** 2, color=colour,
                       marker=shape, linewidths=0)  # fmt: skip


def _draw_text(fig: Figure, page: Page, text: Text) -> None:
    style: dict[str, Any] = {}
    if text.halo:
        style["bbox"] = {
            "facecolor": LIGHT.background, "alpha": 0.75, "linewidth": 0, "pad": 0.4,
        }  # fmt: skip
    fig.text(
        text.x / page.width,
        1 - text.y / page.height,
        text.text,
        size=text.size,
        color=colour_of(LIGHT, text.colour),
        weight="bold" if text.bold else "normal",
        ha={"start": "left", "middle": "center", "end": "right"}[text.anchor],
        va="baseline",
        rotation=90 if text.upward else 0,
        rotation_mode="anchor",
        **style,
    )
