"""A blob as a seekable file: the only file object over `Blob.read_range`."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from dpss.errors import LimitError
from dpss.storage.base import Blob
from dpss.storage.stream import PieceStream


class BlobFile(PieceStream):
    """A seekable file over a blob's `read_range`, for libraries and for streaming."""

    def __init__(self, blob: Blob, budget_bytes: int | None = None) -> None:
        """Read from ``blob``, and at most ``budget_bytes`` in all."""
        self.blob = blob
        self._budget = budget_bytes
        self._used = 0
        self._position = 0

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}.get(whence)
        if base is None:
            base = self.blob.size_bytes or 0
        if base + offset < 0:
            raise OSError("a position before the start")
        self._position = base + offset
        return self._position

    def read_piece(self, n_bytes: int) -> bytes:
        """Return the bytes at the position, fewer only at the end.

        Raises:
            LimitError: The budget is used up.
        """
        self._used += n_bytes
        if self._budget is not None and self._used > self._budget:
            raise LimitError(
                f"{self.blob.url}: its table of contents is larger than {self._budget >> 20} MiB"
            )
        data = self.blob.read_range(self._position, n_bytes)
        self._position += len(data)
        return data


def open_buffered(blob: Blob, buffer_bytes: int = 1 << 18) -> BinaryIO:
    """Open a blob that gives ranges for reading from the start to the end."""
    return cast("BinaryIO", io.BufferedReader(BlobFile(blob), buffer_bytes))
