"""Figure of the genes found in the most cells, and of genes by cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.errors import plural
from dpss.figures.base import Figure, needs_counts
from dpss.figures.elements.axes import make_axis, span_of
from dpss.figures.elements.gene_rows import default_edges, gene_rows, not_found
from dpss.figures.elements.layout import (
    MARGIN,
    MEDIUM,
    SMALL,
    heading,
    is_narrow,
    left_of,
)
from dpss.figures.elements.marks import Curve, Dots, Page, Panel, PaperArea, Rectangles, Text
from dpss.figures.elements.specification import Axis, Scale
from dpss.figures.elements.text import width as width_of
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Genes found in the most cells"
_MARKED = (1.0, 10.0, 50.0, 90.0)
"""Percentages of the cells at which the curve's number of genes is written."""
_HALF = 0.22


def reading(summary: Summary) -> str:
    """Return the caption: it explains the list of genes and the curve."""
    which = summary.top_cell_count()
    n = int(np.count_nonzero(summary.genes.n_cells_by_counts[which]))
    genes = "gene that is" if n == 1 else f"{plural(n, 'gene')} that are"
    return (
        f"The {genes} detected (count above 0) in the most cells, best first, with the number "
        f"of cells and its percentage as a bar.{not_found(len(which) - n)} The curve "
        "gives the number of genes found in at least the percentage of cells on its axis: the "
        "farther right it falls, the more genes are found in most cells."
    )


def detection_curve(summary: Summary) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return percentages of cells, ascending, and the genes found in at least as many.

    Each percentage that a gene has gives two places, one for the step's either end.
    """
    found = summary.genes.n_cells_by_counts
    cells, genes = np.unique(found[found > 0], return_counts=True)
    at_least = np.cumsum(genes[::-1])[::-1].astype(np.float64)
    shares = 100 * cells / summary.n_cells_kept
    x = np.concatenate([[0.0], np.repeat(shares, 2)])[:-1]
    y = np.repeat(at_least, 2)
    x, y = np.append(x, shares[-1]), np.append(y, at_least[-1])
    if len(x) > 2000:
        keep = np.linspace(0, len(x) - 1, 2000).astype(np.int64)
        keep = keep[np.diff(keep, prepend=-1) > 0]  # `np.unique` imports masked arrays: 25 ms.
        x, y = x[keep], y[keep]
    return x[: len(y)], y[: len(x)]


def genes_in(summary: Summary, share: float) -> int:
    """Return the number of genes found in at least this percentage of the cells."""
    least = share / 100 * summary.n_cells_kept * (1 - 1e-12)
    found = summary.genes.n_cells_by_counts
    return int(np.count_nonzero((found >= least) & (found > 0)))


def layout(summary: Summary, width: float) -> Page:
    """Lay out the list and, beside it, the curve."""
    head = heading(summary, TITLE, width)
    narrow = is_narrow(width)
    left, right = default_edges(width)
    middle = right if narrow else left + 0.5 * (right - left)
    rows, listed = _list(summary, left, head.bottom, middle)
    if narrow:
        top = rows.box.bottom + 34.0
        bottom = top + 170.0
    else:
        top, bottom = rows.box.top + 12.0, max(rows.box.bottom, rows.box.top + 180.0)
    curve, labels = _curve(summary, left if narrow else middle + 22.0, top, right, bottom)
    start = MARGIN if narrow else middle + 22.0
    name = Text(start, top - 14.0, "Genes found in at least so many cells", SMALL, "ink", bold=True)
    height = bottom + 46.0
    return Page(TITLE, width, height, (rows, curve), (*head.texts, *listed, name, *labels))


def _list(
    summary: Summary, left: float, top: float, right: float
) -> tuple[Panel, tuple[Text, ...]]:
    which = summary.top_cell_count()
    cells = summary.genes.n_cells_by_counts[which]
    shares = 100 * cells / summary.n_cells_kept
    columns = [
        ("cells", [f"{n:,}" for n in cells]),
        ("of all", [percent(float(share)) for share in shares]),
    ]
    rows = gene_rows(summary, which, columns, left, top, right)
    at = np.flatnonzero(rows.found).astype(np.float64)
    none = np.zeros(len(at))
    marks = (
        Rectangles(none, at + _HALF, none + 100, at - _HALF, "grid"),
        Rectangles(none, at + _HALF, shares[rows.found], at - _HALF, "blue"),
    )
    x = Axis("", Scale.LINEAR, 0.0, 100.0, ())
    panel = Panel(rows.box, x, rows.y, marks, grid="", frame="", name_size=MEDIUM)
    return panel, rows.texts


def _curve(
    summary: Summary, left: float, top: float, right: float, bottom: float
) -> tuple[Panel, list[Text]]:
    x, y = detection_curve(summary)
    x_axis = make_axis("% of the cells", 0, 100, n=4)
    low, high = span_of(max(float(y.min()), 0.8), float(y.max()), log=True, pad=0.06)
    y_axis = make_axis("genes", low, high, Scale.LOG, n=6, whole=True)
    start = left - MARGIN * 0.6 + left_of([label for _, label in y_axis.ticks])
    box = PaperArea(start, top, right - start, bottom - top)
    # Of percentages with equal numbers of genes, as in a matrix of two cells, the highest is
    # labelled.
    marked = {genes_in(summary, share): share for share in _MARKED}
    shares = np.array([share for n, share in marked.items() if n])
    numbers = np.array([n for n in marked if n], dtype=np.float64)
    marks = (
        Curve(x, y, "blue", 2.0),
        Dots(shares, numbers, "orange", 3.0, rim="background", rim_width=1.0),
    )
    panel = Panel(box, x_axis, y_axis, marks)
    texts: list[Text] = []
    across, down = panel.place(shares, numbers)
    for n in np.argsort(np.abs(shares - 50.0)):  # Of labels that would overlap, the middle stays.
        text = f"{shares[n]:.0f}\N{NARROW NO-BREAK SPACE}%: {int(numbers[n]):,}"
        # Nothing is drawn above the curve and right of it, nor below it and left of it.
        fits = across[n] + 6.0 + width_of(text, SMALL) <= box.right + MARGIN * 0.75
        at_end = across[n] > box.left + 0.6 * box.width or not fits
        right, below, anchor = (-7.0, 11.0, "end") if at_end else (6.0, -5.0, "start")
        label = Text(
            float(across[n] + right),
            float(down[n] + below),
            text,
            SMALL,
            "orange",
            anchor=anchor,
            halo=True,
        )
        if not any(label.overlaps(other) for other in texts):
            texts.append(label)
    return panel, texts


GENES_BY_CELL_COUNT = Figure("genes_by_cell_count", TITLE, reading, needs_counts, layout)
