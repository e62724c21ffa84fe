"""MatrixMarket files as layers of whole cells, or of entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import NotCellMajorError
from dpss.formats.arrays.gathered import GatheredLayer
from dpss.formats.base import Layer
from dpss.formats.mtx.header import MtxHeader
from dpss.formats.mtx.order import Entries, Order
from dpss.formats.mtx.stream import read_chunks
from dpss.model import MAX_BLOCK_CELLS, CellBlock, EntryBlock, GeneTable
from dpss.storage.base import Blob

DEFAULT_CHUNK_BYTES = 3 << 20
"""Text that is parsed at a time. Each chunk costs a hand-over between threads and two blocks: of 1
MiB an entry costs 50 to 57 ns of processor time, of 3 MiB 40 to 46 (30 November 2026).
"""
_MIN_CHUNK_BYTES = 1 << 12
_VALUE_BYTES = 12
"""Decoded bytes of an entry: an index and, at most, a double."""


@dataclass(frozen=True)
class MtxLayer:
    """The layer of a MatrixMarket file: a stream with a single partition."""

    blob: Blob
    header: MtxHeader
    genes: GeneTable
    cell_axis: int
    """0 if cells are rows, 1 if they are columns."""
    order: Order
    """Order of the first entries; reading checks the order of all."""
    threads: int = 2
    """Threads that inflate and parse."""
    chunk_bytes: int = DEFAULT_CHUNK_BYTES
    """Text that is parsed at a time."""
    name: str = "X"

    @property
    def cell_major(self) -> bool:
        """Whether the first entries are sorted by cell."""
        return self.order is Order.CELLS

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return (self.header.n_rows, self.header.n_columns)[self.cell_axis]

    @property
    def n_values(self) -> int:
        """Number of entries that the file declares."""
        return self.header.n_entries

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Return one partition: a stream can only be read from its start."""
        return (range(self.n_cells),)

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield all cells in blocks, empty ones included.

        Raises:
            NotCellMajorError: The entries are not sorted by cell.
            CorruptMatrixError: The file is damaged or contradicts itself.
        """
        self._check_partition(partition)
        cutter = _Cutter(self.n_cells, len(self.genes), max(1, block_bytes // _VALUE_BYTES))
        for chunk in self._chunks(self.cell_axis, block_bytes):
            cells, genes = self._indices(chunk)
            if chunk.n_runs < 0 or (chunk.n and cells[0] < cutter.open_cell):
                raise self._order_error()
            if chunk.n:
                yield from cutter.add(cells, genes, chunk)
        yield from cutter.finish()

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield all entries in blocks, in the file's order.

        If they are sorted by gene and cell, no entry occurs twice.

        Raises:
            NotCellMajorError: The entries are not sorted like the first ones.
            CorruptMatrixError: The file is damaged or contradicts itself.
        """
        self._check_partition(partition)
        n = max(1, block_bytes // (_VALUE_BYTES + 4))
        sorted_by = 1 - self.cell_axis if self.order is Order.GENES else None
        last = (-1, -1)
        for chunk in self._chunks(sorted_by, block_bytes):
            cells, genes = self._indices(chunk)
            if sorted_by is not None and chunk.n:
                first = (int(genes[0]), int(cells[0]))
                if chunk.n_runs < 0 or not chunk.distinct or first <= last:
                    raise self._order_error()
                last = (int(genes[chunk.n - 1]), int(cells[chunk.n - 1]))
            for begin in range(0, chunk.n, n):
                part = slice(begin, min(begin + n, chunk.n))
                yield EntryBlock(cells=cells[part], genes=genes[part], data=chunk.values[part])

    def gathered(self) -> Layer | None:
        """Return a cell-major form of the layer; ``None`` if entries have an order."""
        return GatheredLayer(self, self.blob.url) if self.order is Order.NONE else None

    def _order_error(self) -> NotCellMajorError:
        return NotCellMajorError(
            f"{self.blob.url}: not all entries are sorted {self.order.value}, as the first are",
            replace(self, order=Order.NONE),
        )

    def _chunks(self, major: int | None, block_bytes: int) -> Iterator[Entries]:
        # A line has about as many bytes as its decoded entry.
        chunk_bytes = min(self.chunk_bytes, max(_MIN_CHUNK_BYTES, block_bytes))
        return read_chunks(self.blob, self.header, major, self.threads, chunk_bytes)

    def _indices(self, chunk: Entries) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        pair = (chunk.rows, chunk.columns)
        return pair[self.cell_axis], pair[1 - self.cell_axis]

    def _check_partition(self, partition: range) -> None:
        if partition != range(self.n_cells):
            raise ValueError(f"{partition} is not the one partition of a stream")


class _Cutter:
    """Cuts sorted entries into blocks of whole cells.

    The last cell of a chunk may continue in the next one: it is kept until it ends.
    """

    def __init__(self, n_cells: int, n_genes: int, n_values: int) -> None:
        self.open_cell = -1
        self._n_cells = n_cells
        self._n_genes = n_genes
        self._n_values = n_values
        self._next_cell = 0
        self._genes: list[NDArray[np.int32]] = []
        self._values: list[NDArray[Any]] = []
        self._n_open = 0
        self._distinct = True

    def add(
        self, cells: NDArray[np.int32], genes: NDArray[np.int32], chunk: Entries
    ) -> Iterator[CellBlock]:
        """Take a chunk and yield the cells that are complete."""
        genes, values = genes[: chunk.n], chunk.values[: chunk.n]
        bounds = np.append(chunk.starts[: chunk.n_runs], np.int32(chunk.n))
        runs = cells[bounds[:-1]]
        if not chunk.distinct:
            bounds, genes, values = _merge_cells(bounds, genes, values)
        first = 0
        if runs[0] == self.open_cell:
            self._keep(genes[: bounds[1]], values[: bounds[1]])
            first = 1
        if first == len(runs):
            return
        yield from self._flush()
        yield from self._cut(int(runs[-1]), runs[first:-1], bounds[first:-1], genes, values)
        self.open_cell = int(runs[-1])
        self._keep(genes[bounds[-2] :], values[bounds[-2] :])

    def finish(self) -> Iterator[CellBlock]:
        """Yield the last cell with entries, and the empty cells after it."""
        yield from self._flush()
        none = np.zeros(0, dtype=np.int32)
        yield from self._cut(self._n_cells, none, np.zeros(1, dtype=np.int32), none, none)

    def _keep(self, genes: NDArray[np.int32], values: NDArray[Any]) -> None:
        """Add a part of the open cell; a copy, as the chunk's arrays are used again."""
        if self._genes and len(genes) and genes[0] <= self._genes[-1][-1]:
            self._distinct = False
        self._genes.append(genes.copy())
        self._values.append(values.copy())
        self._n_open += len(genes)
        if self._n_open > 2 * self._n_genes:
            # More entries than genes: genes repeat.
            self._merge_open()

    def _merge_open(self) -> None:
        genes, values = np.concatenate(self._genes), np.concatenate(self._values)
        if not self._distinct:
            genes, values = _merge_genes(genes, values)
        self._genes, self._values, self._n_open = [genes], [values], len(genes)

    def _flush(self) -> Iterator[CellBlock]:
        """Yield the open cell, and the empty ones before it."""
        if self.open_cell < 0:
            return
        self._merge_open()
        genes, values = self._genes[0], self._values[0]
        bounds = np.array([0, len(genes)], dtype=np.int32)
        runs = np.array([self.open_cell], dtype=np.int32)
        yield from self._cut(self.open_cell + 1, runs, bounds, genes, values)
        self._genes, self._values, self._n_open = [], [], 0
        self._distinct = True
        self.open_cell = -1

    def _cut(
        self,
        stop: int,
        runs: NDArray[np.int32],
        bounds: NDArray[np.int32],
        genes: NDArray[np.int32],
        values: NDArray[Any],
    ) -> Iterator[CellBlock]:
        """Yield the cells up to ``stop``.

        Args:
            stop: The cell after the last one.
            runs: Cells with entries, all below ``stop``.
            bounds: Start of the entries of each of these cells, and the end of the last.
            genes: Gene of each entry.
            values: Value of each entry.
        """
        r = 0
        while self._next_cell < stop:
            start = self._next_cell
            end = min(stop, start + MAX_BLOCK_CELLS)
            r_end = int(np.searchsorted(runs, end))
            r_full = int(np.searchsorted(bounds, bounds[r] + self._n_values, side="right")) - 1
            if r_end > max(r_full, r + 1):
                r_end = max(r_full, r + 1)
                end = int(runs[r_end])
            indptr = np.zeros(end - start + 1, dtype=np.int64)
            indptr[runs[r:r_end] - (start - 1)] = np.diff(bounds[r : r_end + 1])
            np.cumsum(indptr, out=indptr)
            part = slice(int(bounds[r]), int(bounds[r_end]))
            yield CellBlock(start=start, indptr=indptr, indices=genes[part], data=values[part])
            self._next_cell = end
            r = r_end


def _merge_genes(
    genes: NDArray[np.int32], values: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Sort a cell's entries by gene and add up those of the same gene, as scipy does."""
    merged, inverse = np.unique(genes, return_inverse=True)
    if len(merged) == len(genes):
        order = np.argsort(genes)
        return genes[order], values[order]
    # In doubles: 32 bits could overflow.
    return merged, np.bincount(inverse, weights=values, minlength=len(merged))


def _merge_cells(
    bounds: NDArray[np.int32], genes: NDArray[np.int32], values: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[Any]]:
    """Sort the entries of each cell by gene and add up those of the same gene."""
    parts = [_merge_genes(genes[a:b], values[a:b]) for a, b in pairwise(bounds)]
    lengths = np.array([0, *(len(part[0]) for part in parts)])
    return (
        np.cumsum(lengths).astype(np.int32),
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
    )
