"""A file that a server gives only from its start to its end, asked for once.

A server without ranges can't be asked for a part. But a reader that tells what a file
is looks at its beginning, and the reader then goes on from there. So its beginning is
kept, and what follows goes past, to one reader: one transfer, bounded memory, no disk.
See ``docs/adr/0010-remote-reading.md``.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from dpss.compute.background import begin
from dpss.errors import FetchError, NeedsWholeError
from dpss.storage.base import Blob
from dpss.storage.wrapped import WrappedBlob

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD_BYTES = 1 << 25
"""Bytes kept of a file's beginning until it's read beyond; a smaller file is kept whole. Enough
for all looks at it: the first blocks of some 25 threads that parse uncompressed text."""
AHEAD_BYTES = 1 << 23
"""Bytes that may have come without being asked for; then the server has to wait."""
_PIECE_BYTES = 1 << 18
_POLL_SECONDS = 0.2


class OnePassBlob(WrappedBlob):
    """A file that can be read once, and its beginning often, as a `dpss.storage.base.Blob`.

    Reading beyond the beginning a second time raises `dpss.errors.NeedsWholeError`. To be
    closed, so that the server needn't send the rest.
    """

    def __init__(self, inner: Blob, check: Callable[[], None] = lambda: None) -> None:
        """Read ``inner``, which gives no ranges; nothing is asked for yet.

        Args:
            inner: The file.
            check: Called while a reader waits for bytes; raises if it's time to end.
        """
        super().__init__(inner)
        self._transfer = _Transfer(inner, check)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave behind what has come."""
        return OnePassBlob, (self.inner,)

    @property
    def random_access(self) -> bool:
        """Whether its beginning is all of it."""
        size = self.size_bytes
        return size is not None and size <= HEAD_BYTES

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end.

        Raises:
            NeedsWholeError: They are not all of the file's beginning.
            FetchError: The bytes don't come.
        """
        stop = start + length
        if self.size_bytes is not None:
            stop = min(stop, self.size_bytes)
        parts = []
        while start < stop and (data := self._transfer.take(None, start, stop - start)):
            parts.append(data)
            start += len(data)
        return b"".join(parts)

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end.

        Later reads raise a `dpss.errors.NeedsWholeError` where another has gone further.
        """
        return cast("BinaryIO", io.BufferedReader(_TransferStream(self._transfer), _PIECE_BYTES))

    def close(self) -> None:
        """Let go of the server, and of all that has come."""
        self._transfer.close()


class _TransferStream(io.RawIOBase):
    """A reader of a transfer, from its start."""

    def __init__(self, transfer: _Transfer) -> None:
        self._transfer = transfer
        self._position = 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill ``buffer`` with what has come."""
        view = memoryview(buffer)
        data = self._transfer.take(self, self._position, len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


class _Transfer:
    """Body of a response: all readers share the beginning, the first one gets the rest."""

    def __init__(self, blob: Blob, check: Callable[[], None]) -> None:
        self._blob = blob
        self._check = check
        self._changed = threading.Condition()
        self._head = bytearray()
        self._rest: deque[bytes] = deque()
        self._n_come = 0
        self._n_wanted = 0
        self._reader: _TransferStream | None = None
        self._begun = self._ended = self._closed = False
        self._error: BaseException | None = None

    def take(self, reader: _TransferStream | None, position: int, length: int) -> bytes:
        """Wait for up to ``length`` bytes at a position; return none only at the end.

        Args:
            reader: The stream that reads beyond the beginning; ``None`` if none does.
            position: Position of the bytes in the file.
            length: At most as many.

        Raises:
            NeedsWholeError: The bytes went past already, or would for another reader.
            FetchError: The bytes don't come.
        """
        with self._changed:
            self._refuse(reader, position)
            self._want(position + min(length, _PIECE_BYTES))
            while self._n_come <= position and not self._ended:
                self._changed.wait(_POLL_SECONDS)
                self._check()
            if self._closed:
                raise FetchError(f"{self._blob.url}: is closed")
            if position < len(self._head):
                return bytes(self._head[position : position + length])
            if position < self._n_come:
                return self._take_rest(reader, length)
            if self._error is not None:
                raise self._error
            return b""

    def close(self) -> None:
        """End it."""
        with self._changed:
            self._closed = self._ended = True
            self._rest.clear()
            self._head = bytearray()
            self._changed.notify_all()

    def _refuse(self, reader: _TransferStream | None, position: int) -> None:
        """Raise where the bytes at a position are not for a reader."""
        taken = self._reader is not None and self._reader is not reader
        if taken or (reader is None and position >= HEAD_BYTES):
            raise NeedsWholeError(
                f"{self._blob.url}: the server gives no parts of it, and one reading isn't enough"
            )

    def _want(self, stop: int) -> None:
        """Have the bytes up to ``stop`` brought, and some more."""
        self._n_wanted = max(self._n_wanted, stop)
        if not self._begun:
            self._begun = True
            begin(self._bring)
        self._changed.notify_all()

    def _take_rest(self, reader: _TransferStream | None, length: int) -> bytes:
        """Return what comes next beyond the beginning, which no reader gets from now on."""
        self._refuse(reader, HEAD_BYTES)
        self._reader = reader
        self._head = bytearray()
        data = self._rest.popleft()
        if len(data) > length:
            self._rest.appendleft(data[length:])
        return data[:length]

    def _bring(self) -> None:
        """Ask for the file and put away what comes: done in a thread."""
        try:
            with self._blob.open() as file:
                stream = cast("io.BufferedIOBase", file)
                while (data := stream.read1(_PIECE_BYTES)) and self._put(data):
                    pass
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, data: bytes) -> bool:
        """Keep what has come, and wait until more is wanted; return whether it ever is."""
        with self._changed:
            room = max(0, HEAD_BYTES - self._n_come)
            self._head += data[:room]
            if data[room:]:
                self._rest.append(data[room:])
            self._n_come += len(data)
            self._changed.notify_all()
            # A look at the beginning brings little more.
            self._changed.wait_for(
                lambda: (
                    self._closed or self._n_come < self._n_wanted + min(self._n_wanted, AHEAD_BYTES)
                )
            )
            return not self._closed
