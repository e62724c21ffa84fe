"""Choice of the column and the coordinates of the authors' annotation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dpss.engine.annotated_map import read_map
from dpss.engine.cell_labels import (
    MAX_MESSAGE,
    CellLabels,
    one_line,
    rank_columns,
    rank_coordinates,
    read_labels,
)
from dpss.errors import ColumnError, FetchError, MatrixError
from dpss.formats.base import CellCoordinates, CellTable
from dpss.formats.faults import reader_faults
from dpss.summary.annotation import AnnotatedMap
from dpss.summary.record import Check

T = TypeVar("T")

NONE = "none"
"""Value of the options that takes no column or no coordinates."""
_SHOWN = 40
"""Most names that a message lists."""
NO_LABELS = CellLabels((), np.empty(0, dtype=np.int16))


@dataclass(frozen=True)
class AnnotationRequest:
    """Requested column and coordinates; ``None`` takes the best."""

    column: str | None = None
    coordinates: str | None = None


@dataclass(frozen=True)
class AnnotationNotes:
    """Warnings about parts of the authors' annotation that can't be read."""

    checks: list[Check] = field(default_factory=list)

    def warn(self, sentence: str) -> None:
        """Add a warning; characters that are no text become spaces."""
        self.checks.append(Check("annotation", "warn", one_line(sentence, MAX_MESSAGE)))

    def attempt(self, read: Callable[[], T], subject: str) -> T | None:
        """Return a function's result; ``None`` and a warning after a fault of the file.

        Raises:
            FetchError: The bytes can't be read, which is not a fault of the file.
        """
        try:
            with reader_faults("annotation"):
                return read()
        except FetchError:
            raise
        except MatrixError as error:
            self.warn(f"{subject} is left out: {error}.")
            return None


def choose_labels(
    cells: CellTable | None,
    columns: Sequence[str],
    n_cells: int,
    wanted: str | None,
    notes: AnnotationNotes,
) -> tuple[str | None, CellLabels]:
    """Return the column of the cells' types and its labels; ``None`` without one.

    Args:
        cells: The table of the cells.
        columns: Its columns.
        n_cells: Number of cells of the matrix.
        wanted: The requested column.
        notes: Takes a warning for each column that can't be read.
    """
    if cells is None or wanted == NONE:
        return None, NO_LABELS
    if wanted is not None and wanted not in columns:
        listed = ", ".join(columns[:_SHOWN]) or "none"
        notes.warn(f"There is no column {wanted} of the cells; there is: {listed}.")
        return None, NO_LABELS
    for column in [wanted] if wanted is not None else rank_columns(columns):
        read = partial(read_labels, cells, column, n_cells)
        labels = notes.attempt(read, f"The annotation {column}")
        if labels is not None:
            return column, labels
    return None, NO_LABELS


def list_coordinates(
    coordinates: CellCoordinates | None, wanted: str | None, notes: AnnotationNotes
) -> tuple[list[str], list[str]]:
    """Return names of coordinates that may be shown, best first, and of all.

    Args:
        coordinates: Coordinates of the file.
        wanted: Name of the requested coordinates.
        notes: Takes a warning where they do not exist, or can't be listed.
    """
    if coordinates is None or wanted == NONE:
        return [], []
    names = notes.attempt(coordinates.names, "The authors' map (obsm)") or []
    if wanted is None:
        maps, others = rank_coordinates(names)
        return [*maps, *others], names
    if wanted in names:
        return [wanted], names
    listed = ", ".join(names[:_SHOWN]) or "none"
    notes.warn(f"There are no coordinates {wanted}; there are: {listed}.")
    return [], names


def choose_map(
    coordinates: CellCoordinates,
    candidates: Sequence[str],
    labels: CellLabels,
    kept: NDArray[np.bool_],
    notes: AnnotationNotes,
) -> AnnotatedMap | None:
    """Read the first of the coordinates that can be read; ``None`` where none can.

    Args:
        coordinates: Coordinates of the file.
        candidates: Names of coordinates, the best first. Those without the name of a map are shown
            only if they have two axes.
        labels: Type of each cell.
        kept: Whether each cell is kept, shape ``(n_cells,)``.
        notes: Takes a warning for each that can't be read.
    """
    named, _ = rank_coordinates(candidates)
    for name in candidates:
        if len(candidates) > 1 and name not in named and not _is_flat(coordinates, name, notes):
            continue
        read = partial(read_map, coordinates, name, labels, kept)
        found = notes.attempt(read, f"The embedding {name}")
        if found is not None:
            return found
    return None


def _is_flat(coordinates: CellCoordinates, name: str, notes: AnnotationNotes) -> bool:
    """Return whether coordinates have two axes; a warning where they can't be read."""

    def count() -> int:
        try:
            return coordinates.n_axes(name)
        except ColumnError:
            return 0  # Not coordinates, but a table or a vector.

    return notes.attempt(count, f"The embedding {name}") == 2
