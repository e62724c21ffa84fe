"""Vectors of a file, read by ranges: interfaces, and a reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dpss.formats.arrays.budget import LARGE_BYTES

SMALL_BYTES = 1 << 32
"""Decoded size up to which any number of stored bytes is accepted."""
MAX_RATIO = 20_000
"""Largest ratio of decoded to stored bytes: no usual codec reaches it with counts, and a damaged
file could declare any shape.
"""


def is_too_little(stored: int | None, decoded: int) -> bool:
    """Return whether the stored bytes are too few for the decoded bytes.

    Args:
        stored: Number of stored bytes; ``None`` if not known.
        decoded: Number of bytes that the array declares.
    """
    return stored is not None and decoded > max(SMALL_BYTES, stored * MAX_RATIO)


class Vector(Protocol):
    """An array in chunks, read by ranges of its first axis. Safe in several threads."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""

    @property
    def chunk_bytes(self) -> int:
        """Decoded size of a chunk in bytes; 0 without chunks."""

    @property
    def stored_bytes(self) -> int | None:
        """Stored size of the array in bytes; ``None`` if not known."""

    def __len__(self) -> int:
        """Return the length of the first axis."""

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return the elements ``start..stop`` of the first axis."""

    def layout(self) -> Any:
        """Return an object with ``chunk_shape``; ``None`` for `read_by_library`."""

    def read_by_library(self, start: int, stop: int) -> NDArray[Any]:
        """Return the elements ``start..stop`` without use of `layout`."""

    def read_slabs(self, layout: Any, first: int, stop: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the rows of chunks ``first..stop`` with their numbers, decoded."""


@runtime_checkable
class ReadsInto(Protocol):
    """A vector that can decode chunks directly into an array."""

    def can_read_into(self, layout: Any) -> bool:
        """Return whether `read_into` can be called for chunks of this layout."""

    def read_into(self, layout: Any, first: int, stop: int, out: NDArray[Any]) -> None:
        """Decode chunks ``first..stop`` into ``out``, one after the other."""


@runtime_checkable
class ReadsFew(Protocol):
    """A vector that can read elements before all chunks are located."""

    def read_few(self, start: int, stop: int) -> NDArray[Any] | None:
        """Return the elements ``start..stop``; ``None`` if `layout` is to be used."""


class Addressed(Protocol):
    """An object with an address."""

    @property
    def url(self) -> str:
        """Path or address, without secrets."""


class VectorFile(Protocol):
    """A file that holds vectors. It can be pickled."""

    @property
    def blob(self) -> Addressed:
        """The source of the file's bytes."""

    def array(self, path: str) -> Vector:
        """Return a vector by its path."""


@dataclass
class Cursor:
    """Reads an array from front to back, and decodes each chunk once.

    The next read overwrites the returned array, whose memory is reused.
    """

    array: Vector
    _few: ReadsFew | None = field(init=False)
    _into: ReadsInto | None = field(init=False)
    _row: int = field(default=-1, init=False)
    _held: NDArray[Any] | None = field(default=None, init=False)
    _memory: NDArray[Any] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Look once at what the array can do: it takes longer than the rest of a read."""
        self._few = self.array if isinstance(self.array, ReadsFew) else None
        self._into = self.array if isinstance(self.array, ReadsInto) else None

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return the elements ``start..stop`` of the first axis.

        Raises:
            CorruptMatrixError: The file is damaged at these elements.
        """
        if self._few is not None:
            few = self._few.read_few(start, stop)
            if few is not None:
                return few
        layout = self.array.layout()
        if layout is None or stop <= start:
            return self.array.read_by_library(start, stop)
        n_rows = layout.chunk_shape[0]
        first, last = start // n_rows, (stop - 1) // n_rows
        small = self.array.chunk_bytes < LARGE_BYTES
        if small and self._into is not None and self._into.can_read_into(layout):
            whole = self._read_whole(self._into, layout, first, last + 1)
            return whole[start - first * n_rows : stop - first * n_rows]
        out = self._buffer(stop - start)
        if first == self._row and self._held is not None:
            _copy_overlap(self._held, first * n_rows, out, start)
            first += 1
        n_together = last + 1 - first if self.array.chunk_bytes < LARGE_BYTES else 1
        for number in range(first, last + 1, max(1, n_together)):
            # A chunk may be large: it is freed before the next one.
            self._row, self._held = -1, None
            for row, slab in self.array.read_slabs(layout, number, number + n_together):
                _copy_overlap(slab, row * n_rows, out, start)
                self._row, self._held = row, slab
                del slab
        return out

    def _read_whole(self, array: ReadsInto, layout: Any, first: int, stop: int) -> NDArray[Any]:
        """Return the elements of whole chunks, decoded directly into the returned array."""
        n_rows = layout.chunk_shape[0]
        held = self._held if first == self._row else None
        out = self._buffer((stop - first) * n_rows)
        n_held = int(held is not None)
        if held is not None:
            out[:n_rows] = held
        self._row, self._held = -1, None
        if first + n_held < stop:
            array.read_into(layout, first + n_held, stop, out[n_held * n_rows :])
        self._row, self._held = stop - 1, out[-n_rows:]
        return out

    def _buffer(self, n: int) -> NDArray[Any]:
        """Return memory for ``n`` elements of the first axis."""
        if self._memory is None or len(self._memory) < n:
            self._memory = np.empty((n, *self.array.shape[1:]), dtype=self.array.dtype)
        return self._memory[:n]


def _copy_overlap(chunk: NDArray[Any], at: int, out: NDArray[Any], start: int) -> None:
    """Copy the common elements of a chunk from ``at`` to ``out`` from ``start``."""
    low, high = max(at, start), min(at + len(chunk), start + len(out))
    if high > low:
        out[low - start : high - start] = chunk[low - at : high - at]
