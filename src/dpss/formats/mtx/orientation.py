"""Orientation of a MatrixMarket file, by the lengths of the tables beside it.

The table of genes must fit. A table of cells that fits is further evidence. A warning tells of one
that does not fit or can't be read, if the table of genes fits one axis only: no number depends on
names of cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dpss.errors import CorruptMatrixError
from dpss.formats.annotation.cell_names import note_cell_names, note_unreadable_cells
from dpss.formats.annotation.gene_table import Note
from dpss.formats.mtx.header import MtxHeader
from dpss.formats.mtx.roles import RoleEvidence, Table, Tables, describe_contradiction
from dpss.formats.mtx.tables import count_lines
from dpss.model import Certainty, Decision
from dpss.storage.base import Blob


@dataclass(frozen=True)
class Orientation:
    """The axis that counts the cells, and the tables that fit."""

    cell_axis: int
    """0 if cells are rows, 1 if they are columns."""
    genes: Table | None
    cells: Table | None
    other_genes: tuple[Table, ...] = ()
    """Further tables with a line for each gene, and no header."""
    notes: tuple[Note, ...] = field(default=())

    @property
    def used(self) -> dict[str, Table]:
        """The tables that fit, by role."""
        pairs = {"genes": self.genes, "cells": self.cells}
        return {kind: table for kind, table in pairs.items() if table is not None}

    @property
    def n_stated(self) -> int:
        """Number of tables that fit the axis stated by their name."""
        axes = {"cells": self.cell_axis, "genes": 1 - self.cell_axis}
        return sum(table.axis == axes[kind] for kind, table in self.used.items())


def orient(blob: Blob, header: MtxHeader, tables: Tables) -> Orientation:
    """Return the axis of the cells, and the tables that fit, by the tables' lengths.

    Args:
        blob: The matrix, for messages.
        header: Its header.
        tables: Tables that may belong to it.

    Raises:
        CorruptMatrixError: The tables do not fit the shape, or the table of genes is damaged.
    """
    sides = (header.n_rows, header.n_columns)
    genes = [(table, count_lines(table.blob, max(sides) + 1)) for table in tables["genes"]]
    cells, notes = _measure_cells(tables["cells"], sides)
    lengths = {"genes": _with_lines(genes, sides), "cells": _with_lines(cells, sides)}
    found = _find_axis(lengths, sides)
    if found is None:
        found = _find_axis_by_genes(lengths["genes"], sides)
        notes += _note_misfit(lengths["cells"], sides[found.cell_axis]) if found else ()
    if found is None:
        raise CorruptMatrixError(_explain_misfit(blob, header, lengths))
    n_genes = sides[1 - found.cell_axis]
    others = (table for table, n in lengths["genes"] if n == n_genes and table != found.genes)
    notes = (*notes, *_notes_on(found))
    return replace(found, other_genes=tuple(others), notes=notes)


_Lengths = Sequence[tuple[Table, int]]


def _with_lines(lengths: _Lengths, sides: tuple[int, int]) -> _Lengths:
    """Return the tables with lines: the service's barcodes of plates are empty."""
    return [(table, n) for table, n in lengths if n or 0 in sides]


def _measure_cells(
    tables: Sequence[Table], sides: tuple[int, int]
) -> tuple[list[tuple[Table, int]], tuple[Note, ...]]:
    """Count the lines of tables of cells, and return notes about unreadable ones."""
    lengths: list[tuple[Table, int]] = []
    notes: tuple[Note, ...] = ()
    for table in tables:
        try:
            lengths.append((table, count_lines(table.blob, max(sides) + 1)))
        except CorruptMatrixError as error:
            notes += note_unreadable_cells(table.blob.name, error, table.blob.url)
    return lengths, notes


def _find_axis(lengths: Mapping[str, _Lengths], sides: tuple[int, int]) -> Orientation | None:
    """Return the axis that the tables of genes and of cells fit best, if they fit one."""
    best: tuple[tuple[int, int], Orientation] | None = None
    for cell_axis in (1, 0):
        genes = _best_fit(lengths["genes"], sides[1 - cell_axis])
        cells = _best_fit(lengths["cells"], sides[cell_axis])
        if _is_missed(lengths["genes"], genes) or _is_missed(lengths["cells"], cells):
            continue
        # A table as long as its axis is better evidence than one with a header.
        fitting = sum(2 - fit[1] for fit in (genes, cells) if fit is not None)
        found = Orientation(cell_axis, genes[0] if genes else None, cells[0] if cells else None)
        # Both axes of a square matrix fit: names that state an axis decide.
        score = (fitting, found.n_stated)
        if best is None or score > best[0]:
            best = (score, found)
    return best[1] if best else None


def _find_axis_by_genes(genes: _Lengths, sides: tuple[int, int]) -> Orientation | None:
    """Return the axis that a table of genes fits, if it fits only one.

    A table known by its name only has to fit the rows, where the format's writers put genes.
    """
    fits = {axis: _best_fit(genes, sides[1 - axis]) for axis in (1, 0)}
    found = [(axis, fit[0]) for axis, fit in fits.items() if fit is not None]
    if len(found) != 1:
        return None
    ((axis, table),) = found
    if axis == 0 and table.evidence not in (RoleEvidence.CONTENT, RoleEvidence.AGAINST_NAME):
        return None
    return Orientation(axis, table, None)


def _note_misfit(cells: _Lengths, n_cells: int) -> tuple[Note, ...]:
    """Return a warning for each table of cells that must fit and does not."""
    return tuple(
        note
        for table, n in cells
        if table.sure
        for note in note_cell_names(table.blob.name, n, n_cells)
    )


def _notes_on(found: Orientation) -> list[Note]:
    """Return a warning for each table whose content contradicts its name."""
    return [
        ("orientation", "warn", describe_contradiction(table, kind))
        for kind, table in found.used.items()
        if table.evidence is RoleEvidence.AGAINST_NAME
    ]


def decide_orientation(found: Orientation, header: MtxHeader) -> Decision:
    """Return the orientation with its evidence."""
    value = "cells × genes" if found.cell_axis == 0 else "genes × cells"
    kinds = {table.evidence for table in found.used.values()}
    names = " and ".join(table.blob.name for table in found.used.values())
    by_content = kinds & {RoleEvidence.CONTENT, RoleEvidence.AGAINST_NAME}
    certainty = Certainty.ASSUMED
    if not kinds:
        evidence = "No tables tell genes from cells: rows are taken for genes."
    elif header.n_rows == header.n_columns and not (found.n_stated and by_content):
        evidence = "The matrix is square: its rows are taken for genes."
    elif kinds == {RoleEvidence.AXIS}:
        evidence = f"{names} tell rows from columns, not genes from cells: "
        evidence += "rows are taken for genes."
    else:
        evidence = f"The lengths of {names} fit."
        if header.n_rows == header.n_columns:
            evidence = (
                f"The names of {names} tell rows from columns, what they hold genes from cells."
            )
        certainty = Certainty.TOLD_BY_CONTENT if by_content else Certainty.STATED
    return Decision("orientation", value, evidence, certainty, changes_numbers=True)


def _best_fit(lengths: _Lengths, side: int) -> tuple[Table, int] | None:
    """Return the first table that fits an axis, and its header lines (0 or 1)."""
    return next(((table, n - side) for table, n in lengths if n - side in (0, 1)), None)


def _is_missed(lengths: _Lengths, fit: tuple[Table, int] | None) -> bool:
    """Return whether no table fits although one must."""
    return fit is None and any(table.sure for table, _ in lengths)


def _explain_misfit(blob: Blob, header: MtxHeader, lengths: Mapping[str, _Lengths]) -> str:
    most = max(header.n_rows, header.n_columns) + 1
    said = " and ".join(
        f"{table.blob.name} has {'more than ' if n > most else ''}{min(n, most):,}"
        for table, n in (*lengths["genes"][:1], *lengths["cells"][:1])
    )
    return (
        f"{blob.url}: is {header.n_rows:,} × {header.n_columns:,}, but its tables do not fit: "
        f"{said} lines"
    )
