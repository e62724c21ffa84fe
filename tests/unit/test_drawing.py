"""Files of a summary: the same whoever draws them, and drawn whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dpss.engine.summarizer import SilentProgress
from dpss.figures.registry import FIGURES
from dpss.job import renderer as drawing
from dpss.job.renderer import DrawingHere, DrawingProcesses
from tests.unit.figures.builder import build, simulate


def test_helpers_draw_the_same_bytes() -> None:
    """Every file is the same, drawn here or by helper processes; summary.json comes last."""
    summary = build(simulate())
    here = DrawingHere().files_of(summary, SilentProgress())
    helpers = DrawingProcesses(2)
    try:
        there = helpers.files_of(summary, SilentProgress())
    finally:
        helpers.close()
    assert there == here
    assert list(there)[-1] == list(here)[-1] == "summary.json"
    assert len([name for name in here if name.endswith((".png", ".svg"))]) == 2 * len(FIGURES)


def test_every_figure_is_somebodys_share() -> None:
    """A new figure can't be forgotten in the shares."""
    shared = [slug for share in drawing._SHARES for slug in share]
    assert sorted(shared) == sorted(figure.slug for figure in FIGURES)


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
        assert "violin.png" in helpers.files_of(summary, SilentProgress())
    finally:
        helpers.close()


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
