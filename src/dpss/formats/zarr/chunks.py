"""Chunks of zarr arrays in storage: objects, or parts of shards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError, plural
from dpss.formats.zarr.metadata import ArrayMetadata, Shards
from dpss.storage.base import Blob

_MAX_STORED_BYTES = 1 << 30
_MISSING = (1 << 64) - 1
_MAX_INDEX_BYTES = 1 << 26

ChunkIndex = tuple[int, ...]
"""Index of a chunk along each axis."""


class Hierarchy(Protocol):
    """The interface of a zarr hierarchy for its arrays."""

    @property
    def url(self) -> str:
        """Address of the hierarchy, without secrets."""

    def find(self, path: str) -> Blob | None:
        """Return the blob at a path below the root; ``None`` if there is none."""

    def stored_bytes(self, path: str) -> int | None:
        """Return the bytes that an array's chunks take in storage; ``None`` if not known."""


@dataclass(frozen=True)
class StoredChunk:
    """The bytes of a chunk in storage."""

    blob: Blob
    offset: int
    """Offset of the bytes in the blob."""
    size_bytes: int | None
    """Number of bytes; ``None`` for a whole blob of unknown size."""

    def read(self) -> bytes:
        """Return all bytes.

        Raises:
            LimitError: The chunk is too large.
        """
        if self.size_bytes is not None and self.size_bytes > _MAX_STORED_BYTES:
            raise self._too_large()
        if self.offset or self.size_bytes != self.blob.size_bytes:
            return self.blob.read_range(self.offset, self.size_bytes or 0)
        with self.blob.open() as file:
            data = file.read(_MAX_STORED_BYTES + 1)
        if len(data) > _MAX_STORED_BYTES:
            raise self._too_large()
        return data

    def read_pieces(self, piece_bytes: int) -> Iterator[bytes]:
        """Yield the bytes in order, at most ``piece_bytes`` at a time."""
        if self.size_bytes is None:
            with self.blob.open() as file:
                while piece := file.read(piece_bytes):
                    yield piece
            return
        end = self.offset + self.size_bytes
        for start in range(self.offset, end, piece_bytes):
            piece = self.blob.read_range(start, min(piece_bytes, end - start))
            if not piece:
                return
            yield piece

    def _too_large(self) -> LimitError:
        size = "so many bytes" if self.size_bytes is None else plural(self.size_bytes, "byte")
        return LimitError(f"{self.blob.url}: a chunk of {size} is too large to be decoded")


def locate(
    tree: Hierarchy, path: str, meta: ArrayMetadata, index: ChunkIndex
) -> StoredChunk | None:
    """Return the stored bytes of a chunk; ``None`` for one that was never written.

    Args:
        tree: The hierarchy.
        path: The array in it.
        meta: Metadata of the array.
        index: Index of the chunk along each axis.

    Raises:
        CorruptMatrixError: A shard's index is damaged.
    """
    shards = meta.shards
    if shards is None:
        blob = tree.find(f"{path}/{meta.key(index)}")
        return None if blob is None else StoredChunk(blob, 0, blob.size_bytes)
    per_shard = tuple(-(-s // c) for s, c in zip(shards.shape, meta.chunk_shape, strict=True))
    shard = tuple(at // n for at, n in zip(index, per_shard, strict=True))
    inner = tuple(at % n for at, n in zip(index, per_shard, strict=True))
    blob = tree.find(f"{path}/{meta.key(shard)}")
    if blob is None:
        return None
    offset, size = (int(n) for n in _read_index(blob, shards, per_shard)[inner])
    if offset == size == _MISSING:
        return None
    if offset + size > (blob.size_bytes or 0):
        raise CorruptMatrixError(f"{blob.url}: a chunk lies beyond the shard's end")
    return StoredChunk(blob, offset, size)


def _read_index(blob: Blob, shards: Shards, per_shard: tuple[int, ...]) -> NDArray[np.uint64]:
    """Return offset and size of each chunk in a shard, shape ``(*per_shard, 2)``."""
    n_bytes = prod(per_shard) * 16
    n_check = 4 if shards.index_checked else 0
    size = blob.size_bytes or 0
    if n_bytes > _MAX_INDEX_BYTES or n_bytes + n_check > size:
        raise CorruptMatrixError(f"{blob.url}: no index of its chunks is in {plural(size, 'byte')}")
    data = blob.read_range(size - n_bytes - n_check if shards.index_at_end else 0, n_bytes)
    if len(data) != n_bytes:
        raise CorruptMatrixError(f"{blob.url}: is cut off")
    return np.frombuffer(data, dtype=shards.index_dtype).reshape(*per_shard, 2)
