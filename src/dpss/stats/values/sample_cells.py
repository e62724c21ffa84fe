"""A sample of whole cells, assembled from entries in any order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpss.model import CellBlock, EntryBlock

MAX_GATHERED_CELLS = 64
"""Most cells that are assembled; with 60,000 values each, 46 MB."""


class GatheredCells:
    """All values of some cells, evenly spread over a matrix; mergeable."""

    def __init__(self, n_cells: int) -> None:
        """Start without entries, for a matrix of ``n_cells`` cells."""
        wanted = np.arange(min(n_cells, MAX_GATHERED_CELLS)) * n_cells
        self._chosen = wanted // max(1, len(wanted))
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []

    def add(self, block: EntryBlock) -> None:
        """Add a block; entries of other than the chosen cells are dropped."""
        slots = np.searchsorted(self._chosen, block.cells)
        slots[slots == len(self._chosen)] = 0
        if not len(self._chosen):
            return
        chosen = np.flatnonzero(self._chosen[slots] == block.cells)
        self._parts.append(
            (
                np.asarray(slots[chosen], dtype=np.int64),
                np.asarray(block.genes[chosen], dtype=np.int64),
                np.asarray(block.data[chosen], dtype=np.float64),
            )
        )

    def merge(self, other: GatheredCells) -> None:
        """Add the entries of another one over the same matrix."""
        self._parts += other._parts

    def block(self) -> CellBlock:
        """Return the chosen cells, in order."""
        empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        cells, genes, data = (
            np.concatenate(arrays) for arrays in zip(empty, *self._parts, strict=True)
        )
        order = np.lexsort((genes, cells))
        ends = np.cumsum(np.bincount(cells, minlength=len(self._chosen)))
        indptr = np.concatenate([[0], ends]).astype(np.int64)
        return CellBlock(0, indptr, genes[order], data[order])
