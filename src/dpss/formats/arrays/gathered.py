"""Layers of entries without an order, read for a range of cells at a time.

The first reading counts the entries of each cell. Each further reading collects the entries of as
many cells as fit into memory, sorts them, and adds up repeated entries, as scipy's
``sum_duplicates`` does. The number of readings grows with the file, the memory does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled
from dpss.errors import CorruptMatrixError, LimitError, plural
from dpss.formats.base import Layer, entries_of
from dpss.model import MAX_BLOCK_CELLS, CellBlock, EntryBlock, GeneTable

HELD_ENTRIES = 1 << 22
"""Most entries that are held at a time: about 200 MiB, sorting included."""
MAX_READINGS = 64
_VALUE_BYTES = 12


@dataclass(frozen=True)
class GatheredLayer:
    """A layer of entries without an order, read cell by cell."""

    source: Layer
    """Layer of the entries, with a known number of cells."""
    url: str
    """Address of the file, for errors."""
    held_entries: int = HELD_ENTRIES
    """Most entries that are held at a time."""

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.source.name

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.source.n_cells or 0

    @property
    def n_values(self) -> int | None:
        """Number of entries that the file declares."""
        return self.source.n_values

    @property
    def genes(self) -> GeneTable:
        """The features along the gene axis."""
        return self.source.genes

    @property
    def cell_major(self) -> bool:
        """Always true."""
        return True

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Return one partition."""
        return (range(self.n_cells),)

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield all cells in blocks, empty ones included.

        Raises:
            CorruptMatrixError: The file is damaged, or its entries differ between readings.
            LimitError: There are too many entries to be read without an order.
        """
        counts = self._count(block_bytes)
        n_values = max(1, block_bytes // _VALUE_BYTES)
        for cells in self._cut(counts):
            keys, values = self._collect(cells, int(counts[cells.start : cells.stop].sum()),
                                      block_bytes)  # fmt: skip
            yield from _cut_blocks(cells, *_merge(keys, values), len(self.genes), n_values)

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the values of all cells, each entry once."""
        yield from map(entries_of, self.cell_blocks(partition, block_bytes))

    def _entries(self, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the entries as they are stored."""
        for part in self.source.partitions(block_bytes):
            yield from self.source.entry_blocks(part, block_bytes)

    def _count(self, block_bytes: int) -> NDArray[np.int64]:
        """Return the number of entries of each cell."""
        counts = np.zeros(self.n_cells, dtype=np.int64)
        for block in self._entries(block_bytes):
            _count_cells(block.cells, counts)
        return counts

    def _cut(self, counts: NDArray[np.int64]) -> list[range]:
        """Cut the cells into ranges whose entries fit into memory."""
        bounds = np.concatenate([[0], np.cumsum(counts)])
        ranges = []
        start = 0
        while start < len(counts):
            most = bounds[start] + self.held_entries
            stop = max(start + 1, int(np.searchsorted(bounds, most, side="right")) - 1)
            ranges.append(range(start, stop))
            start = stop
        if len(ranges) > MAX_READINGS or counts.max(initial=0) > 8 * self.held_entries:
            raise LimitError(
                f"{self.url}: its {plural(bounds[-1], 'entry')} stand in no order, which would "
                f"take {plural(len(ranges), 'reading')}; sort them by cell"
            )
        return ranges

    def _collect(
        self, cells: range, n: int, block_bytes: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return key (cell × n_genes + gene) and value of each entry of a range of cells."""
        keys = np.empty(n, dtype=np.int64)
        values = np.empty(n, dtype=np.float64)
        n_found = 0
        for block in self._entries(block_bytes):
            inside = (block.cells >= cells.start) & (block.cells < cells.stop)
            end = n_found + int(np.count_nonzero(inside))
            if end > n:
                break
            cell = block.cells[inside].astype(np.int64) - cells.start
            keys[n_found:end] = cell * len(self.genes) + block.genes[inside]
            values[n_found:end] = block.data[inside]
            n_found = end
        else:
            if n_found == n:
                return keys, values
        raise CorruptMatrixError(f"{self.url}: was changed while it was read")


@compiled
def _count_cells(cells: Any, counts: Any) -> Any:
    """Count the entries of each cell.

    Args:
        cells: ``int32``, shape ``(n_entries,)``.
        counts: ``int64``, shape ``(n_cells,)``, in and out.
    """
    for k in range(len(cells)):
        counts[cells[k]] += 1


def _merge(
    keys: NDArray[np.int64], values: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sort entries by key and add up those of the same key."""
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else order
    if len(first) < len(keys):
        keys, values = keys[first], np.add.reduceat(values, first)
    return keys, values


def _cut_blocks(
    cells: range,
    keys: NDArray[np.int64],
    values: NDArray[np.float64],
    n_genes: int,
    n_values: int,
) -> Iterator[CellBlock]:
    """Yield sorted entries in blocks of whole cells.

    Args:
        cells: The cells, those without entries included.
        keys: Key of each entry, sorted.
        values: Value of each entry.
        n_genes: Number of features.
        n_values: Most values of a block, unless a single cell has more.
    """
    bounds = np.searchsorted(keys, np.arange(len(cells) + 1, dtype=np.int64) * max(1, n_genes))
    start = 0
    while start < len(cells):
        stop = int(np.searchsorted(bounds, bounds[start] + n_values, side="right")) - 1
        stop = min(max(start + 1, stop), start + MAX_BLOCK_CELLS)
        part = slice(int(bounds[start]), int(bounds[stop]))
        yield CellBlock(
            start=cells.start + start,
            indptr=bounds[start : stop + 1] - bounds[start],
            indices=(keys[part] % max(1, n_genes)).astype(np.int32),
            data=values[part],
        )
        start = stop
