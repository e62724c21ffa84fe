"""A server on a loopback port, to look at the pages of a folder."""

from __future__ import annotations

import functools
import gzip
import io
import logging
import re
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
MAX_CONNECTIONS = 64
"""Connections served at a time; a browser opens six."""
TIMEOUT_SECONDS = 15.0
"""A connection that sends or takes nothing for so long is closed."""
_HOST = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d{1,5})?", re.ASCII | re.IGNORECASE)

# Fixed here: what the machine's own table says of an ending may be anything.
TYPES = {
    "": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/atom+xml; charset=utf-8",
}


class _Handler(SimpleHTTPRequestHandler):
    """Gives out files below one folder, and nothing else."""

    protocol_version = "HTTP/1.1"
    server_version = "dpss"
    sys_version = ""
    extensions_map = TYPES
    timeout = TIMEOUT_SECONDS

    def translate_path(self, path: str) -> str:
        """Return the file of an address; a link that leads out of the folder leads nowhere."""
        found = Path(super().translate_path(path).replace("\0", "\N{REPLACEMENT CHARACTER}"))
        root = Path(self.directory).resolve()
        if found.is_dir() and path.partition("?")[0].endswith("/"):
            # The base class would open this page of the folder without asking here again.
            return self.translate_path(f"{path.partition('?')[0]}index.html")
        if not found.resolve().is_relative_to(root) or found.name.startswith(".dpss-"):
            return str(root / "\N{REPLACEMENT CHARACTER}")
        # `resolve` drops the slash that tells a folder from a file of that name.
        return str(found) + ("/" if path.partition("?")[0].endswith("/") else "")

    def parse_request(self) -> bool:
        """Refuse a request under a name that is not this machine's own.

        Else a page from elsewhere could read everything here, by having its own name
        resolve to this address.
        """
        if not super().parse_request():
            return False
        hosts = self.headers.get_all("Host", [])
        if len(hosts) <= 1 and all(_HOST.fullmatch(host.strip()) for host in hosts):
            return True
        self.send_error(HTTPStatus.FORBIDDEN, "Only for this machine")
        return False

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Answer as the base class does, but texts compressed, as services on the web send them."""
        path = Path(self.translate_path(self.path))
        kind = TYPES.get(path.suffix, "")
        asked = "gzip" in self.headers.get("Accept-Encoding", "")
        if not asked or not path.is_file() or not kind.startswith(("text/", "image/svg", "app")):
            return super().send_head()
        data = gzip.compress(path.read_bytes(), 5, mtime=0)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return io.BytesIO(data)

    def list_directory(self, path: object) -> None:
        """Refuse: what has no page is not shown."""
        self.send_error(HTTPStatus.NOT_FOUND, "There is no page here")

    def end_headers(self) -> None:
        """Add what keeps a browser from guessing and from keeping old pages."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log a request instead of printing it."""
        log.debug("%s " + format, self.address_string(), *args)


class _Server(ThreadingHTTPServer):
    """Serves a bounded number of connections at a time and refuses those beyond."""

    def __init__(self, address: tuple[str, int], handler: Callable[..., _Handler]) -> None:
        """Bind to an address."""
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, or close it where too many are open."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, then give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


def make_server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of a folder's pages, bound to the loopback address only.

    The caller runs ``serve_forever`` and closes it; ``server_address[1]`` is the port.

    Args:
        folder: The output folder.
        port: 0 for any that is free.

    Raises:
        OSError: The port is taken.
    """
    handler = functools.partial(_Handler, directory=str(folder))
    return _Server((LOOPBACK, port), handler)
