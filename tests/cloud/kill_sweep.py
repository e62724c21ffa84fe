"""Kill the job again and again, and look at the output each time.

    python -m tests.cloud.kill_sweep FOLDER KILLS SEED

A process of its own that has no threads: each job is a fork of it, so that it begins at once
and the kill lands in the job, not in imports. Figures are drawn once and remembered for the
same reason. Prints one JSON object: how many kills found what.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from dpss.catalogs.local import LocalCatalog
from dpss.composing import recipe_of
from dpss.console import LogObserver
from dpss.drawing import DrawingHere
from dpss.executors.threads import ThreadExecutor
from dpss.interrupts import NeverStop
from dpss.pipeline import Pipeline
from dpss.publication import GENES, SUMMARY
from dpss.run import Job, run
from dpss.settings import ReadSettings, StatSettings
from dpss.stores.local import LocalStore
from tests.cloud.portal import matrix_bytes

N_PROJECTS = 6


class Remembered(DrawingHere):
    """Draws each matrix once."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}

    def files_of(self, summary, progress):
        key = summary.project_id
        if key not in self.files:
            self.files[key] = super().files_of(summary, progress)
        return self.files[key]


def make_job(inputs: Path, output: Path, drawing: Remembered, *, force: bool) -> Job:
    stats = StatSettings()
    pipeline = Pipeline(
        store=LocalStore(output),
        stats=stats,
        read=ReadSettings(threads=1),
        recipe=recipe_of(stats),
        executor=ThreadExecutor(1),
        stop=NeverStop(),
        drawing=drawing,
    )
    catalog = LocalCatalog(str(inputs), lambda path: True)
    return Job(catalog, pipeline, LogObserver(), lambda: datetime.now(UTC), force=force)


def contents(folder: Path) -> dict[str, bytes]:
    """All published files but the reports of runs and what is made from them."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and path.name.endswith((".png", ".svg", GENES, SUMMARY))
        and "runs" not in path.parts
        and not path.name.startswith(".dpss-")
    }


def check(output: Path, expected: dict[str, bytes]) -> int:
    """Check that each summary there is vouches for whole files; returns how many there are."""
    found = contents(output)
    n_summaries = 0
    for key, data in found.items():
        if not key.endswith(f"/{SUMMARY}"):
            continue
        n_summaries += 1
        folder = key.removesuffix(SUMMARY)
        assert data == expected[key], f"{key} is not what a whole run writes"
        for other, content in expected.items():
            if other.startswith(folder):
                assert found.get(other) == content, f"{key} vouches for {other}"
    index = output / "index.json"
    if index.exists():
        json.loads(index.read_text())
    return n_summaries


def main() -> None:
    base, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    inputs, output = base / "in", base / "out"
    inputs.mkdir(parents=True)
    for i in range(N_PROJECTS):
        (inputs / f"project-{i}.h5ad").write_bytes(matrix_bytes("h5ad", i))
    drawing = Remembered()
    assert run(make_job(inputs, base / "reference", drawing, force=True)).exit_code == 0
    start = time.monotonic()
    assert run(make_job(inputs, base / "reference", drawing, force=True)).exit_code == 0
    duration = time.monotonic() - start
    expected = contents(base / "reference")
    summaries, killed = [], 0
    number = 0
    # A job that ends before its time was not killed: another one is.
    while killed < rounds:
        number += 1
        assert number < rounds * 5, "the jobs end too early"
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            run(make_job(inputs, output, drawing, force=number % 4 != 0))
            os._exit(0)
        time.sleep(chance.uniform(0, duration))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        summaries.append(check(output, expected))
    report = run(make_job(inputs, output, drawing, force=False))
    assert report.exit_code == 0
    assert check(output, expected) == N_PROJECTS
    assert contents(output) == expected, "the next run completes what is missing"
    print(json.dumps({"killed": killed, "summaries": summaries, "seconds": duration}))


if __name__ == "__main__":
    main()
