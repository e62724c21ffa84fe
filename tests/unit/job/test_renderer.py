"""Files of a summary: the same whoever draws them, and drawn whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dpss.engine.progress import NullProgress
from dpss.figures.registry import ANNOTATION_FIGURES, EMBEDDING_FIGURES, FIGURES, STRATA_FIGURES
from dpss.job import renderer as drawing
from dpss.job.renderer import DrawingHere, DrawingProcesses
from tests.unit.figures.builder import build, simulate


@pytest.mark.slow
def test_helpers_draw_the_same_bytes() -> None:
    """Every file is the same, drawn here or by helper processes; summary.json comes last."""
    summary = build(simulate())
    here = DrawingHere().files_of(summary, NullProgress())
    helpers = DrawingProcesses(2)
    try:
        there = helpers.files_of(summary, NullProgress())
    finally:
        helpers.close()
    assert there == here
    assert list(there)[-1] == list(here)[-1] == "summary.json"
    assert len([name for name in here if name.endswith(".png")]) == len(FIGURES)
    assert len([name for name in here if name.endswith(".svg")]) == 2 * len(FIGURES)


def test_every_figure_is_in_a_group() -> None:
    """A new figure can't be forgotten in the groups that helpers draw."""
    for groups, figures in (
        (drawing._GROUPS, FIGURES),
        (drawing._ANNOTATION_GROUPS, ANNOTATION_FIGURES),
        (drawing._EMBEDDING_GROUPS, EMBEDDING_FIGURES),
        (drawing._STRATA_GROUPS, STRATA_FIGURES),
    ):
        drawn = [slug for group in groups for slug in group]
        assert sorted(drawn) == sorted(figure.slug for figure in figures)


@pytest.mark.slow
def test_killed_helpers_are_done_without() -> None:
    """When the helpers are killed, say for lack of memory, this process draws."""
    summary = build(simulate())
    helpers = DrawingProcesses(1)
    helpers._start()
    assert helpers._pool is not None
    helpers._pool.submit(os.getpid).result()
    for pid in list(helpers._pool._processes):
        os.kill(pid, signal.SIGKILL)
    try:
        assert "violin.png" in helpers.files_of(summary, NullProgress())
    finally:
        helpers.close()


def _ignore_sigterm(ready: str, folder: str) -> None:
    """Note that SIGTERM is ignored from now on, and go on for ten minutes."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(folder, f"{ready}-{os.getpid()}").touch()
    time.sleep(600)


def _stop_itself(ready: str, folder: str) -> None:
    """Be stopped, as by a debugger: SIGTERM waits until the process continues."""
    Path(folder, f"{ready}-{os.getpid()}").touch()
    os.kill(os.getpid(), signal.SIGSTOP)


def _sleep(ready: str, folder: str) -> None:
    """Go on for ten minutes; SIGTERM ends it."""
    Path(folder, f"{ready}-{os.getpid()}").touch()
    time.sleep(600)


@pytest.mark.slow
@pytest.mark.parametrize("task", [_ignore_sigterm, _stop_itself, _sleep])
def test_a_helper_that_does_not_end_is_killed(
    tmp_path: Path, task: Callable[[str, str], None]
) -> None:
    """Closing waits for a few seconds, not for as long as a helper likes."""
    helpers = DrawingProcesses(2)
    helpers._start()
    pool = helpers._pool
    assert pool is not None
    futures = [pool.submit(task, f"ready{n}", str(tmp_path)) for n in range(2)]
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < len(futures) and time.monotonic() < deadline:
        time.sleep(0.05)
    pids = [int(path.name.partition("-")[2]) for path in tmp_path.iterdir()]
    closing = threading.Thread(target=helpers.close, daemon=True)
    closing.start()
    closing.join(30)
    try:
        assert not closing.is_alive()
        assert len(pids) == len(futures)
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes in /proc")
def test_helpers_end_with_their_parent() -> None:
    """A parent that is killed outright leaves no helper behind."""
    code = (
        "import os, time\n"
        "from dpss.job.renderer import DrawingProcesses\n"
        "if __name__ == '__main__':\n"
        "    helpers = DrawingProcesses(1)\n"
        "    helpers._start()\n"
        "    print(helpers._pool.submit(os.getpid).result(), flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    helper = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{helper}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{helper}").exists()
    parent.stdout.close()
