"""Temporary files of numbers of single cells, written in any order."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpss.stats.cell_records import RECORD, CellRecords, HeldRecords, Records, records_of
from dpss.stats.embedding.cell_places import (
    CellPlaces,
    HeldPlaces,
    PlaceParts,
    PlaceStore,
    parts_of,
    without_places,
)

_PLACE_BYTES = 8


class _Spool:
    """A file that several threads write to, each at its own offsets."""

    def __init__(self, path: Path) -> None:
        """Make the file, or empty it."""
        self._path = path
        self._lock = threading.Lock()
        path.write_bytes(b"")

    def put(self, offset: int, data: bytes) -> None:
        """Write bytes at an offset."""
        with self._lock, self._path.open("r+b") as file:
            file.seek(offset)
            file.write(data)


class SpooledRecords(_Spool):
    """Records of cells in a file, in memory in another process; see `CellRecords`."""

    def __reduce__(self) -> tuple[type[HeldRecords], tuple[()]]:
        """Pickle as empty records in memory."""
        return HeldRecords, ()

    def begin(self) -> SpooledRecords:
        """Return itself, as several threads may add to it."""
        return self

    def add(self, start: int, measures: NDArray[np.float64]) -> None:
        """Write consecutive cells to their place; see `CellRecords`."""
        self._put(start, records_of(measures))

    def merge(self, other: CellRecords) -> None:
        """Write records that were held in memory."""
        if isinstance(other, HeldRecords):
            for start, records in other.parts.items():
                self._put(start, records)

    def _put(self, start: int, records: Records) -> None:
        self.put(start * RECORD.itemsize, records.tobytes())

    def read(self, start: int, n_cells: int) -> Records:
        """Return the records of consecutive cells; fewer at the end."""
        return np.fromfile(self._path, dtype=RECORD, count=n_cells, offset=start * RECORD.itemsize)


class SpooledPlaces(_Spool):
    """Places of cells in a file, their clusters in memory; see `PlaceStore`.

    In another process both are held in memory.
    """

    def __init__(self, path: Path, n_cells: int) -> None:
        """Make the file, or empty it.

        Args:
            path: The file.
            n_cells: Number of cells of the matrix.
        """
        super().__init__(path)
        self._labels = HeldPlaces(n_cells, with_places=False)

    def __reduce__(self) -> tuple[type[PlaceParts], tuple[()]]:
        """Pickle as an empty store in memory."""
        return PlaceParts, ()

    def begin(self) -> SpooledPlaces:
        """Return itself, as several threads may add to it."""
        return self

    def add(self, start: int, cells: CellPlaces) -> None:
        """Write consecutive cells to their place; see `PlaceStore`."""
        self._labels.add(start, without_places(cells.labels))
        self.put(start * _PLACE_BYTES, cells.places.tobytes())

    def merge(self, other: PlaceStore) -> None:
        """Write cells that were held in memory."""
        if other is not self:
            for start, cells in parts_of(other):
                self.add(start, cells)

    def cells(self) -> CellPlaces:
        """Return the clusters of all cells, without places."""
        return self._labels.cells()

    def read(self, start: int, n_cells: int) -> NDArray[np.float32]:
        """Return places of consecutive cells, shape ``(n_cells, 2)``; fewer at the end."""
        flat = np.fromfile(
            self._path, dtype=np.float32, count=2 * n_cells, offset=start * _PLACE_BYTES
        )
        return flat.reshape(-1, 2)
