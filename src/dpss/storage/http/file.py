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
from dpss.storage.http.answers import discard, reason, stated_length
from dpss.storage.http.client import Client
from dpss.storage.http.deadlines import time_limit
from dpss.storage.http.transfer import (
    BUFFER_BYTES,
    PIECE_BYTES,
    Download,
    Facts,
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
"""Those of them that are transient for a newly signed address."""


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
        self._address = address
        self._client = client
        self._name = name
        self._sha256 = sha256.lower()
        self._facts: Facts | None = None
        self._direct: tuple[str, Client] | None = None
        self._to_be_read = to_be_read
        self._on_its_way: list[urllib3.BaseHTTPResponse] = []
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the lock and without requests in progress."""
        left = ("_lock", "_on_its_way")
        return {key: value for key, value in vars(self).items() if key not in left}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Get a new lock."""
        vars(self).update(state, _lock=threading.Lock(), _on_its_way=[])

    @property
    def name(self) -> str:
        """The file's name."""
        return self._name or unquote(urlsplit(self._address).path.rstrip("/").rpartition("/")[2])

    @property
    def url(self) -> str:
        """The address without secrets."""
        return redact_url(self._address)

    @property
    def sha256(self) -> str:
        """Checksum that the bytes must have; empty if not known."""
        return self._sha256

    @property
    def size_bytes(self) -> int | None:
        """Size in bytes; ``None`` where the server does not state it."""
        return self.facts.size_bytes

    @property
    def random_access(self) -> bool:
        """Whether the server supports ranges."""
        return self.facts.ranges

    @property
    def facts(self) -> Facts:
        """The server's facts about the file, requested once.

        Raises:
            FetchError: The file can't be reached.
        """
        with self._lock:
            if self._facts is None:
                try:
                    self._facts = self._client.try_until(self._look)
                except RequestError as error:
                    raise FetchError(str(error)) from error
            return self._facts

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end.

        Raises:
            FetchError: The bytes can't be read.
        """
        facts = self.facts
        stop = start + length
        if facts.size_bytes is not None:
            stop = min(stop, facts.size_bytes)
        if stop <= start:
            return b""
        if stop <= len(facts.head):
            return facts.head[start:stop]
        pieces = []
        with Download(self, start, stop, whole_pieces=True) as body:
            while piece := body.read_piece(PIECE_BYTES):
                pieces.append(piece)
        return b"".join(pieces)

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end; compare the checksum at the end."""
        return cast("BinaryIO", io.BufferedReader(Download(self, 0, None), BUFFER_BYTES))

    @property
    def client(self) -> Client:
        """The client that sends the requests."""
        return self._client

    def ask(self, start: int, stop: int | None) -> urllib3.BaseHTTPResponse:
        """Request the bytes from ``start`` once; renew an expired signed address.

        Raises:
            TransientRequestError: The request failed; a later attempt may succeed.
            RequestError: The request failed for good.
        """
        if stop is None:
            with contextlib.suppress(IndexError):
                return self._on_its_way.pop()
        end = "" if stop is None else str(stop - 1)
        headers = {"Accept-Encoding": "identity", "Range": f"bytes={start}-{end}"}
        direct = self._direct
        if direct:
            url, client = direct
            answer, _, _ = client.open(url, headers)
            if answer.status not in _EXPIRED:
                return answer
            discard(answer)
            self._direct = None
        answer, final, client = self._client.open(self._address, headers)
        if answer.status in _NOT_SIGNED_YET and final != self._address and not direct:
            # The address had expired before it was used, as after a long wait in a queue.
            discard(answer)
            raise TransientRequestError(
                f"{redact_url(final)}: answers {answer.status}", answer.status, None
            )
        if answer.status in (200, 206, 416):
            self._direct = (final, client) if final != self._address else None
            return answer
        discard(answer)
        raise RequestError(f"{self.url}: {_explain(answer.status)}", answer.status)

    def _look(self) -> Facts:
        answer = self.ask(0, HEAD_BYTES)
        try:
            if answer.status == 416:
                discard(answer)
                return Facts(0, etag_of(answer), _modified(answer), True, b"")
            if answer.status == 200:
                # The response has all bytes of the file.
                size = whole_size(answer)
                if self._to_be_read:
                    self._on_its_way.append(answer)
                else:
                    answer.close()
                return Facts(size, etag_of(answer), _modified(answer), False, b"")
            _, total = content_range(answer, self.url)
            # Some servers send more than was asked for.
            with time_limit(self._client.retries.slow):
                head = answer.read(HEAD_BYTES)
            if (stated_length(answer) or HEAD_BYTES + 1) <= HEAD_BYTES:
                answer.release_conn()
            else:
                answer.close()
            return Facts(total, etag_of(answer), _modified(answer), total is not None, head)
        except (HTTPError, OSError) as error:
            answer.close()
            raise TransientRequestError(f"{self.url}: broke off ({reason(error)})") from error


def _modified(answer: urllib3.BaseHTTPResponse) -> str:
    return answer.headers.get("Last-Modified", "").strip()


def _explain(status: int) -> str:
    """Return the meaning of a status for a file, in words."""
    words = {
        401: "wants a login (managed access?)",
        403: "may not be read (managed access, or an address that has expired)",
        404: "is not there",
        410: "is no longer there",
        451: "may not be given out",
    }
    return words.get(status, f"answers {status}")
