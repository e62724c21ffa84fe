"""Figure of the cells on the file's own map, in the colours of their types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.errors import plural
from dpss.figures.annotations import column_name
from dpss.figures.base import Figure
from dpss.figures.elements.cell_maps import numbered_map
from dpss.figures.elements.cell_types import (
    N_COLOURED,
    annotation_of,
    map_colours,
    map_labels,
    type_rows,
)
from dpss.figures.elements.layout import MARGIN, MEDIUM, SMALL, add_note, heading, is_narrow
from dpss.figures.elements.marks import Page, PaperArea, Swatch, Text
from dpss.figures.elements.text import elide, elide_names, width
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    from dpss.summary.annotation import Annotation
    from dpss.summary.record import Summary

TITLE = "The authors' map of the cells"
_LIST = 172.0
"""Width of the list of types beside the map."""
_BETWEEN = 14.0
_ROW = 13.5


def needs(summary: Summary) -> str | None:
    """Return why there is no map, or ``None`` if there is."""
    if summary.annotation is None or summary.annotation.map is None:
        return "the file has no map of its cells"
    return None


def reading(summary: Summary) -> str:
    """Return the caption: it explains the map and the colours."""
    found = summary.annotation
    if found is None or found.map is None:
        return "The cells as their authors placed them."
    shown = found.map
    said = f"The cells as the file places them: {column_name(shown.name)}"
    said += f", the first two of its {plural(shown.n_axes, 'axis')}. " if shown.n_axes > 2 else ". "
    if found.types:
        said += f"Colours are the values of {column_name(str(found.column))}, the authors' "
        said += "annotation. "
        if len(found.types) > N_COLOURED:
            n_others = len(found.types) - N_COLOURED
            said += f"The {N_COLOURED} largest have a colour; {n_others:,} others are grey. "
        if found.n_missing:
            said += "Cells without a value are light grey. "
    said += "Stronger colours are more cells."
    if shown.n_left_out:
        n = shown.n_left_out
        said += f" {plural(n, 'cell')} {'has' if n == 1 else 'have'} no place."
    return said


def layout(summary: Summary, paper: float) -> Page:
    """Lay out the map and, beside or below it, the list of the types."""
    found = annotation_of(summary)
    shown = found.map
    if shown is None:
        raise ValueError(str(needs(summary)))
    head = heading(summary, TITLE, paper)
    narrow = is_narrow(paper)
    side = paper - 2 * MARGIN - (0.0 if narrow else _LIST + _BETWEEN)
    box = PaperArea(MARGIN, head.bottom + 6.0, side, side)
    panel, labels = numbered_map(shown.cells, box, map_labels(found), map_colours(found))
    name = elide(shown.name, side - 60.0, SMALL)
    texts = [
        *head.texts,
        *labels,
        Text(box.left, box.bottom + 12.0, f"{name}, axis 1", SMALL),
        Text(box.left - 5.0, box.bottom, f"{name}, axis 2", SMALL, upward=True),
    ]
    listed: list[Text] = []
    swatches: list[Swatch] = []
    bottom = box.bottom
    if found.types and narrow:
        top = box.bottom + 26.0
        listed, swatches, bottom = _list(found, MARGIN, top, paper - 2 * MARGIN)
    elif found.types:
        listed, swatches, bottom = _list(found, box.right + _BETWEEN, box.top - 6.0, _LIST)
    said = "All types are in annotations.csv." if len(found.types) > N_COLOURED else ""
    notes, height = add_note(paper, max(bottom, box.bottom + 20.0) + 6.0, said)
    return Page(TITLE, paper, height, (panel,), (*texts, *notes, *listed), tuple(swatches))


def _list(
    found: Annotation, left: float, top: float, room: float
) -> tuple[list[Text], list[Swatch], float]:
    """Return a row per type with colour, number and share, and the list's end."""
    right = left + room
    column = elide(found.column or "", room - 40.0, SMALL)
    texts = [
        Text(left, top + SMALL, column, SMALL),
        Text(right, top + SMALL, "cells", SMALL, anchor="end"),
    ]
    swatches: list[Swatch] = []
    rows = type_rows(found, N_COLOURED)
    shares = [percent(100 * row.n_cells / found.n_cells) for row in rows]
    numbered = max(width(row.label, SMALL, bold=True) for row in rows)
    start = left + 12.0 + (numbered + 5.0 if numbered else 0.0)
    end = right - max(width(share, SMALL) for share in shares) - 6.0
    names = elide_names([row.name for row in rows], end - start, SMALL)
    y = top + SMALL
    for row, name, share in zip(rows, names, shares, strict=True):
        y += _ROW
        swatches.append((left + 4.0, y - MEDIUM * 0.36, "dot", row.colour))
        if row.label:
            texts.append(Text(left + 12.0, y, row.label, SMALL, "ink", bold=True))
        texts.append(Text(start, y, name, SMALL, "ink"))
        texts.append(Text(right, y, share, SMALL, anchor="end"))
    return texts, swatches, y + 6.0


AUTHORS_EMBEDDING = Figure("authors_embedding", TITLE, reading, needs, layout)
