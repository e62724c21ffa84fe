"""The rehearsal of `make rehearsal`, with few projects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dpss.compute.processes import can_fork
from tests import ROOT

pytestmark = pytest.mark.skipif(not can_fork(), reason="children are forked on Linux only")


@pytest.mark.slow
def test_four_days_and_two_ends(tmp_path: Path) -> None:
    """A crash, a hang and a lack of memory cost themselves only; a run that is ended leaves an
    index; an unchanged day asks for next to nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.cloud.rehearsal", "--projects", "15", "--genes", "200",
         "--time-limit", "8", "--folder", str(tmp_path)],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    runs = {run.get("run", ""): run for run in map(json.loads, done.stdout.splitlines())}
    assert len(runs) == 8
    assert runs["first"]["outcomes"] == {"published": 12, "failed": 3}
    assert "DELETE" not in {kind for run in runs.values() for kind in run.get("per_project", ())}
