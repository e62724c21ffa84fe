"""Time limits for reading from a connection, whatever the server sends.

A timeout of a socket ends when a byte arrives. A server that sends a byte from time to time, or
interim responses or trailers without end, would hold a reader for ever. So the connections of
`dpss.storage.http.connections` read through a `TimedRaw`, which compares the time with the limit
that the calling thread has set.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_limits = threading.local()


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Limit the time in which this thread reads from connections.

    Within another limit, both hold. A read that begins later raises `TimeoutError`. A read that
    waits for bytes ends with the socket's own timeout.

    Args:
        seconds: The limit, from now on.
    """
    before = getattr(_limits, "end", float("inf"))
    _limits.end = min(before, time.monotonic() + seconds)
    try:
        yield
    finally:
        _limits.end = before


class TimedRaw(io.RawIOBase):
    """A raw stream that is only read within the thread's time limit."""

    def __init__(self, raw: io.RawIOBase) -> None:
        """Read from ``raw``, which is closed with this stream."""
        self._raw = raw

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Read some bytes.

        Raises:
            TimeoutError: The time limit has passed.
        """
        if time.monotonic() > getattr(_limits, "end", float("inf")):
            raise TimeoutError("timed out")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the stream beneath, too."""
        self._raw.close()
        super().close()


class TimedResponse(HTTPResponse):
    """A response that is read within the thread's time limit, its head included."""

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        """Read a response from a socket, with the arguments of `http.client.HTTPResponse`."""
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(TimedRaw(self.fp.detach()))
