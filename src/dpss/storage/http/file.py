"""A file at ``https://`` as a blob, read by range where the server supports it.

An interrupted download resumes. Where an address redirects to a signed one that expires (as in the
HCA Data Portal), the signed address is used as long as it works, then requested anew.
"""

from __future__ import annotations

import contextlib
import io
import threading
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from dpss.errors import FetchError, RequestError, TransientRequestError
from dpss.storage.http.client import Client
from dpss.storage.http.deadlines import time_limit
from dpss.storage.http.responses import content_length, discard, reason
from dpss.storage.http.transfer import (
    BUFFER_BYTES,
    PIECE_BYTES,
    Download,
    FileMetadata,
    content_range,
    etag_of,
    whole_size,
)
from dpss.storage.redaction import redact_url

HEAD_BYTES = 1 << 16
"""First bytes of a file, kept from the first request, as every reader needs them."""
_EXPIRED = frozenset({400, 401, 403, 404, 410})
"""Statuses of storage services for an expired signed address (Google: 400, AWS: 403)."""
_NOT_SIGNED_YET = frozenset({400, 401, 403})
"""Statuses that are transient where an address was signed just now."""
_MEANINGS = {
    401: "wants a login (managed access?)",
    403: "may not be read (managed access, or an address that has expired)",
    404: "is not there",
    410: "is no longer there",
    451: "may not be given out",
}
"""Meaning of a status for a file, in words."""


class HttpBlob:
    """A file at an HTTP address as a `dpss.storage.base.Blob`."""

    def __init__(
        self,
        address: str,
        client: Client,
        *,
        name: str = "",
        sha256: str = "",
        to_be_read: bool = False,
    ) -> None:
        """Store the address; no request is sent yet.

        Args:
            address: Address of the file; may contain a secret, which is never shown.
            client: Sends the requests.
            name: Name of the file, if not the address's last part.
            sha256: Checksum of the file, in hexadecimal digits; empty if not known.
            to_be_read: Whether the file is opened soon: the response of a server without ranges,
                which sends all bytes at the first request, is then kept for that.
        """
        self.client = client
        self.sha256 = sha256.lower()
        self._address = address
        self._name = name
        self._metadata: FileMetadata | None = None
        self._direct: tuple[str, Client] | None = None
        self._to_be_read = to_be_read
        self._pending: list[urllib3.BaseHTTPResponse] = []
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the lock and without requests in progress."""
        left = ("_lock", "_pending")
        return {key: value for key, value in vars(self).items() if key not in left}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state, with a new lock."""
        vars(self).update(state, _lock=threading.Lock(), _pending=[])

    @property
    def name(self) -> str:
        """Name of the file: as given, or the last part of the address."""
        return self._name or unquote(urlsplit(self._address).path.rstrip("/").rpartition("/")[2])

    @property
    def url(self) -> str:
        """The address without secrets."""
        return redact_url(self._address)

    @property
    def size_bytes(self) -> int | None:
        """Size in bytes; ``None`` where the server does not state it."""
        return self.metadata.size_bytes

    @property
    def random_access(self) -> bool:
        """Whether the server supports ranges."""
        return self.metadata.ranges

    @property
    def metadata(self) -> FileMetadata:
        """The server's metadata of the file, requested once.

        Raises:
            FetchError: The file can't be reached.
        """
        with self._lock:
            if self._metadata is None:
                try:
                    self._metadata = self.client.try_until(self._request_metadata)
                except RequestError as error:
                    raise FetchError(str(error)) from error
            return self._metadata

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end.

        Raises:
            FetchError: The bytes can't be read.
        """
        metadata = self.metadata
        stop = start + length
        if metadata.size_bytes is not None:
            stop = min(stop, metadata.size_bytes)
        if stop <= start:
            return b""
        if stop <= len(metadata.head):
            return metadata.head[start:stop]
        pieces = []
        with Download(self, start, stop, whole_pieces=True) as body:
            while piece := body.read_piece(PIECE_BYTES):
                pieces.append(piece)
        return b"".join(pieces)

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end; compare the checksum at the end."""
        return cast("BinaryIO", io.BufferedReader(Download(self, 0, None), BUFFER_BYTES))

    def request(self, start: int, stop: int | None) -> urllib3.BaseHTTPResponse:
        """Request the bytes from ``start`` once; renew an expired signed address.

        Raises:
            TransientRequestError: The request failed; a later attempt may succeed.
            RequestError: The request failed for good.
        """
        if stop is None:
            with contextlib.suppress(IndexError):
                return self._pending.pop()
        end = "" if stop is None else str(stop - 1)
        headers = {"Accept-Encoding": "identity", "Range": f"bytes={start}-{end}"}
        direct = self._direct
        if direct:
            url, client = direct
            response, _, _ = client.open(url, headers)
            if response.status not in _EXPIRED:
                return response
            discard(response)
            self._direct = None
        response, final, client = self.client.open(self._address, headers)
        if response.status in _NOT_SIGNED_YET and final != self._address and not direct:
            # The address had expired before it was used, as after a long wait in a queue.
            discard(response)
            raise TransientRequestError(
                f"{redact_url(final)}: answers {response.status}", response.status, None
            )
        if response.status in (200, 206, 416):
            self._direct = (final, client) if final != self._address else None
            return response
        discard(response)
        meaning = _MEANINGS.get(response.status, f"answers {response.status}")
        raise RequestError(f"{self.url}: {meaning}", response.status)

    def _request_metadata(self) -> FileMetadata:
        response = self.request(0, HEAD_BYTES)
        try:
            if response.status == 416:
                discard(response)
                return FileMetadata(0, etag_of(response), _modified(response), True, b"")
            if response.status == 200:
                # The response has all bytes of the file.
                size = whole_size(response)
                if self._to_be_read:
                    self._pending.append(response)
                else:
                    response.close()
                return FileMetadata(size, etag_of(response), _modified(response), False, b"")
            _, total = content_range(response, self.url)
            # Some servers send more than was asked for.
            with time_limit(self.client.retries.slow):
                head = response.read(HEAD_BYTES)
            if (content_length(response) or HEAD_BYTES + 1) <= HEAD_BYTES:
                response.release_conn()
            else:
                response.close()
            return FileMetadata(
                total, etag_of(response), _modified(response), total is not None, head
            )
        except (HTTPError, OSError) as error:
            response.close()
            raise TransientRequestError(f"{self.url}: broke off ({reason(error)})") from error


def _modified(response: urllib3.BaseHTTPResponse) -> str:
    return response.headers.get("Last-Modified", "").strip()
