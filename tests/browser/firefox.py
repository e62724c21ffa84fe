"""Firefox through WebDriver BiDi (https://w3c.github.io/webdriver-bidi/): what these tests ask.

Playwright drives only a Firefox of its own, which is not the one that people have; Debian's
speaks BiDi on a WebSocket of its own accord.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

_ADDRESS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_MAX_MESSAGE_BYTES = 1 << 26
_LEFT_WHILE_LOADING = "Image corrupt or truncated."
"""Firefox logs this for each image that still loads when its page is left, also for a sound one."""
_BROKEN_IMAGES = (
    "[...document.images].filter(i => i.currentSrc && i.complete && i.naturalWidth === 0)"
    ".map(i => 'no image at ' + i.currentSrc)"
)


class Firefox:
    """A Firefox without a window, with one tab."""

    def __init__(self, path: str, profile: Path) -> None:
        """Start it and open a session."""
        self._log = profile / "firefox.log"
        command = [path, "--headless", "--no-remote", "--profile", str(profile),
                   "--remote-debugging-port", "0"]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._numbers = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._socket = self._run(self._connect(self._address() + "/session"))
        self.problems: list[str] = []
        """Errors that pages wrote to the console or did not catch, and images that do not load."""
        self.send("session.new", {"capabilities": {}})
        self.send("session.subscribe", {"events": ["log.entryAdded"]})
        tree = self.send("browsingContext.getTree", {})
        self._tab = tree["contexts"][0]["context"]

    def _address(self, seconds: float = 60) -> str:
        end = time.monotonic() + seconds
        while not (found := _ADDRESS.search(self._log.read_text(errors="replace"))):
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            assert time.monotonic() < end, "Firefox does not tell its address"
            time.sleep(0.1)
        return found[1]

    async def _connect(self, address: str) -> WebSocketClientConnection:
        return await websocket_connect(address, max_message_size=_MAX_MESSAGE_BYTES)

    def _run(self, what: Any, seconds: float = 60) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(seconds)

    def send(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._numbers)
        return self._run(self._exchange(number, method, parameters))

    async def _exchange(self, number: int, method: str, parameters: dict[str, Any]) -> Any:
        await self._socket.write_message(
            json.dumps({"id": number, "method": method, "params": parameters})
        )
        while True:
            text = await self._socket.read_message()
            assert text is not None, "Firefox closed the connection"
            answer = json.loads(text)
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                text = str(answer["params"]["text"])
                self.problems += [text] if text != _LEFT_WHILE_LOADING else []
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def resize(self, width: int, height: int) -> None:
        """Give the page a size in CSS pixels."""
        viewport = {"width": width, "height": height}
        self.send("browsingContext.setViewport", {"context": self._tab, "viewport": viewport})

    def open(self, address: str) -> None:
        """Leave the page that is open, open an address and wait until it is loaded."""
        self.find_problems()
        self.send(
            "browsingContext.navigate", {"context": self._tab, "url": address, "wait": "complete"}
        )

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript, through JSON."""
        found = self.send(
            "script.callFunction",
            {
                "functionDeclaration": f"async () => JSON.stringify(await ({expression}))",
                "target": {"context": self._tab},
                "awaitPromise": True,
            },
        )
        assert found["type"] == "success", found
        return json.loads(found["result"].get("value", "null"))

    def find_problems(self) -> list[str]:
        """Return the errors so far, with the images of the open page that did not load."""
        self.problems += self.evaluate(_BROKEN_IMAGES)
        return self.problems

    def until(self, condition: str, seconds: float = 120) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + seconds
        while not self.evaluate(condition):
            assert time.monotonic() < end, f"never came true: {condition}"
            time.sleep(0.05)

    def press(self, *keys: str) -> None:
        """Press and release keys, such as a letter or a code point of WebDriver's key table."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": actions})

    def swipe(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag with a finger from one place of the window to another."""
        (x0, y0), (x1, y1) = start, end
        moves = [
            {"type": "pointerMove", "x": x0 + (x1 - x0) * n // 5, "y": y0 + (y1 - y0) * n // 5}
            for n in range(6)
        ]
        down, up = ({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp"))
        self._act(
            {
                "type": "pointer",
                "id": "finger",
                "parameters": {"pointerType": "touch"},
                "actions": [moves[0], down, *moves[1:], up],
            }
        )

    def _act(self, source: dict[str, Any]) -> None:
        self.send("input.performActions", {"context": self._tab, "actions": [source]})

    def picture(self) -> bytes:
        """Return what is seen, as PNG."""
        shot = self.send("browsingContext.captureScreenshot", {"context": self._tab})
        return base64.b64decode(shot["data"])

    def paper(self) -> bytes:
        """Return the page printed on A4, as PDF."""
        page = {"page": {"width": 21.0, "height": 29.7}, "context": self._tab}
        return base64.b64decode(self.send("browsingContext.print", page)["data"])

    def close(self) -> None:
        """End it."""
        self._run(self._disconnect())
        self._process.terminate()
        self._process.wait(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _disconnect(self) -> None:
        self._socket.close()
        while await self._socket.read_message() is not None:
            pass
