"""Annotated types of cells as figures show them: colours, labels, rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dpss.figures.elements.cell_maps import CLUSTER_COLOURS
from dpss.figures.elements.text import clean

if TYPE_CHECKING:
    from dpss.summary.annotation import Annotation
    from dpss.summary.record import Summary

N_COLOURED = len(CLUSTER_COLOURS)
"""Types that have a colour of their own: the largest."""
OTHERS, MISSING = "grey", "faint"
"""Colours of the cells of all smaller types, and of those without a type."""
_SHORT = 3
"""Most characters of a type's name that is written on the map itself."""


@dataclass(frozen=True)
class TypeRow:
    """One line of a list of types."""

    name: str
    n_cells: int
    colour: str
    label: str = ""
    """Number of the type on the map; empty without a number, or where the name is shown."""
    several: bool = False
    """Whether the line stands for all types that have none."""


def needs_types(summary: Summary) -> str | None:
    """Return why there are no annotated types, or ``None`` if there are."""
    if summary.annotation is None or not summary.annotation.types:
        return "the file has no annotation of its cells"
    return None


def annotation_of(summary: Summary) -> Annotation:
    """Return the annotation of a summary.

    Raises:
        ValueError: There is none.
    """
    if summary.annotation is None:
        raise ValueError(str(needs_types(summary)))
    return summary.annotation


def map_labels(found: Annotation) -> list[str]:
    """Return the label of each coloured type: its name if all are short, or a number.

    Numbers begin with 1, so that they are not confused with those of clusters.
    """
    names = [clean(each.name[:40]) for each in found.types[:N_COLOURED]]
    if all(0 < len(name) <= _SHORT for name in names):
        return names
    return [str(k + 1) for k in range(len(names))]


def map_colours(found: Annotation) -> list[str]:
    """Return the colour of each type, and last that of the cells without one."""
    if not found.types:
        return ["blue"]
    n_others = max(len(found.types) - N_COLOURED, 0)
    return [*CLUSTER_COLOURS[: len(found.types)], *[OTHERS] * n_others, MISSING]


def type_rows(found: Annotation, most: int) -> list[TypeRow]:
    """Return the first types, the others as one line, and the cells without a type.

    Args:
        found: The annotation.
        most: Most types with a line of their own.
    """
    labels = map_labels(found)
    named = labels == [clean(each.name[:40]) for each in found.types[:N_COLOURED]]
    rows = [
        TypeRow(
            each.name,
            each.n_cells,
            CLUSTER_COLOURS[k] if k < N_COLOURED else OTHERS,
            labels[k] if k < N_COLOURED and not named else "",
        )
        for k, each in enumerate(found.types[:most])
    ]
    rest = found.types[most:]
    if rest:
        name = f"{len(rest):,} other type" + ("s" if len(rest) > 1 else "")
        rows.append(TypeRow(name, sum(each.n_cells for each in rest), OTHERS, several=True))
    if found.n_missing:
        rows.append(TypeRow("no value", found.n_missing, MISSING))
    return rows
