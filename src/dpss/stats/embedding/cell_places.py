"""Cluster and place on the map of each cell, added in parts, in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, plural

_CELLS_AT_A_TIME = 1 << 16


@dataclass(frozen=True)
class CellPlaces:
    """Cluster and place of each cell of the matrix."""

    labels: NDArray[np.int16]
    """Cluster from 0, -1 for a cell that is not kept, shape ``(n_cells,)``."""
    places: NDArray[np.float32]
    """Place on the map, NaN for a cell that is not kept, shape ``(n_cells, 2)``; ``(0, 2)`` where
    places are in a file, or nothing asks for them."""


class PlaceStore(Protocol):
    """Clusters and places of cells while they are found.

    Duties of an implementation: several threads may add at once; a part that is added again
    replaces itself; in another process the store has no cells, and is merged when it returns.
    """

    def begin(self) -> PlaceStore:
        """Return the store to add to: itself, or an empty one to be merged later."""

    def add(self, start: int, cells: CellPlaces) -> None:
        """Add consecutive cells with their places.

        Args:
            start: Index of the first cell in the matrix.
            cells: The cells.
        """

    def merge(self, other: PlaceStore) -> None:
        """Add all cells of another one; nothing happens where it is the same."""

    def cells(self) -> CellPlaces:
        """Return all cells, as far as they are in memory."""


class PlaceParts:
    """Cells of another process, by the index of the first cell of each part."""

    def __init__(
        self, parts: dict[int, CellPlaces] | None = None, *, with_places: bool = True
    ) -> None:
        """Hold these parts.

        Args:
            parts: Consecutive cells, by the index of the first one.
            with_places: Whether places are held, too.
        """
        self.parts = {} if parts is None else parts
        self._with_places = with_places

    def begin(self) -> Self:
        """Return new, empty ones."""
        return type(self)(with_places=self._with_places)

    def add(self, start: int, cells: CellPlaces) -> None:
        """Add consecutive cells; see `PlaceStore`."""
        self.parts[start] = cells if self._with_places else without_places(cells.labels)

    def merge(self, other: PlaceStore) -> None:
        """Add all cells of another one."""
        for start, cells in parts_of(other):
            self.add(start, cells)

    def cells(self) -> CellPlaces:
        """Return all cells, in the order of the matrix."""
        found = [self.parts[start] for start in sorted(self.parts)]
        return CellPlaces(
            np.concatenate([np.empty(0, np.int16), *(part.labels for part in found)]),
            np.concatenate([np.empty((0, 2), np.float32), *(part.places for part in found)]),
        )


class HeldPlaces:
    """Cells in two arrays shared by threads: 10 bytes per cell, 2 without places."""

    def __init__(self, n_cells: int, *, with_places: bool = True) -> None:
        """Allocate memory for the cells of a matrix.

        Args:
            n_cells: Number of cells, kept or not.
            with_places: Whether places are held, too.
        """
        self._labels = np.full(n_cells, -1, dtype=np.int16)
        self._with_places = with_places
        self._places = np.full((n_cells if with_places else 0, 2), np.nan, np.float32)
        self._added: list[range] = []

    def __reduce__(self) -> tuple[Callable[..., PlaceParts], tuple[dict[int, CellPlaces]]]:
        """Pickle as the parts that were added."""
        make = partial(PlaceParts, with_places=self._with_places)
        return make, (dict(self.parts()),)

    def begin(self) -> Self:
        """Return this one: it may be added to from several threads."""
        return self

    def add(self, start: int, cells: CellPlaces) -> None:
        """Write consecutive cells to their place; see `PlaceStore`.

        Raises:
            CorruptMatrixError: They are beyond the last cell.
        """
        stop = start + len(cells.labels)
        if stop > len(self._labels):
            raise CorruptMatrixError(
                f"the matrix has more than the {plural(len(self._labels), 'cell')} that it had "
                "when it was read first; was it changed meanwhile?"
            )
        self._labels[start:stop] = cells.labels
        if self._with_places:
            self._places[start:stop] = cells.places
        self._added.append(range(start, stop))

    def merge(self, other: PlaceStore) -> None:
        """Add all cells of another one, unless it is this one."""
        if other is not self:
            for start, cells in parts_of(other):
                self.add(start, cells)

    def parts(self) -> Iterator[tuple[int, CellPlaces]]:
        """Yield the added parts, each with the index of its first cell."""
        for part in self._added:
            at = slice(part.start, part.stop)
            yield part.start, CellPlaces(self._labels[at], self._places[at])

    def cells(self) -> CellPlaces:
        """Return all cells, not copied; those that were not added are as if not kept."""
        return CellPlaces(self._labels, self._places)


def without_places(labels: NDArray[np.int16]) -> CellPlaces:
    """Return cells whose clusters alone are known."""
    return CellPlaces(labels, np.empty((0, 2), np.float32))


def parts_of(store: Any) -> Iterator[tuple[int, CellPlaces]]:
    """Yield the parts of a store in memory, each with the index of its first cell."""
    if isinstance(store, PlaceParts):
        yield from store.parts.items()
    elif isinstance(store, HeldPlaces):
        yield from store.parts()


def renumber(cells: CellPlaces, numbers: NDArray[np.int64]) -> CellPlaces:
    """Return cells whose clusters have other numbers.

    Args:
        cells: The cells.
        numbers: New number of each cluster, shape ``(n_clusters,)``.
    """
    table = np.append(numbers, -1).astype(np.int16)
    labels = np.empty_like(cells.labels)
    # numpy converts each label to an index of 8 bytes.
    for first in range(0, len(labels), _CELLS_AT_A_TIME):
        part = slice(first, first + _CELLS_AT_A_TIME)
        labels[part] = table[cells.labels[part]]
    return CellPlaces(labels, cells.places)
