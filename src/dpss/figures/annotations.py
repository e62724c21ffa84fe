"""Figure of the number of cells of each annotated type, as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dpss.figures.base import Figure
from dpss.figures.elements.cell_types import annotation_of, needs_types, type_rows
from dpss.figures.elements.layout import GAP, MARGIN, SMALL, add_note, heading, is_narrow
from dpss.figures.elements.marks import Page, Panel, PaperArea, Rectangles, Text
from dpss.figures.elements.specification import Axis, Scale
from dpss.figures.elements.text import clean, elide_names, width
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Annotated types of cells"
_ROW = 15.0
_MAX_TYPES = 40
_NAME = 190.0
_NARROW_NAME = 104.0
_HALF = 0.34
_BETWEEN = 8.0
_SHOWN_COLUMNS = 8
_MAX_CHARACTERS = 60
"""Most characters of a column's name in a sentence."""


def reading(summary: Summary) -> str:
    """Return the caption: it explains the bars and lists other columns."""
    found = summary.annotation
    column = column_name(found.column) if found is not None and found.column else "the annotation"
    said = f"Each bar is a value of {column}, the authors' annotation of the cells, with its "
    said += "number of kept cells and their percentage."
    if found is not None and found.other_columns:
        listed = ", ".join(map(column_name, found.other_columns[:_SHOWN_COLUMNS]))
        n_more = len(found.other_columns) - _SHOWN_COLUMNS
        listed += f" and {n_more:,} more" if n_more > 0 else ""
        said += f" Other columns of the file that could be shown (--annotation): {listed}."
    return said


def column_name(name: str) -> str:
    """Return the name of a column or of coordinates as one short line."""
    line = clean(name[: 4 * _MAX_CHARACTERS])
    return line if len(line) <= _MAX_CHARACTERS else line[: _MAX_CHARACTERS - 1] + "…"


def layout(summary: Summary, paper: float) -> Page:
    """Lay out one bar per type, the largest first."""
    found = annotation_of(summary)
    head = heading(summary, TITLE, paper)
    rows = type_rows(found, _MAX_TYPES)
    room = _NARROW_NAME if is_narrow(paper) else _NAME
    names = elide_names([row.name for row in rows], room, SMALL)
    sizes = [f"{row.n_cells:,}" for row in rows]
    shares = [percent(100 * row.n_cells / found.n_cells) for row in rows]
    left = MARGIN + max(width(name, SMALL) for name in names) + GAP
    right = paper - MARGIN
    at_size = right - max(width(text, SMALL) for text in (*shares, "of all")) - _BETWEEN
    end = at_size - max(width(text, SMALL) for text in (*sizes, "cells")) - _BETWEEN
    texts = [
        *head.texts,
        Text(at_size, head.bottom + SMALL, "cells", SMALL, anchor="end"),
        Text(right, head.bottom + SMALL, "of all", SMALL, anchor="end"),
    ]
    box = PaperArea(left, head.bottom + 14.0, end - left, len(rows) * _ROW)
    for k, (size, share) in enumerate(zip(sizes, shares, strict=True)):
        y = box.top + (k + 0.5) * _ROW + SMALL * 0.36
        texts.append(Text(at_size, y, size, SMALL, "ink", anchor="end"))
        texts.append(Text(right, y, share, SMALL, "ink", anchor="end"))
    # A bar of all other types together would hide how the types compare.
    bars = [(k, row) for k, row in enumerate(rows) if not row.several]
    most = float(max(row.n_cells for _, row in bars))
    x = Axis("", Scale.LINEAR, 0.0, most, ())
    ticks = tuple((float(k), name) for k, name in enumerate(names))
    y_axis = Axis("", Scale.LINEAR, len(rows) - 0.5, -0.5, ticks)
    none = np.zeros(1)
    marks = tuple(
        Rectangles(none, none + k + _HALF, none + row.n_cells, none + k - _HALF, row.colour)
        for k, row in bars
    )
    panel = Panel(box, x, y_axis, marks, grid="", frame="", name_size=SMALL)
    said = "All types are in annotations.csv." if len(found.types) > _MAX_TYPES else ""
    notes, height = add_note(paper, box.bottom + 12.0, said)
    return Page(TITLE, paper, height, (panel,), (*texts, *notes))


ANNOTATIONS = Figure("annotations", TITLE, reading, needs_types, layout)
