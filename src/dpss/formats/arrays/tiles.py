"""Dense matrices stored in tiles, with cells along either axis.

A band is all tiles of some cells. If a band fits into memory, whole cells are read in one pass, and
each tile is decoded once. Otherwise (for example where a tile holds one gene of all cells) the
tiles are read one by one, in two passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError, plural
from dpss.formats.arrays.dense import sparse_rows
from dpss.formats.arrays.dtypes import as_values
from dpss.formats.arrays.vectors import is_too_little
from dpss.formats.base import cut_evenly, entries_of
from dpss.model import MAX_BLOCK_CELLS, CellBlock, EntryBlock, GeneTable

BAND_BYTES = 48 << 20
"""Largest decoded band, in bytes, that is held to read whole cells."""
MAX_TILE_BYTES = 1 << 29
"""Largest decoded tile in bytes, as a tile can only be decoded whole."""
_MAX_UNSTORED = 1 << 30
"""Most values of an array without stored tiles, which would be read as zeros."""


class TiledArray(Protocol):
    """The interface of a matrix in tiles, for several threads, picklable."""

    @property
    def url(self) -> str:
        """The file's address and the array's path in it, for messages."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers, in any byte order."""

    @property
    def tile_shape(self) -> tuple[int, int]:
        """Rows and columns of a tile, each at least 1; may exceed the shape."""

    @property
    def chunk_bytes(self) -> int:
        """Decoded size of the part of a tile that is read, in bytes."""

    @property
    def stored_bytes(self) -> int | None:
        """Bytes that the array takes in the file; ``None`` if not known."""

    def read_tiles(self, rows: range, columns: range) -> Iterator[tuple[int, int, NDArray[Any]]]:
        """Yield the tiles of a rectangle, in any order: first row, first column, numbers.

        The rectangle begins and ends at the borders of tiles, or at the matrix's end. Yielded are
        tiles or parts of them, which may extend beyond the matrix's end. A large tile that is
        decoded whole is held within `dpss.formats.arrays.budget.DECODED`.
        """


@dataclass(frozen=True)
class TiledLayer:
    """A dense matrix in tiles as a `dpss.formats.base.Layer`."""

    name: str
    array: TiledArray
    genes: GeneTable
    cell_axis: int
    """0 for cells × genes, 1 for genes × cells."""

    def check(self) -> TiledLayer:
        """Check that the declared shape is plausible for the stored bytes.

        Raises:
            CorruptMatrixError: The shape is not plausible, or does not fit the gene table.
            LimitError: A single tile is too large to be decoded.
        """
        check_declared(self.array, len(self.genes), self.cell_axis)
        check_tile(self.array)
        return self

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.array.shape[self.cell_axis]

    @property
    def n_values(self) -> int:
        """Number of stored values, zeros included."""
        return self.n_cells * len(self.genes)

    @property
    def cell_major(self) -> bool:
        """Whether the cells of one tile, with all their genes, fit into memory."""
        return self._band_cells * self._cell_bytes <= BAND_BYTES

    @property
    def _cell_bytes(self) -> int:
        return max(1, len(self.genes) * self.array.dtype.itemsize)

    @property
    def _band_cells(self) -> int:
        return min(self.array.tile_shape[self.cell_axis], max(1, self.n_cells))

    @property
    def _grid(self) -> tuple[int, int]:
        (n_rows, n_columns), (rows, columns) = self.array.shape, self.array.tile_shape
        return -(-n_rows // rows), -(-n_columns // columns)

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Cut the cells at borders of tiles, or the tiles, counted row by row."""
        if not self.cell_major:
            n_tiles = self._grid[0] * self._grid[1]
            return cut_evenly(n_tiles, self.n_values, self.array.dtype.itemsize, partition_bytes)
        width = self._band_cells
        n_bands = -(-self.n_cells // width)
        cuts = cut_evenly(n_bands, n_bands * width, self._cell_bytes, partition_bytes)
        return [
            range(min(cut.start * width, self.n_cells), min(cut.stop * width, self.n_cells))
            for cut in cuts
        ]

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a partition in blocks, without their zeros."""
        fitting = min(block_bytes // self._cell_bytes, MAX_BLOCK_CELLS)
        width = max(1, fitting // self._band_cells) * self._band_cells
        step = max(1, fitting)
        for start in range(partition.start, partition.stop, width):
            band = as_values(self._read_band(range(start, min(start + width, partition.stop))))
            for first in range(0, len(band), step):
                indptr, indices, data = sparse_rows(band[first : first + step])
                yield CellBlock(start + first, indptr, indices, data)

    def _read_band(self, cells: range) -> NDArray[Any]:
        """Return cells with all their genes, shape ``(len(cells), n_genes)``."""
        band = np.empty((len(cells), len(self.genes)), self.array.dtype.newbyteorder("="))
        genes = range(len(self.genes))
        rows, columns = (cells, genes) if self.cell_axis == 0 else (genes, cells)
        out = band if self.cell_axis == 0 else band.T
        for row, column, tile in self.array.read_tiles(rows, columns):
            part = out[row - rows.start :, column - columns.start :][: len(tile), : tile.shape[1]]
            part[:] = tile[: part.shape[0], : part.shape[1]]
        return band

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the values of a partition in blocks, without zeros."""
        if self.cell_major:
            yield from map(entries_of, self.cell_blocks(partition, block_bytes))
            return
        height, width = self.array.tile_shape
        large = height * width * self.array.dtype.itemsize > block_bytes
        for rows, columns in self._rectangles(partition, block_bytes):
            found = self.array.read_tiles(rows, columns)
            if large:
                for row, column, tile in found:
                    yield from self._cut_entries(row, column, tile, block_bytes)
                    del tile  # frees memory for the next one
            else:
                yield join_entries([self._entries(*each) for each in found])

    def _rectangles(self, partition: range, block_bytes: int) -> Iterator[tuple[range, range]]:
        """Yield rows and columns of rectangles of adjacent tiles that fit into a block."""
        (n_rows, n_columns), (height, width) = self.array.shape, self.array.tile_shape
        n_across = self._grid[1]
        step = max(1, block_bytes // (height * width * self.array.dtype.itemsize))
        number = partition.start
        while number < partition.stop:
            row, column = divmod(number, n_across)
            if column == 0 and step >= n_across and partition.stop - number >= n_across:
                n_down = min(step, partition.stop - number) // n_across
                n_tiles = n_down * n_across
                columns = range(n_columns)
            else:
                n_down, n_tiles = 1, min(step, n_across - column, partition.stop - number)
                columns = range(column * width, min((column + n_tiles) * width, n_columns))
            yield range(row * height, min((row + n_down) * height, n_rows)), columns
            number += n_tiles

    def _cut_entries(
        self, row: int, column: int, tile: NDArray[Any], block_bytes: int
    ) -> Iterator[EntryBlock]:
        """Yield the values of a large tile, some rows at a time."""
        step = max(1, block_bytes // max(1, tile.shape[1] * tile.dtype.itemsize))
        for first in range(0, len(tile), step):
            yield self._entries(row + first, column, tile[first : first + step])

    def _entries(self, row: int, column: int, tile: NDArray[Any]) -> EntryBlock:
        """Return the nonzero values of a tile."""
        tile = tile[: self.array.shape[0] - row, : self.array.shape[1] - column]
        tile = as_values(tile.astype(tile.dtype.newbyteorder("="), copy=False))
        indptr, columns, data = sparse_rows(tile)
        rows = np.repeat(np.arange(row, row + len(tile)), np.diff(indptr))
        axes = (rows, columns.astype(np.int64) + column)
        return EntryBlock(axes[self.cell_axis], axes[1 - self.cell_axis], data)


def join_entries(blocks: Sequence[EntryBlock]) -> EntryBlock:
    """Concatenate blocks of entries; there is at least one block."""
    if len(blocks) == 1:
        return blocks[0]
    return EntryBlock(
        np.concatenate([block.cells for block in blocks]),
        np.concatenate([block.genes for block in blocks]),
        np.concatenate([block.data for block in blocks]),
    )


def check_declared(array: TiledArray, n_genes: int, cell_axis: int) -> None:
    """Check a declared shape before anything is allocated.

    Args:
        array: The matrix.
        n_genes: Number of features in the gene table.
        cell_axis: 0 for cells × genes, 1 for genes × cells.

    Raises:
        CorruptMatrixError: The shape does not fit the gene table, the array holds no numbers, or
            the few bytes stored can't be the many numbers declared.
    """
    n_declared = array.shape[1 - cell_axis]
    if n_declared != n_genes:
        raise CorruptMatrixError(
            f"{array.url} has {plural(n_declared, 'gene')}, but {plural(n_genes, 'gene name')}"
        )
    if array.dtype.kind not in "iufb":
        raise CorruptMatrixError(f"{array.url} holds no numbers ({array.dtype})")
    n_rows, n_columns = array.shape
    if n_rows * n_columns == 0 and max(n_rows, n_columns) > _MAX_UNSTORED:
        raise CorruptMatrixError(
            f"{array.url} claims {n_rows:,} × {plural(n_columns, 'number')}: none"
        )
    decoded = n_rows * n_columns * array.dtype.itemsize
    stored = array.stored_bytes
    unstored = stored == 0 and n_rows * n_columns > _MAX_UNSTORED
    if unstored or is_too_little(stored, decoded):
        raise CorruptMatrixError(
            f"{array.url} claims {n_rows:,} × {plural(n_columns, 'number')}, "
            f"but stores {plural(stored or 0, 'byte')}"
        )


def check_tile(array: TiledArray) -> None:
    """Check that a single tile can be decoded whole.

    Raises:
        LimitError: The tile is too large.
    """
    tile_bytes = array.chunk_bytes
    if tile_bytes > MAX_TILE_BYTES:
        raise LimitError(
            f"{array.url} is stored in pieces of {tile_bytes / 2**20:,.0f} MiB, which can only be "
            f"read whole; the limit is {MAX_TILE_BYTES >> 20} MiB: use smaller chunks"
        )
