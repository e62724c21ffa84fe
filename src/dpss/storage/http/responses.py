"""HTTP responses: headers, bodies of bounded size, and descriptions of errors."""

from __future__ import annotations

import contextlib
import json
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

import urllib3
from urllib3.exceptions import HTTPError, InvalidHeader

from dpss.storage.http.deadlines import time_limit
from dpss.storage.redaction import redact_line

_MAX_DIGITS = 18
_PIECE_BYTES = 1 << 20
_DRAINED_BYTES = 1 << 16
_DRAIN_SECONDS = 5.0


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` asks for, given as a number or a date.

    >>> retry_after("3"), retry_after("soon"), retry_after("Wed, 21 Oct 2015 07:28:00 GMT")
    (3.0, None, 0.0)
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            then = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (then.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def reason(error: BaseException) -> str:
    """Return a short description of an error, without secrets of addresses."""
    text = str(error.args[-1]) if error.args else str(error)
    for sign, words in (
        ("Failed to resolve", "there is no such host, or no network"),
        ("Connection refused", "refuses the connection"),
        ("timed out", "no answer in time"),
        ("CERTIFICATE_VERIFY_FAILED", "its certificate can't be verified"),
        ("IncompleteRead", "the connection ended too early"),
        ("Connection reset", "the connection was reset"),
        ("RemoteDisconnected", "the connection was closed"),
    ):
        if sign in f"{error!r} {error}":
            return words
    return redact_line(text)[:200] or type(error).__name__


def discard(response: urllib3.BaseHTTPResponse) -> None:
    """Discard a response; read a short body, so that the connection can be used again."""
    length = content_length(response)
    if length is not None and length <= _DRAINED_BYTES:
        with contextlib.suppress(HTTPError, OSError), time_limit(_DRAIN_SECONDS):
            response.drain_conn()
            response.release_conn()
            return
    response.close()


def content_length(response: urllib3.BaseHTTPResponse) -> int | None:
    """Return the ``Content-Length`` in bytes; ``None`` if it is no number."""
    return whole_number(response.headers.get("Content-Length", ""))


def whole_number(text: str) -> int | None:
    """Parse a whole number below 10¹⁸ in a header; ``None`` for any other text.

    >>> whole_number("12"), whole_number("-5"), whole_number("1e3"), whole_number("9" * 5000)
    (12, None, None, None)
    """
    plain = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return int(text) if plain else None


def is_malformed(error: Exception) -> bool:
    """Return whether a response is malformed HTTP, which is not retried."""
    causes = (error, *error.args)
    return any(isinstance(cause, InvalidHeader) for cause in causes) or any(
        isinstance(cause, HTTPException)
        and not isinstance(cause, (RemoteDisconnected, IncompleteRead))
        for cause in causes
    )


def read_bounded(response: urllib3.BaseHTTPResponse, limit: int) -> bytes | None:
    """Return a decompressed body; ``None`` if it has more than ``limit`` bytes.

    The same holds for a response that states more.
    """
    if (content_length(response) or 0) > limit:
        return None
    data = bytearray()
    while piece := response.read(_PIECE_BYTES, decode_content=True):
        data += piece
        if len(data) > limit:
            return None
    return bytes(data)


def error_message(data: bytes) -> str:
    """Return the message in the JSON body of an error, in parentheses; else empty."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    if isinstance(document, dict):
        for key in ("message", "Message", "detail", "title"):
            if isinstance(document.get(key), str):
                return f" ({redact_line(document[key])[:200]})"
    return ""
