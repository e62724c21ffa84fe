"""Dense HDF5 datasets in chunks too large to be held, inflated piece by piece.

Some programs write a whole matrix as a single chunk, which HDF5 can only decompress whole. Deflated
bytes can be inflated as a stream, which gives the rows of a chunk in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, plural
from dpss.formats.arrays.dense import sparse_rows
from dpss.formats.arrays.dtypes import as_values
from dpss.formats.hdf5.file import ChunkedArray, Hdf5File
from dpss.formats.hdf5.filters import DEFLATE
from dpss.formats.hdf5.layout import DatasetLayout
from dpss.model import MAX_BLOCK_CELLS, CellBlock, EntryBlock, GeneTable

_INFLATE_ERROR = cast("type[Exception]", isal_zlib.error)
_PIECE_BYTES = 1 << 20
"""Stored bytes that are read at a time."""


def can_stream(array: ChunkedArray) -> bool:
    """Return whether a dataset's chunks can be inflated piece by piece."""
    layout = array.layout()
    return layout is not None and len(array.shape) == 2 and layout.filters == (DEFLATE,)


@dataclass(frozen=True)
class StreamedLayer:
    """A dense dataset in large chunks as a `dpss.formats.base.Layer`."""

    name: str
    file: Hdf5File
    path: str
    genes: GeneTable
    n_cells: int

    @property
    def n_values(self) -> int:
        """Number of stored values, zeros included."""
        return self.n_cells * len(self.genes)

    @property
    def cell_major(self) -> bool:
        """Whether a chunk holds all genes of its cells."""
        return self._layout.grid[1] == 1

    @property
    def _array(self) -> ChunkedArray:
        return self.file.array(self.path)

    @property
    def _layout(self) -> DatasetLayout:
        layout = self._array.layout()
        if layout is None:
            raise CorruptMatrixError(f"{self.file.blob.url}: {self.path} has no chunks")
        return layout

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Return a partition for each chunk: its whole cells, or its number."""
        layout = self._layout
        if not self.cell_major:
            return [range(i, i + 1) for i in range(layout.grid[0] * layout.grid[1])]
        height = layout.chunk_shape[0]
        return [
            range(start, min(start + height, self.n_cells))
            for start in range(0, self.n_cells, height)
        ]

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a chunk in blocks, without their zeros."""
        number = partition.start // self._layout.chunk_shape[0]
        for start, rows in self._rows(number, block_bytes):
            if start < partition.stop:
                indptr, indices, data = sparse_rows(
                    rows[: partition.stop - start, : len(self.genes)]
                )
                yield CellBlock(start, indptr, indices, data)

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the values of a chunk in blocks, without zeros."""
        numbers = [partition.start // self._layout.chunk_shape[0]] if self.cell_major else partition
        for number in numbers:
            left = number % self._layout.grid[1] * self._layout.chunk_shape[1]
            for start, rows in self._rows(number, block_bytes):
                part = rows[: max(0, self.n_cells - start), : len(self.genes) - left]
                indptr, genes, data = sparse_rows(part)
                cells = np.repeat(np.arange(start, start + len(part)), np.diff(indptr))
                yield EntryBlock(cells, genes + np.int32(left), data)

    def _rows(self, number: int, block_bytes: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield some rows of a chunk at a time, with the number of the first."""
        layout, array = self._layout, self._array
        height, width = layout.chunk_shape
        row_bytes = width * array.dtype.itemsize
        step = max(1, min(block_bytes // row_bytes, MAX_BLOCK_CELLS))
        row = number // layout.grid[1] * height
        last = row + height
        held = bytearray()
        for piece in self._inflated(layout, number, step * row_bytes):
            held += piece
            n_rows = min(len(held) // row_bytes, last - row)
            if n_rows:
                part = np.frombuffer(bytes(held[: n_rows * row_bytes]), dtype=array.dtype)
                del held[: n_rows * row_bytes]
                yield row, as_values(part.reshape(n_rows, width))
                row += n_rows
        if row < last:
            raise CorruptMatrixError(
                f"{self.file.blob.url}: chunk {number} of {self.path} ends after "
                f"{row - last + height:,} of its {plural(height, 'row')}; is the file truncated?"
            )

    def _inflated(self, layout: DatasetLayout, number: int, piece_bytes: int) -> Iterator[bytes]:
        """Yield a chunk's bytes, at most ``piece_bytes`` at a time."""
        at, end = int(layout.offsets[number]), int(layout.offsets[number] + layout.sizes[number])
        n_bytes = int(np.prod(layout.chunk_shape)) * self._array.dtype.itemsize
        if at < 0:
            fill = np.array(self.file.dataset(self.path).fillvalue, self._array.dtype).tobytes()
            for start in range(0, n_bytes, piece_bytes):
                yield fill * (min(piece_bytes, n_bytes - start) // len(fill))
            return
        if int(layout.masks[number]) & 1:
            yield from self._plain(at, end, piece_bytes)
            return
        inflater = isal_zlib.decompressobj()
        stored = b""
        while not inflater.eof:
            if not stored:
                stored = self.file.blob.read_range(at, min(_PIECE_BYTES, end - at))
                at += len(stored)
            # The inflater may have more output without further input.
            try:
                piece = inflater.decompress(stored, piece_bytes)
            except _INFLATE_ERROR as error:
                raise CorruptMatrixError(
                    f"{self.file.blob.url}: chunk {number} of {self.path} can't be "
                    f"decompressed ({error})"
                ) from error
            stored = inflater.unconsumed_tail
            if not piece and not stored and at >= end:
                return
            yield piece

    def _plain(self, at: int, end: int, piece_bytes: int) -> Iterator[bytes]:
        """Yield the bytes of a chunk that is stored without the filter."""
        for start in range(at, end, piece_bytes):
            yield self.file.blob.read_range(start, min(piece_bytes, end - start))
