"""The command, in which a few projects do harm, on a day of one's own choice.

    python -m tests.cloud.harm DAYS run --input ...

``crash`` reads where nothing is, ``hang`` waits, ``memory`` takes all memory that there is.
The run believes that it begins so many days from now, and that a day has passed once ``hang``
waits: a limit of minutes ends it at once, and no other however slow the machine is.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dpss.cli.commands import main
from dpss.compute.cgroups import memory_limit
from dpss.engine import summarizer as summarizing
from dpss.job import factory as composing
from dpss.job.children import workers

FAULTS = ("crash", "hang", "memory")
_MORE_BYTES = 64 << 20
_PIECE_BYTES = 8 << 20
_DAY_SECONDS = 86_400
_real = summarizing.summarize_matrix
# Of the command, before it forks: its children know the name, too.
_waits = Path(tempfile.gettempdir()) / f"dpss-harm-{os.getpid()}"


def do_harm(name: str) -> None:
    """Do what a project is named after."""
    if name == "crash":
        ctypes.string_at(0)
    if name == "hang":
        _waits.touch()
        threading.Event().wait()
    if name == "memory":
        if (memory_limit() or 1 << 60) > 4 << 30:
            # Nothing would end it soon: a limit of its own.
            limit = int(Path("/proc/self/statm").read_text().split()[0]) * 4096 + _MORE_BYTES
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        held = []
        while True:
            held.append(b"1" * _PIECE_BYTES)


def summarize_matrix(matrix: Any, identify: Any, *arguments: Any, **more: Any) -> Any:
    """Summarise a matrix unless it does harm."""
    do_harm(identify(matrix, matrix.layers[0]).project_id)
    return _real(matrix, identify, *arguments, **more)


class Clock(datetime):
    """Tells the time so many days from now."""

    days = 0

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        """Return that time."""
        return datetime.now(tz or UTC) + timedelta(days=cls.days)


class Stopwatch:
    """Measures as `time` does; a day passes when ``hang`` waits."""

    @staticmethod
    def monotonic() -> float:
        """Return seconds since some moment."""
        return time.monotonic() + _waits.exists() * _DAY_SECONDS


if __name__ == "__main__":
    Clock.days = int(sys.argv[1])
    composing.datetime = Clock  # type: ignore[misc]
    summarizing.summarize_matrix = summarize_matrix
    _waits.unlink(missing_ok=True)
    workers.time = Stopwatch  # type: ignore[assignment]
    main(sys.argv[2:])
