"""Strata side by side: medians with their spread, one row each, the odd one out marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dpss.figures.base import DrawnFigure, noun
from dpss.figures.elements.axes import span_of
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.paper import (
    HEADER,
    MARGIN,
    MEDIUM,
    SMALL,
    WIDTH,
    note,
    paper,
    place,
    set_axis,
)
from dpss.figures.elements.text import elide
from dpss.summary.strata import COMPARED

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

    from dpss.summary.record import Summary
    from dpss.summary.strata import Strata, Stratum

TITLE = "Parts of the cells side by side"
_ROW, _GAP, _NAMES = 0.24, 0.25, 1.7
_MOST = 40
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    by = f" of {summary.strata.by}" if summary.strata else ""
    return (
        f"Each row is the cells of one value{by}: the line spans 90 % of them, the bar the middle "
        "half, the dot is the median; the dashed line is the median of all cells. A row in orange "
        "stands apart: its median is more than 3 median absolute deviations from the others'."
    )


def needs_strata(summary: Summary) -> str | None:
    """Say that there is nothing to compare where no stratum has a kept cell."""
    if summary.strata is None or not any(each.n_cells_kept for each in summary.strata.strata):
        return "no cells were kept"
    return None


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw one panel per measure."""
    found: Strata = summary.strata  # type: ignore[assignment]  # the figure's need
    known = [each for each in found.strata if each.n_cells_kept]
    strata = known[:_MOST]
    titles = {
        "n_genes_by_counts": "Genes per cell",
        "total_counts": f"Total {noun(summary)}",
        "pct_counts_mt": "% in mitochondrial genes",
    }
    wholes = {
        "n_genes_by_counts": summary.n_genes_by_counts,
        "total_counts": summary.counts_per_cell,
        "pct_counts_mt": summary.pct_counts_mt,
    }
    names = [name for name in COMPARED if all(name in each.measures for each in strata)]
    fig = paper(summary, TITLE, HEADER + 0.35 + len(strata) * _ROW + 0.55)
    wide = (WIDTH - 2 * MARGIN - _NAMES - _GAP * (len(names) - 1)) / len(names)
    for n, name in enumerate(names):
        left = MARGIN + _NAMES + n * (wide + _GAP)
        ax = place(fig, left, 0.55, WIDTH - left - wide, HEADER + 0.35)
        ax.set_title(titles[name], loc="left", size=MEDIUM, weight="bold", pad=7)
        whole = wholes[name]
        _rows(ax, strata, name, None if whole is None else whole.median)
        labels = [_label(each) for each in strata] if n == 0 else []
        ax.set_yticks(range(len(strata)) if labels else [], labels=labels)
        ax.tick_params(axis="y", length=0, labelsize=SMALL)
    if len(known) > len(strata):
        note(fig, f"{len(known) - len(strata)} more are in strata.csv.")
    return fig


def _label(stratum: Stratum) -> str:
    size = f"  {stratum.n_cells_kept:,}"
    return elide(stratum.name, (_NAMES - 0.1) * 72 - 6 * len(size), SMALL) + size


def _rows(ax: Axes, strata: list[Stratum], name: str, median: float | None) -> None:
    log = COMPARED[name]
    ends = np.array([[each.measures[name].quantile(q) for q in _QUANTILES] for each in strata])
    floor = max(float(ends[ends > 0].min(initial=1.0)), 0.5) if log else 0.0
    ends = np.maximum(ends, floor)
    low, high = span_of(float(ends.min()), float(ends.max()), log=log)
    set_axis(ax, "x", (low if log else 0.0, high), log=log, n=4)
    rows = np.arange(len(ends))
    colours = [LIGHT.orange if name in each.odd else LIGHT.blue for each in strata]
    ax.hlines(rows, ends[:, 0], ends[:, 4], color=colours, lw=1.2, zorder=2)
    ax.hlines(rows, ends[:, 1], ends[:, 3], color=colours, lw=6, zorder=3)
    ax.scatter(
        ends[:, 2], rows, s=24, color=LIGHT.background, edgecolor=LIGHT.ink, linewidth=1.1, zorder=4
    )
    if median is not None and low <= median <= high:
        ax.axvline(median, color=LIGHT.muted, lw=1.0, ls=(0, (4, 3)), zorder=1.5)
    ax.set_ylim(len(ends) - 0.5, -0.5)
    ax.spines["left"].set_visible(False)


STRATA = DrawnFigure("strata", TITLE, reading, needs_strata, drawing)
