"""Two-dimensional HDF5 datasets as tiles."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from math import prod
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dpss.formats.arrays.budget import DECODED, LARGE_BYTES
from dpss.formats.hdf5.file import ChunkedArray, reading

_MAX_INDEXED = 1 << 21
"""Most chunks whose positions are kept, at 24 bytes each; beyond, HDF5 looks them up."""
_ROWS_BYTES = 1 << 22
"""Size in bytes of a tile of a dataset without chunks."""
_LIBRARY_BYTES = 1 << 24
"""Bytes that are requested from HDF5 at a time."""


class Hdf5Tiles(ChunkedArray):
    """A dataset with two axes as a `dpss.formats.arrays.tiles.TiledArray`."""

    shape: tuple[int, int]

    @property
    def url(self) -> str:
        """The file's address and the dataset's path."""
        return f"{self.file.blob.url}: {self.path}"

    @cached_property
    def tile_shape(self) -> tuple[int, int]:
        """Shape of a chunk; some rows of a dataset without chunks."""
        if self.chunk_shape is not None:
            return self.chunk_shape[0], self.chunk_shape[1]
        n_rows, n_columns = self.shape
        fitting = _ROWS_BYTES // max(1, n_columns * self.dtype.itemsize)
        return min(max(1, fitting), max(1, n_rows)), max(1, n_columns)

    @property
    def chunk_bytes(self) -> int:
        """Decoded size of a tile: HDF5 decodes a chunk whole."""
        n_rows, n_columns = self.tile_shape
        return n_rows * n_columns * self.dtype.itemsize

    def read_tiles(self, rows: range, columns: range) -> Iterator[tuple[int, int, NDArray[Any]]]:
        """Yield the chunks of a rectangle in the order in which they lie in the file.

        Raises:
            CorruptMatrixError: The file is damaged there.
        """
        height, width = self.tile_shape
        n_across = -(-self.shape[1] // width)
        layout = self.layout() if self._indexed else None
        if layout is None:
            yield from self._read_by_library(rows, columns)
            return
        down = np.arange(rows.start // height, -(-rows.stop // height), dtype=np.int64)
        across = np.arange(columns.start // width, -(-columns.stop // width), dtype=np.int64)
        numbers = (down[:, None] * n_across + across).ravel()
        numbers = numbers[np.argsort(layout.offsets[numbers], kind="stable")]
        # Large chunks are decoded one by one, within the memory budget of all threads.
        n_together = len(numbers) if self.chunk_bytes < LARGE_BYTES else 1
        for first in range(0, len(numbers), max(1, n_together)):
            with DECODED.hold(self.chunk_bytes):
                together = numbers[first : first + n_together]
                for number, tile in self.read_chunks(layout, together):
                    row, column = divmod(number, n_across)
                    yield row * height, column * width, tile
                    del tile

    @property
    def _indexed(self) -> bool:
        grid = (-(-n // size) for n, size in zip(self.shape, self.tile_shape, strict=True))
        return prod(grid) <= _MAX_INDEXED

    def _read_by_library(
        self, rows: range, columns: range
    ) -> Iterator[tuple[int, int, NDArray[Any]]]:
        """Yield some rows of tiles at a time, read by HDF5."""
        row_bytes = max(1, len(columns) * self.dtype.itemsize)
        height = self.tile_shape[0]
        step = max(1, _LIBRARY_BYTES // (row_bytes * height)) * height
        for row in range(rows.start, rows.stop, step):
            stop = min(row + step, rows.stop)
            with DECODED.hold((stop - row) * row_bytes):
                with reading(self.file):
                    dataset: h5py.Dataset = self.file.dataset(self.path)
                    part = np.asarray(dataset[row:stop, columns.start : columns.stop])
                yield row, columns.start, part
                del part
