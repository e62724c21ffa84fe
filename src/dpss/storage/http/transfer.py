"""An HTTP body as a stream, which resumes after interruptions.

At the end its checksum is compared.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import Protocol

import urllib3
from isal import isal_zlib
from urllib3.exceptions import HTTPError

from dpss.errors import CorruptMatrixError, FetchError, RequestError, TransientRequestError, plural
from dpss.storage.http.client import Client
from dpss.storage.http.deadlines import time_limit
from dpss.storage.http.responses import content_length, discard, reason, whole_number
from dpss.storage.stream import PieceStream

BUFFER_BYTES = 1 << 18
PIECE_BYTES = 1 << 19
"""Bytes of a range that are received at a time: at the least speed that is allowed, they come
within the time limit of a read. The C library keeps the memory of pieces below 1 MiB
(`dpss.compute.machine.return_memory_at_once`); the system would clear that of larger ones anew.
"""
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass(frozen=True)
class FileMetadata:
    """A server's metadata of a file: size, version and support of ranges."""

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
    def metadata(self) -> FileMetadata:
        """Size, version and support of ranges, as the server states them."""

    def request(self, start: int, stop: int | None) -> urllib3.BaseHTTPResponse:
        """Request the bytes from ``start`` to ``stop`` (``None``: the end)."""


class Download(PieceStream):
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
        self._response: urllib3.BaseHTTPResponse | None = None
        self._digest = hashlib.sha256() if blob.sha256 and start == 0 and stop is None else None
        self._seconds = 0.0
        self._received = 0
        self._done = False
        self._crc = 0
        self._ended_early_at = -1

    def read_piece(self, n_bytes: int) -> bytes:
        """Return the next received bytes, at most ``n_bytes``; none at the end.

        Raises:
            FetchError: No more bytes arrive after all retries.
            CorruptMatrixError: The file changed meanwhile, or its checksum is wrong.
        """
        if self._done:
            return b""
        try:
            try:
                data = self._piece(n_bytes)
            except TransientRequestError:
                data = self._blob.client.try_until(lambda: self._piece(n_bytes))
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
        """Close the connection."""
        self._disconnect()
        super().close()

    def _piece(self, length: int) -> bytes:
        """Return the next bytes, none at the end."""
        end = self._stop if self._stop is not None else self._blob.metadata.size_bytes
        if end is not None:
            length = min(length, end - self._position)
            if length <= 0:
                return b""
        start = time.monotonic()
        try:
            if self._response is None:
                self._response = self._connect()
            if self._response is None:
                return b""
            data = self._read(self._response, length)
        except (HTTPError, OSError) as error:
            self._disconnect()
            # Of a piece that breaks off nothing is kept: the next ones are received as they come.
            self._whole_pieces = False
            raise TransientRequestError(f"{self._blob.url}: broke off ({reason(error)})") from error
        if not data and end is not None:
            self._disconnect()
            message = f"{self._blob.url}: ended after {self._position:,} of {plural(end, 'byte')}"
            if self._ended_early_at == self._position:
                raise RequestError(
                    f"{message}, twice; the size that the server states may be wrong"
                )
            self._ended_early_at = self._position
            raise TransientRequestError(message)
        self._check_speed(time.monotonic() - start, len(data))
        return data

    def _read(self, response: urllib3.BaseHTTPResponse, length: int) -> bytes:
        """Return the next bytes of a response, at most ``length``."""
        try:
            with time_limit(self._blob.client.retries.slow):
                return response.read(length) if self._whole_pieces else response.read1(length)
        except ValueError as error:
            response.close()
            raise RequestError(
                f"{self._blob.url}: does not answer in HTTP ({reason(error)})"
            ) from error

    def _connect(self) -> urllib3.BaseHTTPResponse | None:
        """Request the remaining bytes; ``None`` where there are none."""
        metadata = self._blob.metadata
        response = self._blob.request(self._position, self._stop)
        if response.status == 416:
            discard(response)
            return None
        total = whole_size(response)
        start = 0
        if response.status == 206:
            start, total = content_range(response, self._blob.url)
        changed = metadata.etag and etag_of(response) not in ("", metadata.etag)
        if changed or (None not in (total, metadata.size_bytes) and total != metadata.size_bytes):
            response.close()
            raise self._changed_error()
        if start > self._position:
            response.close()
            raise RequestError(
                f"{self._blob.url}: the server gives other bytes than were asked for"
            )
        # A server without ranges starts again from the first byte: received bytes are skipped.
        self._skip(response, self._position - start)
        return response

    def _skip(self, response: urllib3.BaseHTTPResponse, n_bytes: int) -> None:
        """Skip the bytes that were received before the interruption.

        Raises:
            CorruptMatrixError: The bytes differ from those received before.
        """
        crc = 0
        is_repeated = self._start == 0 and n_bytes > 0
        while n_bytes:
            start = time.monotonic()
            skipped = self._read(response, min(n_bytes, BUFFER_BYTES))
            if not skipped:
                raise TransientRequestError(f"{self._blob.url}: ended too early")
            crc = isal_zlib.crc32(skipped, crc)
            self._check_speed(time.monotonic() - start, len(skipped))
            n_bytes -= len(skipped)
        if is_repeated and crc != self._crc:
            response.close()
            raise self._changed_error()

    def _changed_error(self) -> CorruptMatrixError:
        return CorruptMatrixError(f"{self._blob.url}: was changed while it was read; run again")

    def _check_speed(self, seconds: float, n_bytes: int) -> None:
        """Raise a `RequestError` for a slow transfer; only time spent waiting counts."""
        retries = self._blob.client.retries
        self._seconds += seconds
        self._received += n_bytes
        if self._seconds >= retries.slow:
            speed = self._received / self._seconds
            if speed < retries.slow_bytes_per_second:
                raise RequestError(
                    f"{self._blob.url}: too slow, {speed:,.0f} bytes/s over {self._seconds:.0f} s"
                )
            self._seconds, self._received = 0.0, 0

    def _finish(self) -> None:
        self._done = True
        if self._response is not None:
            self._response.release_conn()
            self._response = None
        if self._digest and self._digest.hexdigest() != self._blob.sha256:
            raise CorruptMatrixError(
                f"{self._blob.url}: its sha256 is {self._digest.hexdigest()}, "
                f"but the source says {self._blob.sha256}"
            )

    def _disconnect(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None


def whole_size(response: urllib3.BaseHTTPResponse) -> int | None:
    """Return the size of a complete response, ``None`` where it isn't stated."""
    return content_length(response) if response.status == 200 else None


def content_range(response: urllib3.BaseHTTPResponse, url: str) -> tuple[int, int | None]:
    """Return the start of a range, and the size of the file where it is stated.

    Raises:
        RequestError: The response states no valid range.
    """
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if not found:
        response.close()
        raise RequestError(f"{url}: the server sends a part and does not say which")
    start, _, total = found.groups()
    return whole_number(start or "") or 0, whole_number(total)


def etag_of(response: urllib3.BaseHTTPResponse) -> str:
    """Return a response's entity tag; empty where there is none."""
    return response.headers.get("ETag", "").strip()
