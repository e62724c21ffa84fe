"""A dot plot: expression of genes (rows) in groups of cells (columns)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.cell_maps import colour_of
from dpss.figures.elements.layout import GAP, LINE, MARGIN, SMALL, is_narrow
from dpss.figures.elements.marks import Dots, Mark, Panel, PaperArea, Segments, Text
from dpss.figures.elements.palette import DENSITIES
from dpss.figures.elements.specification import Axis, Scale
from dpss.figures.elements.text import elide, elide_names, width

if TYPE_CHECKING:
    from dpss.summary.embedding import Expression

_MAX_ROWS = 72
"""Genes that are drawn: five per group, or fewer where groups are many."""
_MAX_IN_TWO = 18
"""Groups up to which wide paper has two blocks side by side."""
_ROW = 12.0
_NAME = 84.0
"""Width of the longest gene name."""
_GROUP_NAME = 110.0
"""Length of the longest name of a group that stands upright."""
_COLUMN = SMALL + 0.6
"""Least width of a column whose name stands upright."""
_BAR = 9.0
"""Room for the bar of a group."""
_BETWEEN = 18.0
_MAX_RADIUS = 5.2
"""Radius of a dot for all cells, in points, where there is room."""
_SIZES = (10, 25, 50, 100)
"""Percentages of cells that have a size of their own; the next above counts."""


@dataclass(frozen=True, eq=False)
class DotPlot:
    """The dots with their legend, where they lie on the paper."""

    panels: tuple[Panel, ...]
    texts: tuple[Text, ...]
    n_groups: int
    """Groups that are drawn: the first ones that have room."""
    bottom: float
    """Lower end of the panels, in points."""


@dataclass(frozen=True, eq=False)
class _Columns:
    """Groups that are drawn, and how their names stand above them."""

    names: Sequence[str]
    upright: bool

    @property
    def height(self) -> float:
        """Room that the names take."""
        longest = max(width(name, SMALL) for name in self.names) if self.upright else 0.0
        return max(longest + 4.0, LINE)


def dot_plot(
    table: Expression,
    genes: Sequence[str],
    groups: Sequence[str],
    top: float,
    paper: float,
    *,
    upright: bool = False,
) -> DotPlot:
    """Lay out the genes in one block or, on wide paper, in two side by side.

    Args:
        table: Expression of the markers in each group.
        genes: Name of each of its genes.
        groups: Name of each group.
        top: Where the legend may begin.
        paper: Width of the paper in points.
        upright: Whether the names of groups stand upright; then only as many groups are drawn as
            have room.
    """
    names = [elide(name, _NAME, SMALL) for name in genes]
    room = _BAR + max(width(name, SMALL) for name in names) + GAP

    def wide_of(n_blocks: int) -> float:
        return (paper - 2 * MARGIN - _BETWEEN * (n_blocks - 1)) / n_blocks

    n_groups, max_in_two = len(groups), _MAX_IN_TWO
    if upright:
        max_in_two = int((wide_of(2) - room) / _COLUMN)
        n_groups = max(1, min(n_groups, int((wide_of(1) - room) / _COLUMN)))
    shown = shown_genes(table, n_groups)
    n_blocks = 1 if is_narrow(paper) or n_groups > max_in_two else 2
    wide = wide_of(n_blocks)
    room = _BAR + max(width(names[gene], SMALL) for gene in shown) + GAP
    columns = _Columns(elide_names(groups[:n_groups], _GROUP_NAME, SMALL), upright)
    largest = min(_MAX_RADIUS, 0.5 * _ROW, 0.53 * (wide - room) / n_groups)
    key, top = _legend(top, largest, paper)
    panels, texts = [key[0]], [*key[1]]
    for n, rows in enumerate(_blocks(table.clusters[shown], n_blocks)):
        left = MARGIN + n * (wide + _BETWEEN)
        box = PaperArea(left + room, top + columns.height, wide - room, len(rows) * _ROW)
        panel, named = _block(table, shown[rows], names, columns, box, left, largest)
        panels.append(panel)
        texts += named
    bottom = max(panel.box.bottom for panel in panels)
    return DotPlot(tuple(panels), tuple(texts), n_groups, bottom)


def shown_genes(table: Expression, n_groups: int) -> NDArray[np.int64]:
    """Return the genes that are drawn, as many of each group as have room."""
    per_group = max(1, min(5, _MAX_ROWS // n_groups))
    first = np.searchsorted(table.clusters, table.clusters)
    few = np.arange(len(table.clusters)) - first < per_group
    return np.flatnonzero(few & (table.clusters < n_groups))


def _blocks(clusters: NDArray[np.int64], n_blocks: int) -> list[NDArray[np.int64]]:
    """Cut rows into blocks of about the same length, without parting a group's genes."""
    if n_blocks == 1:
        return [np.arange(len(clusters))]
    starts = np.flatnonzero(np.diff(clusters, prepend=-1))
    half = int(starts[np.argmin(np.abs(starts - len(clusters) / 2))])
    return [np.arange(half), np.arange(half, len(clusters))] if half else [np.arange(len(clusters))]


def _block(
    table: Expression,
    genes: NDArray[np.int64],
    labels: list[str],
    columns: _Columns,
    box: PaperArea,
    left: float,
    largest: float,
) -> tuple[Panel, list[Text]]:
    """Return rows of genes, with the groups' bars at ``left`` and names above."""
    n_groups, n_rows = len(columns.names), len(genes)
    names = tuple((float(row), labels[gene]) for row, gene in enumerate(genes))
    x = Axis("", Scale.LINEAR, -0.5, n_groups - 0.5, ())
    y = Axis("", Scale.LINEAR, n_rows - 0.5, -0.5, names)
    texts: list[Text] = []
    marks: list[Mark] = []
    column = box.width / n_groups
    # Numbers of columns that are narrower than their numbers: every second, every third.
    each = 1 if columns.upright else int(np.ceil((width(columns.names[-1], SMALL) + 2.0) / column))
    for k in range(0, n_groups, each):
        middle, name = box.left + (k + 0.5) * column, columns.names[k]
        if columns.upright:
            across = middle + 0.36 * SMALL
            texts.append(Text(across, box.top - 4.0, name, SMALL, "ink", upward=True))
        else:
            texts.append(Text(middle, box.top - 4.0, name, SMALL, anchor="middle"))
    of = table.clusters[genes]
    for cluster in np.unique(of).tolist():
        rows = np.flatnonzero(of == cluster)
        at = np.array([(left - box.left + 2.0) / box.width * n_groups - 0.5])
        ends = np.array([rows[0] - 0.36]), np.array([rows[-1] + 0.36])
        marks.append(Segments(at, ends[0], at, ends[1], colour_of(cluster), 3.0))
        if not columns.upright:
            y_middle = box.top + (rows[0] + rows[-1] + 1) / 2 * _ROW + 0.36 * SMALL
            name = columns.names[cluster]
            texts.append(Text(left - 2.0, y_middle, name, SMALL, anchor="end"))
    marks += _dots(table, genes, n_groups, largest)
    return Panel(box, x, y, tuple(marks), "y", "", SMALL), texts


def _dots(table: Expression, genes: NDArray[np.int64], n_groups: int, largest: float) -> list[Dots]:
    """Return a dot for each gene and group with a cell, by size and colour."""
    means, percents = table.means[:n_groups, genes].T, table.percents[:n_groups, genes].T
    low = means.min(axis=1, keepdims=True)
    spread = np.ptp(means, axis=1, keepdims=True)
    scaled = (means - low) / np.where(spread > 0, spread, 1)
    shade = np.minimum(scaled * len(DENSITIES), len(DENSITIES) - 1).astype(np.int64)
    size = np.searchsorted(_SIZES, np.minimum(percents, 100.0))
    dots = []
    for s, share in enumerate(_SIZES):
        for n, role in enumerate(DENSITIES):
            rows, columns = np.nonzero((size == s) & (shade == n) & (percents > 0))
            if len(rows):
                radius = largest * float(np.sqrt(share / 100))
                dots.append(Dots(columns.astype(float), rows.astype(float), role, radius))
    return dots


def _legend(top: float, largest: float, paper: float) -> tuple[tuple[Panel, list[Text]], float]:
    """Return sizes and colours with their meaning, and where the rest may begin."""
    texts: list[Text] = []
    marks: list[Mark] = []
    x, y = MARGIN, top + SMALL
    deep = y

    def dot(role: str, share: float) -> None:
        at = np.array([x]), np.array([deep - SMALL * 0.36])
        marks.append(Dots(*at, role, largest * float(np.sqrt(share / 100))))

    texts.append(Text(x, deep, "cells with the gene, up to", SMALL))
    if is_narrow(paper):
        deep, x = deep + LINE, x + 6.0
    else:
        x += width(texts[-1].text, SMALL) + 10.0
    for share in _SIZES:
        dot("grey", share)
        texts.append(Text(x + largest + 2.5, deep, f"{share} %", SMALL))
        x += largest + 2.5 + width(f"{share} %", SMALL) + 10.0
    if is_narrow(paper):
        deep, x = deep + LINE + 2.0, MARGIN
    else:
        x += 8.0
    texts.append(Text(x, deep, "mean", SMALL))
    x += width("mean", SMALL) + 9.0
    for role in DENSITIES:
        dot(role, 75)
        x += 2 * largest + 1.5
    texts.append(Text(x, deep, "low to high", SMALL))
    box = PaperArea(0.0, 0.0, paper, deep + 6.0)
    axes = Axis("", Scale.LINEAR, 0.0, paper, ()), Axis("", Scale.LINEAR, box.height, 0.0, ())
    return (Panel(box, *axes, tuple(marks), "", ""), texts), deep + 12.0
