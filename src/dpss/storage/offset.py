"""The bytes of a file from an offset on, as after the user block of an HDF5 file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from dpss.compute.prefetch import Prefetchable
from dpss.storage.base import Blob, Spans
from dpss.storage.derived import Derived, skip
from dpss.storage.local import path_of


def from_offset(blob: Blob, n_bytes: int) -> Blob:
    """Return a blob without its first ``n_bytes``; it can prefetch if the blob can."""
    if n_bytes == 0:
        return blob
    if isinstance(blob, Prefetchable):
        return PrefetchableOffsetBlob(blob, n_bytes)
    return OffsetBlob(blob, n_bytes)


def is_local(blob: Blob) -> bool:
    """Return whether a blob is a local file, or a part of one."""
    return path_of(blob.inner if isinstance(blob, OffsetBlob) else blob) is not None


@dataclass(frozen=True)
class OffsetBlob(Derived):
    """The bytes of a blob from an offset on."""

    inner: Blob
    """The whole blob."""
    n_bytes: int
    """The offset: number of bytes that are left out."""

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


class PrefetchableOffsetBlob(OffsetBlob):
    """The bytes from an offset on of a blob that can prefetch."""

    def prefetch(self, spans: Spans) -> None:
        """Start to fetch ranges that will be read, and return without waiting."""
        if isinstance(self.inner, Prefetchable):
            places = [(start + self.n_bytes, length) for start, length in spans.places]
            self.inner.prefetch(Spans(places, spans.soon))
