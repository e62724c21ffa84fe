"""Rows of the figures of the top 20 genes: one row per gene, numbers at the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.style import HEADER, MARGIN, MEDIUM, SMALL, paper, place
from dpss.figures.elements.text import elide, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dpss.summary.record import Summary

ROW = 0.235
"""Height of a row, in inches."""
_FOOT = 0.75
_WIDEST_NAME = 150.0


def row_axes(
    summary: Summary,
    title: str,
    which: NDArray[np.int64],
    columns: Sequence[tuple[str, Sequence[str]]],
) -> Axes:
    """Return axes with one row per gene, the first on top at ``y = 0``.

    Args:
        summary: What is drawn.
        title: Heading of the figure.
        which: The genes, best first.
        columns: Heading and one text per gene, for each column right of the axes.
    """
    n = len(which)
    names = [elide(label, _WIDEST_NAME, MEDIUM) for label in summary.gene_labels(which)]
    left = MARGIN + 0.12 + max(width(name, MEDIUM) for name in names) / 72
    widths = [max(width(text, SMALL) for text in (head, *texts)) / 72 for head, texts in columns]
    right = MARGIN + sum(widths) + 0.2 * len(columns)
    fig = paper(summary, title, HEADER + 0.2 + max(n, 4) * ROW + _FOOT)
    ax = place(fig, left, _FOOT, right, HEADER + 0.2)
    ax.set_ylim(max(n, 4) - 0.4, -0.6)
    ax.set_yticks(range(n), labels=names, size=MEDIUM, color=LIGHT.ink)
    ax.tick_params(axis="y", length=0, pad=7)
    ax.spines["left"].set_visible(False)
    at = right - 0.2
    for (head, texts), wide in zip(columns, widths, strict=True):
        x = 1 + (right - at) / (8.0 - left - right) + wide / (8.0 - left - right)
        _column(ax, x, head, texts)
        at -= wide + 0.2
    return ax


def _column(ax: Axes, x: float, head: str, texts: Sequence[str]) -> None:
    """Write a right-aligned column that ends at ``x`` in parts of the axes' width."""
    over = ax.get_yaxis_transform()
    ax.text(x, -0.85, head, transform=over, size=SMALL, color=LIGHT.muted, ha="right")
    for row, text in enumerate(texts):
        ax.text(
            x, row, text, transform=over, size=SMALL, color=LIGHT.ink, ha="right",
            va="center_baseline",
        )  # fmt: skip
