"""Zarr arrays, read chunk by chunk from the blobs that hold the chunks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.prefetch import Prefetchable
from dpss.errors import ChunkError, CorruptMatrixError, DpssError, LimitError, plural
from dpss.formats.arrays.budget import DECODED, LARGE_BYTES
from dpss.formats.zarr.chunks import ChunkIndex, Hierarchy, StoredChunk, locate
from dpss.formats.zarr.codecs import (
    DAMAGE,
    MAX_TEXT_BYTES,
    accumulate,
    decode_json,
    decode_strings,
    decompress,
    unshuffle,
)
from dpss.formats.zarr.metadata import ArrayMetadata
from dpss.formats.zarr.strips import can_stream, read_strips
from dpss.storage.base import Spans

MAX_CHUNK_BYTES = 1 << 29
"""Largest decoded chunk in bytes, as a chunk can only be decoded whole."""
_LAST_CHARACTER, _REPLACEMENT = 0x10FFFF, 0xFFFD
_STRIP_BYTES = 1 << 22
"""Decoded size of a strip of a large chunk, in bytes."""


@dataclass(frozen=True)
class ZarrArray:
    """An array of a zarr hierarchy, as a `Vector` and as a `TiledArray`."""

    tree: Hierarchy
    path: str
    meta: ArrayMetadata

    @property
    def url(self) -> str:
        """The hierarchy's address and the array's path."""
        return f"{self.tree.url}: {self.path}"

    @property
    def shape(self) -> Any:
        """Length of each axis."""
        return self.meta.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the items once decoded."""
        dtype = self.meta.dtype
        return np.dtype(object) if dtype is None else dtype.newbyteorder("=")

    @property
    def chunk_bytes(self) -> int:
        """Decoded size of a chunk in bytes, without rows beyond the array's end."""
        rows = self.kept_shape[:1] if self._cuts_rows else self.meta.chunk_shape[:1]
        return prod((*rows, *self.meta.chunk_shape[1:])) * self.dtype.itemsize

    @property
    def kept_shape(self) -> tuple[int, ...]:
        """Shape of the part of a chunk within the array, as chunks may be larger."""
        return tuple(
            min(c, max(1, n)) for c, n in zip(self.meta.chunk_shape, self.shape, strict=True)
        )

    @property
    def _cuts_rows(self) -> bool:
        """Whether the first rows of a chunk can be decoded alone."""
        return self.meta.order == tuple(range(len(self.shape))) and can_stream(self.meta)

    @property
    def tile_shape(self) -> tuple[int, int]:
        """Shape of a chunk within the array."""
        rows, columns = self.kept_shape
        return rows, columns

    @property
    def stored_bytes(self) -> int | None:
        """Stored size of the array in bytes."""
        return self.tree.stored_bytes(self.path)

    def __len__(self) -> int:
        """Return the length of the first axis."""
        return int(self.meta.shape[0])

    def layout(self) -> ArrayMetadata:
        """Return the metadata, which have the chunks' shape."""
        return self.meta

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return the elements ``start..stop`` of the first axis."""
        out = np.empty((stop - start, *self.shape[1:]), dtype=self.dtype)
        n = self.meta.chunk_shape[0]
        for row, slab in self.read_slabs(self.meta, start // n, -(-stop // n)):
            low, high = max(row * n, start), min(row * n + len(slab), stop)
            out[low - start : high - start] = slab[low - row * n : high - row * n]
        return out

    def prefetch(self, elements: range) -> None:
        """Prefetch elements of the first axis."""
        n = self.meta.chunk_shape[0]
        if self.meta.shards is not None:
            return
        for row in range(elements.start // n, -(-elements.stop // n)):
            blob = self.tree.find(f"{self.path}/{self.meta.key((row,))}")
            if blob is not None and isinstance(blob, Prefetchable):
                blob.prefetch(Spans([(0, blob.size_bytes or 0)]))

    def read_by_library(self, start: int, stop: int) -> NDArray[Any]:
        """Return the elements ``start..stop``, as `read`."""
        return self.read(start, stop)

    def read_slabs(self, layout: Any, first: int, stop: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the rows of chunks ``first..stop``, as wide as the array, with numbers."""
        for row in range(first, stop):
            if len(self.shape) == 1:
                yield row, self.read_chunk((row,))
                continue
            slab = np.empty((self.kept_shape[0], *self.shape[1:]), dtype=self.dtype)
            grids = [range(-(-n // c)) for n, c in zip(self.shape, layout.chunk_shape, strict=True)]
            for rest in itertools.product(*grids[1:]):
                sizes = layout.chunk_shape[1:]
                cut = tuple(
                    slice(at * size, (at + 1) * size) for at, size in zip(rest, sizes, strict=True)
                )
                part = slab[(slice(None), *cut)]
                part[:] = self.read_chunk((row, *rest))[tuple(map(slice, part.shape))]
            yield row, slab

    def read_tiles(self, rows: range, columns: range) -> Iterator[tuple[int, int, NDArray[Any]]]:
        """Yield the chunks of a rectangle, large ones in strips if possible."""
        height, width = self.tile_shape
        for row in range(rows.start // height, -(-rows.stop // height)):
            for column in range(columns.start // width, -(-columns.stop // width)):
                if self._streams:
                    for at, strip in self._read_strips((row, column)):
                        yield row * height + at[0], column * width + at[1], strip
                    continue
                with DECODED.hold(self.chunk_bytes):
                    yield row * height, column * width, self.read_chunk((row, column))

    @property
    def _streams(self) -> bool:
        """Whether chunks are large and can be decoded some lines at a time."""
        line_bytes = self.meta.chunk_shape[self.meta.order[1]] * self.dtype.itemsize
        return self.chunk_bytes >= LARGE_BYTES > line_bytes and can_stream(self.meta)

    def _read_strips(self, index: ChunkIndex) -> Iterator[tuple[tuple[int, int], NDArray[Any]]]:
        """Yield a chunk of numbers in strips, each with its position in the chunk."""
        major = self.meta.order[0]
        n_lines, length = (self.kept_shape[axis] for axis in self.meta.order)
        for first, lines in self._read_lines(index, n_lines):
            kept = lines[:, :length].astype(self.dtype, copy=False)
            yield ((first, 0), kept) if major == 0 else ((0, first), kept.T)

    def _read_lines(self, index: ChunkIndex, n_lines: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield some lines of a chunk at a time, or of fill values."""
        stored = locate(self.tree, self.path, self.meta, index)
        if stored is not None:
            yield from self._decode_lines(index, stored, n_lines)
            return
        length = self.meta.chunk_shape[self.meta.order[1]]
        step = max(1, _STRIP_BYTES // (length * self.dtype.itemsize))
        for first in range(0, n_lines, step):
            shape = (min(step, n_lines - first), length)
            yield first, np.full(shape, self.meta.fill, dtype=self.dtype)

    def _decode_lines(
        self, index: ChunkIndex, stored: StoredChunk, n_lines: int
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the first lines of a stored chunk, some at a time."""
        try:
            yield from read_strips(self.meta, stored, n_lines, _STRIP_BYTES)
        except ChunkError as error:
            raise self._damaged_error(index, error) from error
        except DpssError:
            raise
        except DAMAGE as error:
            # Reading of the stored bytes may fail, too.
            if getattr(error, "errno", None) is not None:
                raise
            raise self._damaged_error(index, error) from error

    def read_all(self, most: int) -> NDArray[Any]:
        """Return the whole of a small array.

        Raises:
            LimitError: The array has more than ``most`` items.
        """
        if prod(self.shape) > most:
            raise LimitError(f"{self.url} has the shape {self.shape}; at most {most:,} are read")
        if not self.shape:
            return self.read_chunk(())
        return self.read(0, len(self))

    def read_chunk(self, index: ChunkIndex) -> NDArray[Any]:
        """Return a decoded chunk of `kept_shape`, also if the array ends within it.

        Raises:
            CorruptMatrixError: The chunk is damaged.
            LimitError: The chunk is too large to be decoded.
        """
        if self.chunk_bytes > MAX_CHUNK_BYTES:
            raise LimitError(
                f"{self.url} is stored in chunks of {self.meta.chunk_shape}, which can only be "
                "read whole: write it in smaller chunks"
            )
        stored = locate(self.tree, self.path, self.meta, index)
        if stored is None:
            return np.full(self.kept_shape, self.meta.fill, dtype=self.dtype)
        kept = tuple(map(slice, self.kept_shape))
        whole_bytes = prod(self.meta.chunk_shape) * self.dtype.itemsize
        if self._cuts_rows and self.chunk_bytes < whole_bytes:
            shape = (self.kept_shape[0], *self.meta.chunk_shape[1:])
            chunk = np.empty(shape, dtype=self.meta.dtype)
            for first, lines in self._decode_lines(index, stored, shape[0]):
                chunk[first : first + len(lines)] = lines
            return self._as_items(chunk)[kept]
        data = stored.read()
        try:
            return self._decode(data)[kept]
        except DAMAGE as error:
            raise self._damaged_error(index, error) from error

    def _damaged_error(self, index: ChunkIndex, error: BaseException) -> CorruptMatrixError:
        return CorruptMatrixError(f"{self.url}: chunk {index} is damaged ({error})")

    def _as_items(self, chunk: NDArray[Any]) -> NDArray[Any]:
        """Return stored items as items of `dtype`."""
        if chunk.dtype.kind == "U":
            chunk = _mend_text(chunk)
        return chunk.astype(self.dtype, copy=False)

    def _decode(self, data: bytes) -> NDArray[Any]:
        """Undo a chunk's codecs, the last one first."""
        shape, dtype = self.meta.chunk_shape, self.meta.dtype
        n_items = prod(shape)
        most = MAX_TEXT_BYTES if dtype is None else n_items * dtype.itemsize
        for name, settings in reversed(self.meta.codecs):
            if name == "crc32c":
                data = data[:-4]
            elif name == "vlen-utf8":
                return decode_strings(data, n_items).reshape(shape)
            elif name == "json2":
                return decode_json(data, n_items).reshape(shape)
            elif name == "shuffle":
                data = unshuffle(data, max(1, int(settings.get("elementsize", 4))))
            elif name == "delta":
                data = accumulate(data, settings)
            elif name != "bitround":
                data = decompress(name, data, most)
        if dtype is None or len(data) != n_items * dtype.itemsize:
            raise ValueError(f"{plural(len(data), 'byte')} for {plural(n_items, 'item')}")
        ordered = tuple(shape[axis] for axis in self.meta.order)
        chunk = self._as_items(np.frombuffer(data, dtype=dtype).reshape(ordered))
        return chunk.transpose(tuple(int(axis) for axis in np.argsort(self.meta.order)))


def _mend_text(texts: NDArray[np.str_]) -> NDArray[np.str_]:
    """Replace invalid code points, which Python can't encode."""
    codes = texts.astype(texts.dtype.newbyteorder("=")).reshape(-1).view(np.uint32)
    codes[(codes > _LAST_CHARACTER) | ((codes >= 0xD800) & (codes < 0xE000))] = _REPLACEMENT
    return codes.view(texts.dtype.newbyteorder("=")).reshape(texts.shape)
