"""A server of bytes that need not be HTTP.

with RawServer(b"garbage") as server: ...
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class RawServer:
    """Sends the same bytes on each connection, whatever is asked, and closes it.

    With ``piece`` it does not close it, but sends that again and again, ``pause`` seconds apart.
    """

    def __init__(self, begin: bytes, piece: bytes = b"", pause: float = 0.01) -> None:
        self._begin, self._piece, self._pause = begin, piece, pause
        self.n_connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.n_connections += 1
                threading.Thread(target=self._send, args=(connection,), daemon=True).start()

    def _send(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(1 << 16)
            connection.sendall(self._begin)
            while self._piece:
                connection.sendall(self._piece)
                time.sleep(self._pause)

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()
