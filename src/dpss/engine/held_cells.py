"""The measures of all cells in memory, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dpss.stats.cell_records import RECORD, HeldRecords, Records
from dpss.stats.embedding.cell_places import HeldPlaces

if TYPE_CHECKING:
    from dpss.formats.base import CellTable
    from dpss.stats.embedding.cell_places import PlaceStore
    from dpss.summary.record import Summary


class HeldCells:
    """Measures of each cell, 20 bytes a cell; see `dpss.engine.summarizer.CellSink`."""

    def __init__(self) -> None:
        """Start without cells."""
        self.records = HeldRecords()

    def open_places(self, n_cells: int) -> PlaceStore:
        """Return an empty store in memory for the clusters and places of so many cells."""
        return HeldPlaces(n_cells)

    def write(self, cells: CellTable | None, summary: Summary) -> tuple[tuple[str, str, str], ...]:
        """Write nothing."""
        return ()

    def joined(self) -> Records:
        """Return the records of all cells in the matrix's order, shape ``(n_cells,)``."""
        parts = [self.records.parts[start] for start in sorted(self.records.parts)]
        return np.concatenate(parts) if parts else np.empty(0, dtype=RECORD)
