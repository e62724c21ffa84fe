"""Children end with the run, also those that do not want to."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dpss.engine.progress import NullProgress
from dpss.job.children import workers
from dpss.job.children.workers import Tasks, Workers


def sleep() -> None:
    """Go on for ten minutes."""
    time.sleep(600)


def ignore_sigterm() -> None:
    """Go on for ten minutes, whatever signal comes."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def stop_itself() -> None:
    """Stop: only SIGKILL ends such a process."""
    os.kill(os.getpid(), signal.SIGSTOP)


def log_on() -> None:
    """Send log lines for ten minutes."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        logging.getLogger("dpss").warning("still here")


@pytest.mark.slow
@pytest.mark.parametrize("go_on", [sleep, ignore_sigterm, stop_itself, log_on])
def test_a_child_that_does_not_end_is_killed(
    go_on: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run waits for it no longer than the grace, and nothing of it is left.

    It would go on for ten minutes: an end within one is not its own.
    """
    monkeypatch.setattr(workers, "_GRACE_SECONDS", 0.5)

    @contextlib.contextmanager
    def open_tasks() -> Iterator[Tasks]:
        yield {"who": lambda progress: os.getpid()}
        go_on()

    found = Workers(open_tasks)
    pid = found.call("who", progress=NullProgress(), check=lambda: None)
    assert Path(f"/proc/{pid}").exists()
    start = time.monotonic()
    found.close()
    assert time.monotonic() - start < 60
    assert not Path(f"/proc/{pid}").exists()
