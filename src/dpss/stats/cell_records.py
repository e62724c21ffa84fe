"""Records of single cells: the measures of each, for tables with a line per cell."""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from dpss.stats.kernels import layout

RECORD = np.dtype([("n_genes", "<i4"), ("total", "<f8"), ("total_mt", "<f8")])
"""One cell, 20 bytes: genes detected, -1 for a cell that is not kept; counts; counts in
mitochondrial genes."""

Records = NDArray[Any]
"""Records of consecutive cells, shape ``(n_cells,)``, dtype `RECORD`."""


class CellRecords(Protocol):
    """Records of the cells of a matrix, added in any order.

    Duties of an implementation: several threads may add at once; a part that is added again
    replaces itself; in another process the records start empty, and are merged when they return.
    """

    def begin(self) -> CellRecords:
        """Return the records to add to: itself, or empty ones to be merged later."""

    def add(self, start: int, measures: NDArray[np.float64]) -> None:
        """Add consecutive cells.

        Args:
            start: Index of the first cell in the matrix.
            measures: Shape ``(n_cells, N_MEASURES)``, columns as in `layout`.
        """

    def merge(self, other: CellRecords) -> None:
        """Add all records of another one; nothing happens where it is the same."""


class HeldRecords:
    """Records in memory, by the index of the first cell of each part."""

    def __init__(self) -> None:
        """Make empty ones."""
        self.parts: dict[int, Records] = {}

    def begin(self) -> Self:
        """Return new, empty ones."""
        return type(self)()

    def add(self, start: int, measures: NDArray[np.float64]) -> None:
        """Add consecutive cells; see `CellRecords`."""
        self.parts[start] = records_of(measures)

    def merge(self, other: CellRecords) -> None:
        """Add all records of another one in memory."""
        if isinstance(other, HeldRecords):
            self.parts |= other.parts


def records_of(measures: NDArray[np.float64]) -> Records:
    """Return the records of cells, from measures ``(n_cells, N_MEASURES)``."""
    found = np.empty(len(measures), dtype=RECORD)
    found["n_genes"] = measures[:, layout.N_GENES_BY_COUNTS]
    found["total"] = measures[:, layout.TOTAL_COUNTS]
    found["total_mt"] = measures[:, layout.COUNTS_MT]
    return found
