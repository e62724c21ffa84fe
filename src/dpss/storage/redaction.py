"""Removal of secrets from URLs, headers, messages of libraries and log lines."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_SHOWN = frozenset({"catalog", "version"})
"""Query parameters that are kept. All others are removed, as the names of signatures and tokens
can't be listed completely.
"""
_USER_INFO = re.compile(r"(?<=://)[^/@\s]*@")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s<>\"']*[^\s<>\"'.,;)]", re.IGNORECASE)
_PAIR = re.compile(
    r"(?i)\b((?:x-)?(?:amz|goog)-(?:signature|credential|security-token)|(?:x-)?api[-_]key|"
    r"aws_secret_access_key|aws_session_token|authorization|password|token|secret)"
    r"(['\"]?\s*[=:]\s*['\"]?)(?:bearer\s+|basic\s+)?[^\s,;&'\"]+"
)
"""A header or a setting outside of a URL, with its value."""


def redact_url(url: str) -> str:
    """Return a URL without user, password, fragment and unknown query parameters.

    >>> redact_url("https://me:pw@host/a.h5ad?catalog=dcp1&X-Amz-Signature=0f#part")
    'https://host/a.h5ad?catalog=dcp1'

    Args:
        url: A URL; a path without scheme is returned as it is.
    """
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        # It can't be parsed, so any part of it may be a secret.
        return f"{url.partition('://')[0]}://…"
    host = parts.netloc.rpartition("@")[2]
    shown = [(key, value) for key, value in parse_qsl(parts.query) if key in _SHOWN]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(shown, safe=":"), ""))


def redact_text(text: str) -> str:
    """Return a text without secrets in URLs, headers and settings.

    >>> redact_text("GET https://me:pw@host/a.h5ad?X-Amz-Signature=abc failed")
    'GET https://host/a.h5ad failed'
    >>> redact_text("password=hunter2")
    'password=…'
    """
    plain = _URL.sub(lambda found: redact_url(found[0]), _USER_INFO.sub("", text))
    return _PAIR.sub(r"\1\2…", plain)


def redact_line(text: str) -> str:
    r"""Return the message of a library or server on one line, redacted.

    >>> redact_line("can't reach\n https://host/a?sig=1 (timed out)")
    "can't reach https://host/a (timed out)"
    """
    return " ".join(redact_text(text).split())
