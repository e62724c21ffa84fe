"""Rows of the figures of the top 20 genes, with numbers at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.errors import plural
from dpss.figures.elements.layout import MARGIN, MEDIUM, SMALL
from dpss.figures.elements.marks import PaperArea, Text
from dpss.figures.elements.specification import Axis, Scale
from dpss.figures.elements.text import elide, width

if TYPE_CHECKING:
    from dpss.summary.record import Summary

ROW = 16.0
"""Height of a row."""
_MIN_ROWS = 4
_COLUMN_GAP = 10.0
NOT_FOUND = "in no cell"
"""Text in the place of the marks of a gene without a count."""
_MIN_NAME = 106.0
"""Room for names: an Ensembl id fits."""


@dataclass(frozen=True, eq=False)
class GeneRows:
    """Positions of the rows, and the texts of their columns."""

    box: PaperArea
    y: Axis
    """Row numbers from the top, with the genes' names as ticks."""
    found: NDArray[np.bool_]
    """Whether each gene is found in a cell, shape ``(n_rows,)``; others have words for marks."""
    texts: tuple[Text, ...]
    """The columns of numbers, and the texts of genes that are found in no cell."""


def gene_rows(
    summary: Summary,
    which: NDArray[np.int64],
    columns: Sequence[tuple[str, Sequence[str]]],
    left: float,
    top: float,
    right: float,
) -> GeneRows:
    """Return rows between ``left`` and ``right``, the first gene on top at ``y = 0``.

    Args:
        summary: What is drawn.
        which: The genes, best first.
        columns: Heading and one text per gene, for each column right of the marks.
        left: Where the names may begin.
        top: Where the columns' headings may begin.
        right: Where the last column ends.
    """
    n = max(len(which), _MIN_ROWS)
    room = max(0.34 * (right - left), _MIN_NAME)
    names = [elide(label, room, MEDIUM) for label in summary.gene_labels(which)]
    start = left + max(width(name, MEDIUM) for name in names) + 7.0
    texts: list[Text] = []
    edge = right
    for head, cells in reversed(columns):
        texts.append(Text(edge, top + 9.0, head, SMALL, anchor="end"))
        for row, cell in enumerate(cells):
            y = top + 14.0 + (row + 0.5) * ROW + SMALL * 0.36
            texts.append(Text(edge, y, cell, SMALL, "ink", anchor="end"))
        edge -= max(width(text, SMALL) for text in (head, *cells)) + _COLUMN_GAP
    box = PaperArea(start, top + 14.0, edge - start, n * ROW)
    found = summary.genes.n_cells_by_counts[which] > 0
    for row in np.flatnonzero(~found).tolist():
        y = box.top + (row + 0.5) * ROW + SMALL * 0.36
        texts.append(Text(start + 4.0, y, elide(NOT_FOUND, box.width - 6.0, SMALL), SMALL))
    ticks = tuple((float(row), name) for row, name in enumerate(names))
    return GeneRows(box, Axis("", Scale.LINEAR, n - 0.5, -0.5, ticks), found, tuple(texts))


def default_edges(paper: float) -> tuple[float, float]:
    """Return left and right edge of rows that fill the paper's width."""
    return MARGIN, paper - MARGIN


def not_found(n: int) -> str:
    """Return a sentence on a list's genes that are found in no cell; else empty.

    >>> not_found(1)
    ' 1 more gene follows, which is found in no cell.'
    """
    if not n:
        return ""
    follow, are = ("follows", "is") if n == 1 else ("follow", "are")
    return f" {plural(n, 'more gene')} {follow}, which {are} found in no cell."
