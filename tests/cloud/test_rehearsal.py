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
    index; an unchanged day asks for next to nothing.

    The limit of memory is that of the process that takes too much: while the kernel frees what one
    process of a full group had, it may end another one, too. `make rehearsal` has such a group.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.cloud.rehearsal", "--projects", "12", "--cells", "100",
         "--genes", "200", "--time-limit", "600", "--memory-mib", "8192",
         "--folder", str(tmp_path)],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    runs = {run.get("run", ""): run for run in map(json.loads, done.stdout.splitlines())}
    assert len(runs) == 8
    assert runs["first"]["outcomes"] == {"published": 9, "failed": 3}
    assert "DELETE" not in {kind for run in runs.values() for kind in run.get("per_project", ())}
