"""An HTTP body as a stream that resumes after interruptions and checks its checksum."""

from __future__ import annotations

import hashlib
import io
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import urllib3
from isal import isal_zlib
from urllib3.exceptions import HTTPError

from dpss.errors import CorruptMatrixError, FetchError, RequestError, TransientRequestError
from dpss.storage.http.answers import discard, reason, stated_length, whole_number
from dpss.storage.http.client import Client
from dpss.storage.http.deadlines import time_limit

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_BYTES = 1 << 18
PIECE_BYTES = 1 << 20
"""Bytes of a range that are received at a time: at the least speed that is allowed, they come
within the time limit of a read."""
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass(frozen=True)
class Facts:
    """A server's facts about a file: size, version and support of ranges."""

    size_bytes: int | None
    etag: str
    """Entity tag; empty where there is none."""
    modified: str
    """Header ``Last-Modified``; empty where there is none."""
    ranges: bool
    """Whether the server supports ranges."""
    head: bytes
    """First bytes of the file, where the server supports ranges."""


class RemoteFile(Protocol):
    """The attributes of an HTTP file that a download needs."""

    @property
    def url(self) -> str:
        """The address without secrets."""

    @property
    def sha256(self) -> str:
        """SHA-256 checksum of all bytes, in hexadecimal digits; empty if not known."""

    @property
    def client(self) -> Client:
        """The client that sends the requests."""

    @property
    def facts(self) -> Facts:
        """Size, version and abilities as the server states them."""

    def ask(self, start: int, stop: int | None) -> urllib3.BaseHTTPResponse:
        """Request the bytes from ``start`` to ``stop`` (``None``: the end)."""


class Download(io.RawIOBase):
    """A stream of a range of an HTTP file, which resumes after interruptions."""

    def __init__(
        self, blob: RemoteFile, start: int, stop: int | None, *, whole_pieces: bool = False
    ) -> None:
        """Read from ``start`` to ``stop`` (``None``: the end).

        Args:
            blob: The file.
            start: The first byte.
            stop: The byte after the last one.
            whole_pieces: Whether a piece has as many bytes as are asked for, unless the response
                ends before: then it is received where it stays, in one step.
        """
        self._blob = blob
        self._start = self._position = start
        self._stop = stop
        self._whole_pieces = whole_pieces
        self._answer: urllib3.BaseHTTPResponse | None = None
        self._digest = hashlib.sha256() if blob.sha256 and start == 0 and stop is None else None
        self._spent = 0.0
        self._got = 0
        self._done = False
        self._crc = 0
        self._ended_at = -1

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill ``buffer`` with the bytes that `read_piece` returns."""
        view = memoryview(buffer)
        data = self.read_piece(len(view))
        view[: len(data)] = data
        return len(data)

    def read_piece(self, length: int) -> bytes:
        """Return the next received bytes, at most ``length``; none at the end.

        Raises:
            FetchError: No more bytes arrive after all retries.
            CorruptMatrixError: The file changed meanwhile, or its checksum is wrong.
        """
        if self._done:
            return b""
        try:
            try:
                data = self._piece(length)
            except TransientRequestError:
                data = self._blob.client.try_until(lambda: self._piece(length))
        except RequestError as error:
            raise FetchError(str(error)) from error
        self._position += len(data)
        if self._start == 0:
            self._crc = isal_zlib.crc32(data, self._crc)
        if self._digest:
            self._digest.update(data)
        if not data:
            self._finish()
        return data

    def close(self) -> None:
        """Release the connection."""
        if self._answer is not None:
            self._answer.close()
            self._answer = None
        super().close()

    def _piece(self, length: int) -> bytes:
        """Return the next bytes, none at the end."""
        end = self._stop if self._stop is not None else self._blob.facts.size_bytes
        if end is not None:
            length = min(length, end - self._position)
            if length <= 0:
                return b""
        start = time.monotonic()
        try:
            if self._answer is None:
                self._answer = self._connect()
            if self._answer is None:
                return b""
            data = self._read(self._answer, length)
        except (HTTPError, OSError) as error:
            self._drop()
            # Of a piece that breaks off nothing is kept: the next ones are received as they come.
            self._whole_pieces = False
            raise TransientRequestError(f"{self._blob.url}: broke off ({reason(error)})") from error
        if not data and end is not None:
            self._drop()
            message = f"{self._blob.url}: ended after {self._position:,} of {end:,} bytes"
            if self._ended_at == self._position:
                raise RequestError(
                    f"{message}, twice; the size that the server states may be wrong"
                )
            self._ended_at = self._position
            raise TransientRequestError(message)
        self._watch_speed(time.monotonic() - start, len(data))
        return data

    def _read(self, answer: urllib3.BaseHTTPResponse, length: int) -> bytes:
        """Return the next bytes of a response, at most ``length``."""
        try:
            with time_limit(self._blob.client.retries.slow):
                return answer.read(length) if self._whole_pieces else answer.read1(length)
        except ValueError as error:
            answer.close()
            raise RequestError(
                f"{self._blob.url}: does not answer in HTTP ({reason(error)})"
            ) from error

    def _connect(self) -> urllib3.BaseHTTPResponse | None:
        """Request the remaining bytes; ``None`` where there are none."""
        facts = self._blob.facts
        answer = self._blob.ask(self._position, self._stop)
        if answer.status == 416:
            discard(answer)
            return None
        total = whole_size(answer)
        start = 0
        if answer.status == 206:
            start, total = content_range(answer, self._blob.url)
        changed = facts.etag and etag_of(answer) not in ("", facts.etag)
        if changed or (None not in (total, facts.size_bytes) and total != facts.size_bytes):
            answer.close()
            raise self._changed()
        if start > self._position:
            answer.close()
            raise RequestError(
                f"{self._blob.url}: the server gives other bytes than were asked for"
            )
        # A server without ranges starts again from the first byte: received bytes are skipped.
        self._skip(answer, self._position - start)
        return answer

    def _skip(self, answer: urllib3.BaseHTTPResponse, n_bytes: int) -> None:
        """Skip the bytes that were received before the interruption.

        Raises:
            CorruptMatrixError: The bytes differ from those received before.
        """
        crc = 0
        came_before = self._start == 0 and n_bytes > 0
        while n_bytes:
            start = time.monotonic()
            gone = self._read(answer, min(n_bytes, BUFFER_BYTES))
            if not gone:
                raise TransientRequestError(f"{self._blob.url}: ended too early")
            crc = isal_zlib.crc32(gone, crc)
            self._watch_speed(time.monotonic() - start, len(gone))
            n_bytes -= len(gone)
        if came_before and crc != self._crc:
            answer.close()
            raise self._changed()

    def _changed(self) -> CorruptMatrixError:
        return CorruptMatrixError(f"{self._blob.url}: was changed while it was read; run again")

    def _watch_speed(self, seconds: float, n_bytes: int) -> None:
        """Raise an error for a slow transfer; only time spent waiting counts."""
        retries = self._blob.client.retries
        self._spent += seconds
        self._got += n_bytes
        if self._spent >= retries.slow:
            speed = self._got / self._spent
            if speed < retries.slow_bytes_per_second:
                raise RequestError(
                    f"{self._blob.url}: too slow, {speed:,.0f} bytes/s over {self._spent:.0f} s"
                )
            self._spent, self._got = 0.0, 0

    def _finish(self) -> None:
        self._done = True
        if self._answer is not None:
            self._answer.release_conn()
            self._answer = None
        if self._digest and self._digest.hexdigest() != self._blob.sha256:
            raise CorruptMatrixError(
                f"{self._blob.url}: its sha256 is {self._digest.hexdigest()}, "
                f"but the source says {self._blob.sha256}"
            )

    def _drop(self) -> None:
        if self._answer is not None:
            self._answer.close()
            self._answer = None


def whole_size(answer: urllib3.BaseHTTPResponse) -> int | None:
    """Return the size of a complete response, ``None`` where it isn't stated."""
    return stated_length(answer) if answer.status == 200 else None


def content_range(answer: urllib3.BaseHTTPResponse, url: str) -> tuple[int, int | None]:
    """Return the start of a range, and the size of the file where it is stated.

    Raises:
        RequestError: The response states no valid range.
    """
    found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    if not found:
        answer.close()
        raise RequestError(f"{url}: the server sends a part and does not say which")
    start, _, total = found.groups()
    return whole_number(start or "") or 0, whole_number(total)


def etag_of(answer: urllib3.BaseHTTPResponse) -> str:
    """Return an answer's entity tag; empty where there is none."""
    return answer.headers.get("ETag", "").strip()
