"""Markers of each annotated type and their expression in all types: a dot plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.errors import plural
from dpss.figures.base import Figure
from dpss.figures.elements.cell_types import annotation_of, needs_types
from dpss.figures.elements.dot_plot import dot_plot
from dpss.figures.elements.layout import add_note, heading
from dpss.figures.elements.marks import Page

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Marker genes of the annotated types"


def needs(summary: Summary) -> str | None:
    """Return why there are no markers, or ``None`` if there are."""
    reason = needs_types(summary)
    found = summary.annotation
    if reason is not None or found is None:
        return reason
    if found.expression is None:
        return found.no_markers_reason or "no gene marks a type"
    return None if found.markers else "no gene marks a type"


def reading(summary: Summary) -> str:
    """Return the caption: it explains sizes and colours of the dots."""
    return (
        "Each row is a gene, each column a type of cells by the authors' annotation. A dot is as "
        "large as there are many cells of the type with the gene, and as dark as its mean "
        "expression, from the gene's lowest to its highest mean. The bars at the names tell which "
        "type a gene is a marker of: the best by the rank-sum test against the cells of all other "
        "types."
    )


def layout(summary: Summary, paper: float) -> Page:
    """Lay out the genes in one block or, on wide paper, in two side by side."""
    found = annotation_of(summary)
    table = found.expression
    if table is None:
        raise ValueError("there are no markers")
    head = heading(summary, TITLE, paper)
    types = [each.name for each in found.types[: len(table.means)]]
    genes = summary.gene_labels(table.genes)
    dots = dot_plot(table, genes, types, head.bottom, paper, upright=True)
    said = _left_out(len(types) - dots.n_groups, found.no_markers_reason)
    notes, height = add_note(paper, dots.bottom + 14.0, said)
    return Page(TITLE, paper, height, dots.panels, (*head.texts, *dots.texts, *notes))


def _left_out(n_types: int, reason: str) -> str:
    """Return which types are not drawn, as one line; empty where all are."""
    said = []
    if n_types > 0:
        verb = "is" if n_types == 1 else "are"
        said.append(f"{plural(n_types, 'smaller type')} {verb} in annotation_markers.csv")
    return "; ".join([*said, *([reason] if reason else [])])


ANNOTATION_MARKERS = Figure("annotation_markers", TITLE, reading, needs, layout)
