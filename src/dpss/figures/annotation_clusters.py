"""Figure of the agreement of clusters and annotated types: a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.errors import plural
from dpss.figures.base import Figure
from dpss.figures.elements.cell_maps import needs_embedding
from dpss.figures.elements.cell_types import annotation_of, needs_types
from dpss.figures.elements.layout import (
    GAP,
    LINE,
    MARGIN,
    SMALL,
    add_note,
    heading,
    is_narrow,
    legend,
)
from dpss.figures.elements.marks import Mark, Page, Panel, PaperArea, Rectangles, Text
from dpss.figures.elements.specification import Axis, LegendEntry, Scale
from dpss.figures.elements.text import elide_names, width

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Clusters and annotated types"
_ROW = 14.0
_MAX_GROUPS = 40
"""Most types, and most clusters, that are drawn."""
_NAME = 150.0
_NARROW_NAME = 92.0
_MAX_COLUMN = 34.0
"""Width of a column where there is room."""
_MIN_PERCENT = 1.0
"""Percentage below which a field is empty."""
_EDGES = (10.0, 25.0, 50.0, 75.0)
"""Percentages at which the colour changes."""
_SHADES = ("blue_soft", "density1", "density2", "density4", "density5")
"""Colours of fields, from few to many of a type's cells."""
_MIN_WRITTEN = 5.0
"""Least percentage that is written in its field."""
_NUMBER = SMALL - 1.0
_DARK = 2
"""First colour on which numbers have that of the ground."""


def needs(summary: Summary) -> str | None:
    """Return why clusters and types can't be compared, or ``None`` if they can."""
    reason = needs_types(summary) or needs_embedding(summary)
    if reason is None and summary.annotation is not None and summary.annotation.clusters is None:
        return "the clusters are of other cells than the annotation"
    return reason


def reading(summary: Summary) -> str:
    """Return the caption: it explains rows, columns and percentages."""
    said = (
        "Each row is a type of cells by the authors' annotation, each column a cluster of this "
        "program; the colour and number are the percentage of the type's cells in the cluster. "
        "Types are ordered by their main cluster. "
    )
    index = summary.annotation.adjusted_rand_index if summary.annotation is not None else None
    if index is not None:
        said += f"The adjusted Rand index is {index:.2f}: "
        return said + "1 is the same grouping, 0 no more agreement than by chance."
    return said.rstrip()


def layout(summary: Summary, paper: float) -> Page:
    """Lay out the table of percentages with the meaning of its colours above."""
    found = annotation_of(summary)
    table = found.clusters
    if table is None:
        raise ValueError(str(needs(summary)))
    percents, order = ordered_percents(table)
    head = heading(summary, TITLE, paper)
    bounds = (_MIN_PERCENT, *_EDGES, 100.0)
    entries = [
        LegendEntry("bin", role, f"{low:.0f} to {high:.0f} %")
        for role, low, high in zip(_SHADES, bounds[:-1], bounds[1:], strict=True)
    ]
    key = legend(entries, MARGIN, head.bottom, paper - MARGIN)
    texts = [*head.texts, *key.texts]
    room = _NARROW_NAME if is_narrow(paper) else _NAME
    names = elide_names([found.types[k].name for k in order.tolist()], room, SMALL)
    left = MARGIN + max(width(name, SMALL) for name in (*names, "cluster")) + GAP
    n_rows, n_columns = percents.shape
    column = min((paper - MARGIN - left) / n_columns, _MAX_COLUMN)
    box = PaperArea(left, key.bottom + LINE + 8.0, column * n_columns, n_rows * _ROW)
    ticks = tuple((float(row), name) for row, name in enumerate(names))
    panel = Panel(
        box,
        Axis("", Scale.LINEAR, -0.5, n_columns - 0.5, ()),
        Axis("", Scale.LINEAR, n_rows - 0.5, -0.5, ticks),
        _fields(percents),
        grid="",
        frame="",
        name_size=SMALL,
    )
    texts.append(Text(left - GAP, box.top - 4.0, "cluster", SMALL, anchor="end"))
    # Numbers of columns that are narrower than their numbers: every second, every third.
    each = int(np.ceil((width(str(n_columns - 1), SMALL) + 2.0) / column))
    for k in range(0, n_columns, each):
        middle = box.left + (k + 0.5) * column
        texts.append(Text(middle, box.top - 4.0, str(k), SMALL, anchor="middle"))
    if column >= width("100", _NUMBER) + 1.0:
        texts += _numbers(percents, panel)
    said = _remarks(found.adjusted_rand_index, len(table) - n_rows, table.shape[1] - n_columns)
    notes, height = add_note(paper, box.bottom + 14.0, said)
    return Page(TITLE, paper, height, (panel,), (*texts, *notes), key.swatches)


def ordered_percents(
    table: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the percentages of the first types and clusters, and each row's type.

    Types are ordered by the cluster that has most of their cells, then by how many it has.

    Args:
        table: Cells by type and cluster, shape ``(n_types, n_clusters)``.
    """
    totals = np.maximum(table[:_MAX_GROUPS].sum(axis=1), 1)
    percents = 100 * table[:_MAX_GROUPS, :_MAX_GROUPS] / totals[:, None]
    order = np.lexsort((-percents.max(axis=1), percents.argmax(axis=1)))
    return percents[order], order


def _fields(percents: NDArray[np.float64]) -> tuple[Mark, ...]:
    """Return the fields of each colour; those of hardly any cells are empty."""
    shades = np.searchsorted(_EDGES, percents, side="right")
    half = 0.46
    found: list[Mark] = []
    for n, role in enumerate(_SHADES):
        y, x = np.nonzero((shades == n) & (percents >= _MIN_PERCENT))
        if len(x):
            left, top = x.astype(np.float64) - half, y.astype(np.float64) - half
            found.append(Rectangles(left, top + 2 * half, left + 2 * half, top, role))
    return tuple(found)


def _numbers(percents: NDArray[np.float64], panel: Panel) -> list[Text]:
    """Return the percentages of fields with more than a few cells."""
    texts = []
    y, x = np.nonzero(percents >= _MIN_WRITTEN)
    across, down = panel.place(x.astype(np.float64), y.astype(np.float64))
    shades = np.searchsorted(_EDGES, percents[y, x], side="right")
    for n, value in enumerate(percents[y, x].tolist()):
        colour = "background" if shades[n] >= _DARK else "ink"
        at = float(across[n]), float(down[n]) + 0.36 * _NUMBER
        texts.append(Text(*at, f"{value:.0f}", _NUMBER, colour, anchor="middle"))
    return texts


def _remarks(index: float | None, n_types: int, n_clusters: int) -> str:
    """Return the index and the omissions, as one line."""
    said = [] if index is None else [f"Adjusted Rand index {index:.3f}"]
    left_out = [plural(n_types, "smaller type")] if n_types > 0 else []
    left_out += [plural(n_clusters, "smaller cluster")] if n_clusters > 0 else []
    if left_out:
        said.append(f"left out: {' and '.join(left_out)}")
    return "; ".join(said)


ANNOTATION_CLUSTERS = Figure("annotation_clusters", TITLE, reading, needs, layout)
