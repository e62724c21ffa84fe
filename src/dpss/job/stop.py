"""An early and clean end of the program after a signal."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType, TracebackType
from typing import Any, Protocol

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal ends the program; no `Exception`, so that no handler catches it."""

    def __init__(self, number: int) -> None:
        """Ended by signal ``number``."""
        super().__init__(signal.Signals(number).name)
        self.number = number


class Stop(Protocol):
    """Tells whether the program is to end early."""

    def check(self) -> None:
        """Raise `Interrupted` if the program is to end; fast, and safe in any thread."""

    def shield(self, *, later: bool = False) -> AbstractContextManager[None]:
        """Delay a signal until the end of a short block that must not be interrupted.

        With ``later`` the next `check` raises it, for blocks that return a result.
        """


class NeverStop:
    """Never ends the program: for notebooks, which handle signals themselves."""

    def check(self) -> None:
        """Do nothing."""

    def shield(self, *, later: bool = False) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()


class SignalStop:
    """Ends the program on SIGINT or SIGTERM; a second signal ends the process at once.

    The first signal raises `Interrupted` in the main thread, at any point unless shielded, and in
    other threads at their next `check`. Used as a context manager in the main thread.
    """

    def __init__(self) -> None:
        """Start without a signal."""
        self._number: int | None = None
        self._shields = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> SignalStop:
        """Install the handlers of the signals."""
        self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Restore the earlier handlers of the signals."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise `Interrupted` if a signal has come."""
        if self._number is not None:
            raise Interrupted(self._number)

    @contextmanager
    def shield(self, *, later: bool = False) -> Iterator[None]:
        """Delay a signal to the end of the block; with ``later`` to the next `check`."""
        earlier = self._number
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if earlier is None and not later:
            self.check()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._number is not None:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        self._number = number
        if not self._shields:
            raise Interrupted(number)
