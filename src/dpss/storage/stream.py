"""The base class of raw streams that return their bytes piece by piece."""

from __future__ import annotations

import io
from abc import abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class PieceStream(io.RawIOBase):
    """A raw stream for reading; subclasses return the next piece of its bytes."""

    @abstractmethod
    def read_piece(self, n_bytes: int) -> bytes | memoryview:
        """Return the next bytes, 1 to ``n_bytes`` of them; none only at the end."""

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill ``buffer`` as far as one piece goes; return the number of bytes."""
        view = memoryview(buffer).cast("B")
        data = self.read_piece(len(view))
        view[: len(data)] = data
        return len(data)
