"""Rehearse the daily job with as many projects as the portal has, on a loopback S3.

    make rehearsal [ARGS="--projects 532 --cells 240 --genes 2000 --time-limit 600 --folder DIR
                          --parts days cuts"]

Three of the projects crash, hang and exhaust the memory of the process that reads them. Days:
a first run; one of ten changed; unchanged; unchanged, when the three are skipped. Then another
output, whose first run is ended by SIGTERM, gone on with, ended by SIGKILL and gone on with.
Prints one JSON object per run: seconds, exit code, outcomes, requests in all and per project by
kind, and the peak memory of the command with all its processes (shared pages counted once,
sampled). Ends with an error where anything is not as it has to be.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.groups import limited
from benchmarks.measuring import Limits
from dpss.demo.files import write_h5ad_csr
from dpss.job.report.outcomes import is_run_key
from tests.cloud.harm import FAULTS
from tests.cloud.portal import make_counts
from tests.cloud.watched import Ended, requests_of, run_watched
from tests.servers.moto_s3 import MotoS3

BUCKET = "rehearsal"
CAUSES = {
    "crash": {"SIGSEGV"},
    "hang": {"time limit"},
    # Of the kernel where a group can be limited; else the process's own limit.
    "memory": {"SIGKILL", "memory"},
}


def write_inputs(
    folder: Path, names: list[str], shape: tuple[int, int], seed: int, every: int = 1
) -> int:
    """Write a matrix for each project, or for each so many, and return how many.

    Those that do harm have as many cells as the others: whether they come last is seen.
    """
    chosen = [(i, name) for i, name in enumerate(names) if i % every == 0 and name not in FAULTS]
    if every == 1:
        chosen += [(len(names) + i, name) for i, name in enumerate(FAULTS)]
    for number, name in chosen:
        write_h5ad_csr(folder / f"{name}.h5ad", make_counts(seed + number, *shape))
    return len(chosen)


@dataclass
class Rehearsal:
    """An output on a loopback S3, and the runs that publish to it."""

    s3: MotoS3
    log: Path
    """Where the server writes its requests."""
    folder: Path
    n_projects: int
    time_limit: int
    """Seconds that a matrix may take."""
    group: str
    """A cgroup to run in; empty for none."""
    output: str = "portal"
    position: int = 0

    def run(self, name: str, day: int, *, cut: tuple[int, int] | None = None) -> dict[str, Any]:
        """Run the job on a day, print what it took, and return that and the newest report.

        Args:
            name: What is printed.
            day: The day.
            cut: A signal, and after how many published matrices it is sent.
        """
        command = [
            *(sys.executable, "-m", "tests.cloud.harm", str(day), "run"),
            *("--input", str(self.folder / "in"), "--output", f"s3://{BUCKET}/{self.output}"),
            *("--log-format", "json", "--metrics", "emf"),
            *("--time-limit", str(self.time_limit)),
        ]
        environment = self.s3.environment | {"TMPDIR": str(self.folder)}
        ended = run_watched(command, environment, self.folder, self.group, cut)
        found, self.position = requests_of(self.log, self.position)
        report = self.report()
        causes = {
            k: e["cause"] or e["reason"] for k, e in report.items() if e["status"] == "failed"
        }
        document = self._describe(name, ended, found) | {"failed": causes}
        print(json.dumps(document), flush=True)
        check(self.has("index.html"), f"{name}: no index.html")
        self.position = requests_of(self.log, self.position)[1]
        return document | {"ended": ended, "report": report}

    def _describe(self, name: str, ended: Ended, found: Counter[str]) -> dict[str, Any]:
        return {
            "run": name,
            "seconds": round(ended.seconds, 1),
            "exit_code": ended.code,
            "outcomes": dict(Counter(ended.outcomes.values())),
            "requests": sum(found.values()),
            "per_project": {k: round(n / self.n_projects, 2) for k, n in sorted(found.items())},
            "peak_memory_mib": ended.peak_bytes >> 20,
        }

    def list_keys(self) -> list[str]:
        """Return the keys of the output."""
        pages = self.s3.client.get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=BUCKET, Prefix=f"{self.output}/")
        return [o["Key"].partition("/")[2] for page in found for o in page.get("Contents", ())]

    def read(self, key: str) -> bytes:
        """Return an object of the output."""
        body = self.s3.client.get_object(Bucket=BUCKET, Key=f"{self.output}/{key}")["Body"]
        return bytes(body.read())

    def has(self, key: str) -> bool:
        """Tell whether there is such an object."""
        return key in self.list_keys()

    def report(self) -> dict[str, dict[str, Any]]:
        """Return the newest report's entries, by project."""
        keys = [key for key in self.list_keys() if is_run_key(key)]
        document = json.loads(self.read(max(keys))) if keys else {"matrices": []}
        return {entry["project_id"]: entry for entry in document["matrices"]}

    def shown(self) -> set[str]:
        """Return the projects that the index lists."""
        return {entry["id"] for entry in json.loads(self.read("index.json"))["projects"]}

    def published(self) -> set[str]:
        """Return the projects that have a summary."""
        return {key.partition("/")[0] for key in self.list_keys() if key.endswith("/summary.json")}


def check(condition: bool, what: str) -> None:
    """End with an error unless something is as it has to be."""
    if not condition:
        raise SystemExit(f"rehearsal: {what}")


def check_faults(run: dict[str, Any], status: str) -> None:
    """Check that the three bad ones, and they alone, ended so, and that it's told why."""
    entries = run["report"]
    bad = {name for name, entry in entries.items() if entry["status"] in ("failed", "skipped")}
    check(bad == set(FAULTS), f"{run['run']}: failed or skipped: {sorted(bad)}")
    for name in FAULTS:
        entry = entries[name]
        check(entry["status"] == status, f"{run['run']}: {name} is {entry['status']}")
        if status == "failed":
            check(entry["cause"] in CAUSES[name], f"{run['run']}: {name}: {entry['cause']}")
            check(entry["peak_memory_bytes"] > 1 << 20, f"{run['run']}: {name}: no memory")
            check(entry["seconds"] > 0, f"{run['run']}: {name}: no seconds")
        else:
            check("on 3 days" in entry["reason"], f"{run['run']}: {entry['reason']}")


def rehearse_days(job: Rehearsal, names: list[str], shape: tuple[int, int]) -> None:
    """Four days: first, one of ten changed, unchanged, unchanged and the bad ones skipped."""
    good = set(names) - set(FAULTS)
    first = job.run("first", 0)
    check_faults(first, "failed")
    check(job.published() == job.shown() == good, "first: what is published is not what is shown")
    n_changed = write_inputs(job.folder / "in", names, shape, 10_000, every=10)
    changed = job.run("one of ten changed", 1)
    check_faults(changed, "failed")
    check(changed["outcomes"].get("published") == n_changed, "not all changed ones are published")
    check(set(changed["ended"].begun[-3:]) == set(FAULTS), "the bad ones did not go last")
    check_faults(job.run("unchanged", 2), "failed")
    skipped = job.run("unchanged, bad ones skipped", 3)
    check_faults(skipped, "skipped")
    check(skipped["exit_code"] == 0, "a run that skips ends with an error")
    check(job.published() == job.shown() == good, "what is published is not what is shown")


def rehearse_cuts(job: Rehearsal, names: list[str]) -> None:
    """A first run that is ended twice: each leaves an index, and the next one goes on."""
    good = set(names) - set(FAULTS)
    done: set[str] = set()
    for number, name in ((signal.SIGTERM, "SIGTERM"), (signal.SIGKILL, "SIGKILL")):
        run = job.run(f"cut by {name}", 0, cut=(number, len(good) // 3))
        code = -number if number == signal.SIGKILL else 128 + number
        check(run["exit_code"] == code, f"{name}: exit code {run['exit_code']}")
        check(done < job.published(), f"{name}: nothing is published anew")
        check(job.shown() >= done, f"{name}: what was shown is shown no more")
        done = job.published()
        if number == signal.SIGTERM:
            check(job.shown() == done, f"{name}: the index lacks what is published")
        check(not run["ended"].left, f"{name}: processes are left: {run['ended'].left}")
    last = job.run("gone on with", 1)
    check_faults(last, "failed")
    again = last["outcomes"].get("published", 0)
    check(again <= len(good) - len(done) + 1, f"what was published is made again ({again})")
    check(job.published() == job.shown() == good, "what is published is not what is shown")
    pages = {key.partition("/")[0] for key in job.list_keys() if key.endswith("/report.html")}
    check(pages == good, "a matrix has no report")


def main() -> None:
    """Read the options and rehearse."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--projects", type=int, default=532)
    # As many as get components, clusters and a map: the most files that a matrix has by default.
    parser.add_argument("--cells", type=int, default=240)
    parser.add_argument("--genes", type=int, default=2000)
    parser.add_argument("--memory-mib", type=int, default=1024)
    parser.add_argument("--time-limit", type=int, default=600)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--parts", nargs="+", choices=("days", "cuts"), default=("days", "cuts"))
    known = parser.parse_args()
    shape = (known.cells, known.genes)
    names = [*FAULTS, *(f"project-{i:04d}" for i in range(known.projects - len(FAULTS)))]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=known.folder)))
        limits, how = stack.enter_context(limited(Limits(), known.memory_mib << 20))
        print(json.dumps({"projects": len(names), "memory_limit": how}), flush=True)
        (folder / "in").mkdir()
        write_inputs(folder / "in", names, shape, 0)
        log = folder / "requests.log"
        s3 = stack.enter_context(MotoS3(log))
        s3.make_bucket(BUCKET)
        job = Rehearsal(s3, log, folder, len(names), known.time_limit, limits.group)
        if "days" in known.parts:
            rehearse_days(job, names, shape)
        if "cuts" in known.parts:
            job.output = "cut"
            rehearse_cuts(job, names)
    print(json.dumps({"rehearsal": "as it has to be"}))


if __name__ == "__main__":
    main()
