"""A small HTTP server on loopback whose answers a test decides."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    """What was asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """What is answered, and how it goes wrong on the way."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """The connection is reset after so many bytes of the body."""
    hang_after: int | None = None
    """Nothing more comes after so many bytes of the body, but the connection stays."""
    bytes_per_second: float | None = None
    chunked: bool = False
    """Without a Content-Length."""


def json_answer(document: Any, status: int = 200, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status, json.dumps(document).encode(), {"Content-Type": "application/json"} | names
    )


Responder = Callable[[Request], Answer]


class Server:
    """Serves what `answer` gives, on a free port, until it is closed; remembers what was asked."""

    def __init__(self, answer: Responder | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.hung = threading.Event()
        """Set to let hanging answers go."""
        self.faults: list[Answer] = []
        """Given, each once, before anything else."""
        if answer is not None:
            self.answer = answer  # type: ignore[method-assign]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                outer.connections += 1

            def do_GET(self) -> None:
                outer._handle(self)

            do_POST = do_HEAD = do_PUT = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=lambda: self._server.serve_forever(0.02), daemon=True
        )
        self._thread.start()

    def answer(self, request: Request) -> Answer:
        return Answer(404)

    def close(self) -> None:
        self.hung.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def asked(self, pattern: str) -> list[Request]:
        """The requests whose path fits, in order."""
        return [request for request in self.requests if re.search(pattern, request.path)]

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        request = Request(
            handler.command,
            parts.path,
            {key: values[-1] for key, values in parse_qs(parts.query).items()},
            {key.lower(): value for key, value in handler.headers.items()},
            handler.rfile.read(length),
        )
        self.requests.append(request)
        answer = self.faults.pop(0) if self.faults else self.answer(request)
        self._send(handler, request, answer)

    def _send(self, handler: BaseHTTPRequestHandler, request: Request, answer: Answer) -> None:
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        if answer.chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        elif "Content-Length" not in answer.headers:
            handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        if request.method == "HEAD":
            return
        sent = 0
        for piece in self._pieces(answer):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if answer.chunked else piece)
            sent += len(piece)
        handler.wfile.flush()
        if answer.cut_after is not None and sent < len(answer.body):
            # A reset, not an orderly end.
            handler.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            handler.close_connection = True
            handler.connection.close()
        elif answer.hang_after is not None and sent < len(answer.body):
            self.hung.wait(600)
            handler.close_connection = True
        elif answer.chunked:
            handler.wfile.write(b"0\r\n\r\n")

    def _pieces(self, answer: Answer) -> Iterator[bytes]:
        body = answer.body
        for limit in (answer.cut_after, answer.hang_after):
            if limit is not None:
                body = body[:limit]
        if answer.bytes_per_second is None:
            if body:
                yield body
            return
        step = max(1, int(answer.bytes_per_second / 50))
        for start in range(0, len(body), step):
            if self.hung.is_set():
                return
            yield body[start : start + step]
            time.sleep(0.02)
