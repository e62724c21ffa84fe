"""The command, in which a few projects do harm, on a day of one's own choice.

    python -m tests.cloud.harm DAYS run --input ...

``crash`` reads where nothing is, ``hang`` waits, ``memory`` takes all memory that there is.
The run believes that it begins so many days from now.
"""

from __future__ import annotations

import ctypes
import resource
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dpss.cli.commands import main
from dpss.compute.cgroups import memory_limit
from dpss.engine import summarizer as summarizing
from dpss.job import factory as composing

FAULTS = ("crash", "hang", "memory")
_MORE_BYTES = 64 << 20
_PIECE_BYTES = 8 << 20
_real = summarizing.summarize_matrix


def do_harm(name: str) -> None:
    """Do what a project is named after."""
    if name == "crash":
        ctypes.string_at(0)
    if name == "hang":
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


if __name__ == "__main__":
    Clock.days = int(sys.argv[1])
    composing.datetime = Clock  # type: ignore[misc]
    summarizing.summarize_matrix = summarize_matrix
    main(sys.argv[2:])
