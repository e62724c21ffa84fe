"""A file server on loopback with a long way to it: each request waits, each connection is slow.

    python -m benchmarks.throttled FOLDER DELAY_SECONDS BYTES_PER_SECOND

Prints its address, then serves the files of a folder by byte ranges until it's ended. What it
has sent is at ``/.sent`` as JSON. A process of its own, small, so that it takes little from
those that are measured.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

PIECE_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    folder = Path()
    delay = 0.0
    rate = 1e12
    sent: ClassVar = {"bytes": 0, "requests": 0}
    lock = threading.Lock()

    def do_GET(self) -> None:
        """Send a file or a part of it, at the connection's speed."""
        if self.path == "/.sent":
            body = json.dumps(self.sent).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        time.sleep(self.delay)
        path = self.folder / self.path.split("?")[0].lstrip("/")
        size = path.stat().st_size
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        stop = min(size, int(wanted[2]) + 1) if wanted and wanted[2] else size
        self.send_response(206 if wanted else 200)
        self.send_header("ETag", f'"{size}"')
        self.send_header("Content-Length", str(max(0, stop - start)))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        self._send(path, start, stop)

    def _send(self, path: Path, start: int, stop: int) -> None:
        begun, at = time.monotonic(), start
        with path.open("rb") as file:
            while at < stop:
                n = os.sendfile(
                    self.connection.fileno(), file.fileno(), at, min(PIECE_BYTES, stop - at)
                )
                at += n
                with self.lock:
                    self.sent["bytes"] += n
                early = (at - start) / self.rate - (time.monotonic() - begun)
                if early > 0:
                    time.sleep(early)
        with self.lock:
            self.sent["requests"] += 1

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Quiet(ThreadingHTTPServer):
    """Connections that are given up are no news."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


class Far:
    """What is measured against: where it is, and what it has sent so far."""

    def __init__(self, url: str) -> None:
        self.url = url

    def sent(self) -> dict[str, int]:
        """Return the bytes sent and the requests answered so far."""
        with urllib.request.urlopen(f"{self.url}/.sent") as answer:
            return dict(json.load(answer))


@contextmanager
def far_away(folder: Path, delay: float, rate: float) -> Iterator[Far]:
    """Serve a folder from far away for as long as the context lasts."""
    command = [sys.executable, "-m", "benchmarks.throttled", str(folder), str(delay), str(rate)]
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        try:
            yield Far(process.stdout.readline().strip())
        finally:
            process.kill()


def main() -> None:
    """Serve."""
    Handler.folder = Path(sys.argv[1])
    Handler.delay, Handler.rate = float(sys.argv[2]), float(sys.argv[3])
    server = Quiet(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
