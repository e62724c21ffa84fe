"""Addresses fit to be shown: without passwords, tokens and signatures."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_HARMLESS = frozenset({"catalog", "version"})
"""Parameters of a query that are shown. All others may be a signature or a token: what
services call theirs is past counting, so what is shown is listed, not what is hidden."""
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s<>\"']+", re.IGNORECASE)


def shown_address(address: str) -> str:
    """Return an address without what could be a secret.

    >>> shown_address("https://me:pw@host/a.h5ad?catalog=dcp1&X-Amz-Signature=0f#part")
    'https://host/a.h5ad?catalog=dcp1'
    """
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        # Which part of it is a secret can't be told.
        return f"{address.partition('://')[0]}://…"
    host = parts.netloc.rpartition("@")[2]
    harmless = [(key, value) for key, value in parse_qsl(parts.query) if key in _HARMLESS]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(harmless, safe=":"), ""))


def shown_text(text: str) -> str:
    r"""Return a library's or a server's words on one line, each address fit to be shown.

    >>> shown_text("can't reach\n https://host/a?sig=1 (timed out)")
    "can't reach https://host/a (timed out)"
    """
    clean = _ADDRESS.sub(lambda found: shown_address(found[0]), text)
    return " ".join(clean.split())
