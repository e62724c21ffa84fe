"""Base classes of blobs and trees that read from another blob or tree."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import BinaryIO

from dpss.storage.base import Blob, Tree

_PIECE_BYTES = 1 << 18


class Derived:
    """A blob or tree with the name and the address of its inner blob or tree."""

    inner: Blob | Tree

    @property
    def name(self) -> str:
        """Last part of the address."""
        return self.inner.name

    @property
    def url(self) -> str:
        """Path or address, fit to be shown."""
        return self.inner.url


class DerivedStream(Derived, ABC):
    """A blob that converts the bytes of another one, as a stream."""

    size_bytes: int | None = None
    random_access = False

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end."""
        return read_from_start(self, start, length)

    @abstractmethod
    def open(self) -> BinaryIO:
        """Open for reading from the start to the end."""


def skip(file: BinaryIO, n_bytes: int) -> bool:
    """Skip bytes of a stream; return whether it had that many."""
    while n_bytes > 0 and (n_read := len(file.read(min(n_bytes, _PIECE_BYTES)))):
        n_bytes -= n_read
    return n_bytes <= 0


def read_from_start(blob: Blob, start: int, length: int) -> bytes:
    """Return a range of a blob without random access, by reading from the start."""
    with blob.open() as file:
        skip(file, start)
        return file.read(length)
