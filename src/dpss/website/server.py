"""A server on a loopback port, for viewing the pages of a folder."""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

from dpss.storage.content_type import content_type

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
MAX_CONNECTIONS = 64
"""Most connections at a time; a browser opens six."""
TIMEOUT_SECONDS = 15.0
"""Seconds without data after which a connection is closed."""
REQUEST_SECONDS = 20.0
"""Most seconds for waiting for a request and receiving it."""
RESPONSE_SECONDS = 600.0
"""Most seconds for sending a response."""
MAX_COMPRESSED_BYTES = 1 << 23
"""Largest file in bytes that is compressed, which is done in memory."""
_HOST = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d{1,5})?", re.ASCII | re.IGNORECASE)


class _Handler(SimpleHTTPRequestHandler):
    """Serves the files below one folder only."""

    protocol_version = "HTTP/1.1"
    server_version = "dpss"
    sys_version = ""
    timeout = TIMEOUT_SECONDS

    def translate_path(self, path: str) -> str:
        """Return the file of an address; no file for one outside of the folder."""
        try:
            return self._find(path)
        except (OSError, RuntimeError):  # Links in a circle, or a name that is too long.
            return self._no_file

    def _find(self, path: str) -> str:
        found = Path(super().translate_path(path).replace("\0", "\N{REPLACEMENT CHARACTER}"))
        is_folder = _path_of(path).endswith("/")
        if is_folder and found.is_dir():
            # The base class would open the page of the folder without another check.
            found, is_folder = found / "index.html", False
        root = Path(self.directory).resolve()
        inside = found.resolve()
        if (
            not inside.is_relative_to(root)
            or any(part.startswith(".dpss-") for part in inside.relative_to(root).parts)
            # To open a pipe would block.
            or (inside.exists() and not inside.is_file() and not inside.is_dir())
        ):
            return self._no_file
        # `Path` drops the slash that tells a folder from a file of that name.
        return str(found) + ("/" if is_folder else "")

    @property
    def _no_file(self) -> str:
        """The path of no file."""
        return str(Path(self.directory).resolve() / "\N{REPLACEMENT CHARACTER}")

    def handle_one_request(self) -> None:
        """Wait for a request and respond to it, each within its time limit."""
        self._limit(REQUEST_SECONDS)
        super().handle_one_request()

    def _limit(self, seconds: float) -> None:
        """Set the time after which the connection is closed."""
        if isinstance(self.server, _Server):
            self.server.limit(self.connection, seconds)

    def parse_request(self) -> bool:
        """Refuse a request under a host name that is not this machine's own.

        Otherwise a page of another host could read the files, by making its own name resolve to
        this address.
        """
        if not super().parse_request():
            return False
        hosts = self.headers.get_all("Host", [])
        self._limit(RESPONSE_SECONDS)
        if len(hosts) == 1 and _HOST.fullmatch(hosts[0].strip()):
            return True
        self.send_error(HTTPStatus.FORBIDDEN, "Only for this machine")
        return False

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Respond as the base class does, but with texts compressed."""
        path = Path(self.translate_path(self.path))
        if path.is_dir() and (_path_of(self.path) or "/").endswith("/"):
            # The base class would look for a page in it.
            self.send_error(HTTPStatus.NOT_FOUND, "There is no page here")
            return None
        kind = content_type(path.name)
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        is_text = kind.startswith(("text/", "image/svg", "application/json", "application/atom"))
        if not (accepted and is_text and path.is_file()):
            return super().send_head()
        if path.stat().st_size > MAX_COMPRESSED_BYTES:
            return super().send_head()
        data = gzip.compress(path.read_bytes(), 5, mtime=0)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return io.BytesIO(data)

    def guess_type(self, path: str | os.PathLike[str]) -> str:
        """Return the content type, by our table: the machine's own may be wrong."""
        return content_type(os.fspath(path))

    def list_directory(self, path: object) -> None:
        """Refuse the request: folders without a page are not listed."""
        self.send_error(HTTPStatus.NOT_FOUND, "There is no page here")

    def end_headers(self) -> None:
        """Add headers against guessed content types and stale pages."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log a request instead of printing it."""
        log.debug("%s " + format, self.address_string(), *args)


def _path_of(target: str) -> str:
    """Return the path of a request's target, without query and fragment."""
    return target.partition("#")[0].partition("?")[0]


class _Server(ThreadingHTTPServer):
    """Serves a bounded number of connections at a time and refuses those beyond."""

    # The base class's queue holds five: of more at once, some wait a second or longer.
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, address: tuple[str, int], handler: Callable[..., _Handler]) -> None:
        """Bind to an address."""
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._ends: dict[socket.socket, float] = {}
        self._ends_lock = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, or close it where too many are open."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            # No thread was started that would release its place.
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, then release its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._ends_lock:
                self._ends.pop(request, None)
            self._free.release()

    def limit(self, connection: socket.socket, seconds: float) -> None:
        """Set the time after which a connection is closed, in place of an earlier time."""
        with self._ends_lock:
            self._ends[connection] = time.monotonic() + seconds

    def service_actions(self) -> None:
        """Close connections whose time is over; called repeatedly while serving."""
        super().service_actions()
        now = time.monotonic()
        with self._ends_lock:
            for connection in [each for each, end in self._ends.items() if end < now]:
                del self._ends[connection]
                # This wakes up the thread that waits for it.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log the error that ended a connection, mostly a browser that closed it."""
        log.debug("a connection of %s broke off", client_address, exc_info=True)


def make_server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of a folder's pages, bound to the loopback address only.

    The caller runs ``serve_forever`` and closes it; ``server_address[1]`` is the port.

    Args:
        folder: The output folder.
        port: Port number; 0 for any free port.

    Raises:
        OSError: The port is taken.
    """
    handler = functools.partial(_Handler, directory=str(folder))
    return _Server((LOOPBACK, port), handler)
