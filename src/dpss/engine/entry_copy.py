"""A copy of entries in scratch space, made while they are read the first time.

A layer that is stored gene by gene is read twice. Inflating or parsing it takes most of each pass,
so that the second one reads this copy: two bytes per value where counts are whole and small.
Each block has a checksum (CRC-32, 0.05 ns per value, about 1 % of the second pass): damaged bytes
would give other numbers, or places outside the arrays. Such a copy is as one that was lost.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from dpss.compute.executor import Executor
from dpss.engine.entry_codec import pack_entries, unpack_entries
from dpss.errors import LimitError, LostCopyError
from dpss.formats.base import EntrySource, cut_evenly
from dpss.model import EntryBlock, GeneTable
from dpss.storage.scratch import OpenRoom, Room
from dpss.storage.scratch_folders import is_in_memory

log = logging.getLogger(__name__)

_VALUE_BYTES = 8


@dataclass(frozen=True)
class _WrittenBlock:
    """One block in the file."""

    offset: int
    """Where its bytes begin."""
    n_values: int
    n_far: int
    n_others: int
    n_runs: int
    dtype: np.dtype[Any]
    """Type of the values."""
    checksum: int
    """CRC-32 of its bytes."""


class _BlockMemory:
    """Arrays for the values of one block after the other.

    The system clears each page of a new array, which took as long as to read a block.
    """

    def __init__(self) -> None:
        """Start without memory."""
        self._allocate(0, np.dtype(np.float32))

    def _allocate(self, n_values: int, dtype: np.dtype[Any]) -> None:
        self._bytes = np.empty((2, n_values), dtype=np.uint8)
        self._numbers = np.empty((2, n_values), dtype=np.int32)
        self._data = np.empty(n_values, dtype=dtype)
        self.runs = np.empty((n_values, 2), dtype=np.int32)

    def take(
        self, n_values: int, dtype: np.dtype[Any]
    ) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[Any]]:
        """Return arrays for a block: two of bytes, two of numbers, and its values.

        Args:
            n_values: Number of values, the length of each array.
            dtype: Type of the values.
        """
        if n_values > len(self._data) or dtype != self._data.dtype:
            self._allocate(max(n_values + n_values // 8, len(self._data)), dtype)
        return self._bytes[:, :n_values], self._numbers[:, :n_values], self._data[:n_values]


class EntryCopy:
    """Copies blocks of entries as they are read; several threads may add at once.

    Where the scratch space is full or fails the copy is given up: its space is free at once, and
    `layer` returns ``None``.
    """

    def __init__(self, room: Room) -> None:
        """Begin without entries, in a folder of the scratch space."""
        self._room = room
        self._path = room.path / "entries"
        self._file = self._path.open("wb")
        self._parts: list[_WrittenBlock] = []
        self._memory = threading.local()
        self._lock = threading.Lock()
        self._given_up = False

    def close(self) -> None:
        """Close the file; if its last bytes can't be written the copy is given up."""
        try:
            self._file.close()
        except OSError as error:
            self._give_up(error)

    def add(self, block: EntryBlock) -> None:
        """Add a block."""
        n = len(block.data)
        if self._given_up or n == 0:
            return
        if not hasattr(self._memory, "arrays"):
            self._memory.arrays = _BlockMemory()
        (steps, small), (far, *_), others = self._memory.arrays.take(n, block.data.dtype)
        runs = self._memory.arrays.runs[:n]
        # Those beyond 32 bits lie outside any matrix: after such a pass there is no second one.
        cells, genes = (each.astype(np.int32, copy=False) for each in (block.cells, block.genes))
        n_far, n_others, n_runs = pack_entries(
            cells, genes, block.data, steps, small, far, others, runs
        )
        pieces = (steps, small, far[:n_far], others[:n_others], runs[:n_runs])
        checksum = _checksum_of(pieces)
        with self._lock:
            self._write(pieces, (n, n_far, n_others, n_runs), block.data.dtype, checksum)

    def _write(
        self,
        pieces: Sequence[NDArray[Any]],
        counts: tuple[int, int, int, int],
        dtype: np.dtype[Any],
        checksum: int,
    ) -> None:
        """Write a block, unless another thread has given the copy up meanwhile."""
        if self._given_up:
            return
        try:
            self._room.take(sum(piece.nbytes for piece in pieces), optional=True)
            offset = self._file.tell()
            for piece in pieces:
                self._file.write(piece.data)
            self._file.flush()
        except (LimitError, OSError) as error:
            self._give_up(error)
        else:
            self._parts.append(_WrittenBlock(offset, *counts, dtype, checksum))

    def _give_up(self, error: Exception) -> None:
        """Remove the file and release its space, which other matrices may wait for."""
        self._given_up = True
        log.info("no copy in scratch space, so that the file is read twice: %s", error)
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()
        self._room.give_back()

    def layer(self, original: EntrySource) -> PackedLayer | None:
        """Return the layer that reads the copy of a layer; ``None`` if it was given up."""
        self.close()
        self._memory = threading.local()
        if self._given_up:
            return None
        return PackedLayer(
            original.name, original.genes, original.n_cells, tuple(self._parts), self._path
        )


def _checksum_of(pieces: Sequence[NDArray[Any]]) -> int:
    checksum = 0
    for piece in pieces:
        checksum = isal_zlib.crc32(piece.data, checksum)
    return checksum


@contextmanager
def open_copy(open_room: OpenRoom, executor: Executor) -> Iterator[EntryCopy | None]:
    """Yield a copy to be filled, removed at the end of the context.

    There is none, ``None``, where other machines do the work, no scratch space can be had, or it
    lies in memory, which must not grow with the matrix.
    """
    with ExitStack() as stack:
        copy = None
        if executor.is_local:
            try:
                room = stack.enter_context(open_room())
                if not is_in_memory(room.path):
                    copy = stack.enter_context(closing(EntryCopy(room)))
            except OSError as error:
                log.info("no scratch space, so that the file is read twice: %s", error)
        yield copy


@dataclass(frozen=True)
class PackedLayer:
    """Entries in scratch space as a `dpss.formats.base.EntrySource`."""

    name: str
    genes: GeneTable
    n_cells: int | None
    parts: tuple[_WrittenBlock, ...]
    """The blocks; a partition is a range of them."""
    path: Path
    cell_major: bool = False

    @property
    def n_values(self) -> int:
        """Number of values."""
        return sum(part.n_values for part in self.parts)

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Cut the blocks into ranges of about ``partition_bytes``."""
        return cut_evenly(len(self.parts), self.n_values, _VALUE_BYTES, partition_bytes)

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the blocks of a partition as they were added, whatever the size asked for.

        The next block overwrites the arrays of the one before.

        Raises:
            LostCopyError: The file is gone, or can't be read.
        """
        memory = _BlockMemory()
        try:
            with self.path.open("rb") as file:
                for part in self.parts[partition.start : partition.stop]:
                    yield _read_block(file, part, memory)
        except OSError as error:
            raise LostCopyError(f"{self.name}: the copy in scratch space: {error}") from error


def _read_block(file: BufferedReader, part: _WrittenBlock, memory: _BlockMemory) -> EntryBlock:
    file.seek(part.offset)
    n = part.n_values
    (steps, small), (cells, genes), data = memory.take(n, part.dtype)
    far, others = np.empty(part.n_far, np.int32), np.empty(part.n_others, part.dtype)
    runs = np.empty((part.n_runs, 2), np.int32)
    pieces = (steps, small, far, others, runs)
    for piece in pieces:
        # An empty array has no bytes to point at.
        if piece.size and file.readinto(piece.data) < piece.nbytes:
            raise LostCopyError("the copy in scratch space has fewer bytes than were written")
    if _checksum_of(pieces) != part.checksum:
        raise LostCopyError("the copy in scratch space has other bytes than were written")
    unpack_entries(steps, small, far, others, runs, cells, genes, data)
    return EntryBlock(cells, genes, data)
