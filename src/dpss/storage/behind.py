"""The bytes of a file behind a head that is skipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from dpss.storage.base import Blob
from dpss.storage.derived import Derived, skip


@dataclass(frozen=True)
class BlobBehind(Derived):
    """A blob without its first bytes."""

    inner: Blob
    """The whole blob."""
    n_bytes: int
    """Number of bytes that are left out."""

    @property
    def size_bytes(self) -> int | None:
        """Size in bytes; ``None`` where it is not known before the end."""
        size = self.inner.size_bytes
        return None if size is None else max(0, size - self.n_bytes)

    @property
    def random_access(self) -> bool:
        """Whether `read_range` costs about as much as the bytes it returns."""
        return self.inner.random_access

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end."""
        return self.inner.read_range(start + self.n_bytes, length)

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end; the caller closes it."""
        file = self.inner.open()
        skip(file, self.n_bytes)
        return file
