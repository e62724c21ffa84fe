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
    """A signal asks to end. Not an `Exception`: no matrix's failure may swallow it."""

    def __init__(self, number: int) -> None:
        """Ended by signal ``number``."""
        super().__init__(signal.Signals(number).name)
        self.number = number


class Stop(Protocol):
    """Tells whether the program is to end early."""

    def check(self) -> None:
        """Raise `Interrupted` if it's time to end. Cheap; may be called by any thread."""

    def shield(self, *, later: bool = False) -> AbstractContextManager[None]:
        """Delay a signal until the block has ended: it is short and must not end half way.

        ``later`` leaves the raising to the next `check`, for what has a result to hand on.
        """


class NeverStop:
    """Never asks to end: for a notebook, which has its own ways."""

    def check(self) -> None:
        """Do nothing."""

    def shield(self, *, later: bool = False) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()


class SignalStop:
    """Asks to end on SIGINT or SIGTERM; the second signal ends the process at once.

    The first one raises `Interrupted` in the main thread, wherever it is, unless that
    is shielded, and in any other thread at its next `check`. Used as a context manager
    in the main thread.
    """

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._number: int | None = None
        self._shields = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> SignalStop:
        """Begin to listen."""
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
        """Delay a signal until the block has ended, then raise it, or ``later``."""
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
