"""Kill the job again and again, and look at the output each time.

    python -m tests.cloud.kill_sweep FOLDER KILLS SEED

A process of its own that has no threads: each job is a fork of it, so that it begins at once
and the kill lands in the job, not in imports. Figures are drawn once and remembered for the
same reason. Every second kill comes at a random moment, the others at a random one of the
job's writes: those hit a publication however slow the machine is. Prints one JSON object: how
many kills found what.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from dpss.catalogs.local import LocalCatalog
from dpss.cli.listeners import LogListener
from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.job.base import Job
from dpss.job.children.isolation import recipe_of
from dpss.job.pipeline import Pipeline
from dpss.job.publication import FOR_PAGES, SUMMARY, TABLES, read_published
from dpss.job.renderer import render_files
from dpss.job.run import run
from dpss.job.stop import NeverStop
from dpss.model import MatrixRef
from dpss.storage.local import LocalStore
from dpss.summary.manifest import NOTHING
from tests.cloud.portal import matrix_bytes

N_PROJECTS = 6


class Remembered:
    """Draws each matrix once."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}

    def __call__(self, summary, progress, more=NOTHING):
        key = f"{summary.project_id} {summary.matrix.fingerprint}"
        if key not in self.files:
            self.files[key] = render_files(summary, progress, more)
        return self.files[key]


class LethalStore(LocalStore):
    """Counts its writes, and kills the process before the one that has a number."""

    def __init__(self, root: Path, last: float) -> None:
        super().__init__(root)
        self.n_writes = 0
        self._last = last
        self._lock = threading.Lock()

    def write(self, key: str, data: bytes) -> None:
        self._count()
        super().write(key, data)

    def write_file(self, key: str, path: Path) -> None:
        self._count()
        super().write_file(key, path)

    def _count(self) -> None:
        with self._lock:
            self.n_writes += 1
            if self.n_writes > self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def make_job(inputs: Path, store: LocalStore, drawing: Remembered, *, force: bool) -> Job:
    stats = StatSettings(cells=True)  # a table of cells is published as a file, not as bytes
    pipeline = Pipeline(
        store=store,
        stats=stats,
        read=ReadSettings(threads=1),
        recipe=recipe_of(stats),
        executor=ThreadExecutor(1),
        stop=NeverStop(),
        render=drawing,
    )
    catalog = LocalCatalog(str(inputs), lambda path: True)
    return Job(catalog, pipeline, LogListener(), lambda: datetime.now(UTC), force=force)


def write_input(inputs: Path, project: int, version: int) -> None:
    """Write one of the two versions of a project's matrix, older than any summary of it."""
    path = inputs / f"project-{project}.h5ad"
    path.write_bytes(matrix_bytes("h5ad", project + version * N_PROJECTS))
    os.utime(path, (version + 1, version + 1))


def contents(folder: Path) -> dict[str, bytes]:
    """All published files but the reports of runs and what is made from them."""

    def is_published(name: str) -> bool:
        of_pages = FOR_PAGES.fullmatch(name) is not None
        return of_pages or name in (SUMMARY, *TABLES) or name.endswith((".png", ".svg"))

    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and is_published(path.name)
        and "_dpss" not in path.parts
        and "runs" not in path.parts
        and not path.name.startswith(".dpss-")
    }


def whole(key: str, found: dict[str, bytes], expected: list[dict[str, bytes]]) -> bool:
    """Tell whether the files that a summary lists are the listed ones.

    Then they and the summary must be what one whole run writes, down to the last byte.
    """
    folder = key.removesuffix(SUMMARY)
    for name, entry in json.loads(found[key])["files"].items():
        data = found.get(folder + name, b"")
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            return False
    for one in expected:
        if found[key] == one[key]:
            for other, content in one.items():
                assert not other.startswith(folder) or found[other] == content, other
            return True
    raise AssertionError(f"{key} is not what a whole run writes")


def check(output: Path, expected: list[dict[str, bytes]]) -> tuple[int, int]:
    """Check every summary; returns how many matrices are whole, and how many being replaced.

    The job's own reading must agree: what is being replaced is not taken for published.
    """
    found = contents(output)
    store = LocalStore(output)
    counts = [0, 0]
    for key in found:
        if key.endswith(f"/{SUMMARY}"):
            is_whole = whole(key, found, expected)
            project, name, _ = key.split("/")
            published = read_published(store, MatrixRef(project, name, "", ""))
            assert (published is not None) == is_whole, key
            counts[not is_whole] += 1
    index = output / "index.json"
    if index.exists():
        json.loads(index.read_text())
    return counts[0], counts[1]


def main() -> None:
    base, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    inputs, output = base / "in", base / "out"
    inputs.mkdir(parents=True)
    drawing = Remembered()
    expected = []
    # Of each project two versions, which are published in turns.
    for version in range(2):
        for i in range(N_PROJECTS):
            write_input(inputs, i, version)
        reference = base / f"reference-{version}"
        assert run(make_job(inputs, LocalStore(reference), drawing, force=True)).exit_code == 0
        expected.append(contents(reference))
    start = time.monotonic()
    store = LethalStore(base / "reference-1", math.inf)
    assert run(make_job(inputs, store, drawing, force=True)).exit_code == 0
    duration = time.monotonic() - start
    summaries, replaced, killed = [], [], 0
    number = 0
    # A job that ends before its time was not killed: another one is.
    while killed < rounds:
        number += 1
        assert number < rounds * 5, "the jobs end too early"
        for i in range(N_PROJECTS):
            write_input(inputs, i, chance.randrange(2))
        at_write = number % 2 == 0
        last = chance.randrange(store.n_writes) if at_write else math.inf
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            lethal = LethalStore(output, last)
            run(make_job(inputs, lethal, drawing, force=number % 4 != 1))
            os._exit(0)
        if not at_write:
            time.sleep(chance.uniform(0, duration))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        n_whole, n_replaced = check(output, expected)
        summaries.append(n_whole)
        replaced.append(n_replaced)
    for i in range(N_PROJECTS):
        write_input(inputs, i, 1)
    report = run(make_job(inputs, LocalStore(output), drawing, force=False))
    assert report.exit_code == 0
    assert check(output, expected) == (N_PROJECTS, 0)
    assert contents(output) == expected[1], "the next run completes what is missing"
    print(
        json.dumps(
            {
                "killed": killed,
                "summaries": summaries,
                "replaced": replaced,
                "seconds": duration,
            }
        )
    )


if __name__ == "__main__":
    main()
