"""Content type and cache lifetime of a published file."""

from __future__ import annotations

CONTENT_TYPES = {
    "css": "text/css; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "gz": "application/gzip",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "xml": "application/atom+xml; charset=utf-8",
}
"""Content type by the ending of a key."""


def content_type(key: str) -> str:
    """Return the content type of a published file.

    >>> content_type("p/m/violin.svg"), content_type("blacklist")
    ('image/svg+xml', 'application/octet-stream')
    """
    return CONTENT_TYPES.get(key.rpartition(".")[2].lower(), "application/octet-stream")


def cache_control(key: str) -> str:
    """Return the ``Cache-Control`` of a published file.

    A key's content changes when its matrix does. Browsers revalidate pages and numbers each time;
    an unchanged file isn't sent again. A figure may be five minutes old. The report of a run never
    changes.

    >>> cache_control("index.json"), cache_control("p/violin.png")
    ('no-cache', 'public, max-age=300')
    """
    if key.startswith("runs/"):
        return "public, max-age=31536000, immutable"
    kept = key.endswith((".png", ".svg", ".css", ".js"))
    return "public, max-age=300" if kept else "no-cache"
