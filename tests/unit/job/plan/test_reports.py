"""What is known of earlier runs: the newest entry of each matrix, back to a complete report."""

from __future__ import annotations

import json
import logging
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dpss.catalogs.shards import ALL, Shard
from dpss.job.plan.reports import describe_new_failures, find_known_failures, read_earlier
from dpss.job.report.outcomes import Outcome, RunHeader, RunReport, Status, run_document, run_key
from dpss.job.run import run
from tests.memory_store import MemoryStore
from tests.unit.job.test_run import StopAt, statuses
from tests.unit.small import counts, job_of, never_opened, write_h5ad_csr, write_scaled

START = datetime(2026, 1, 1, tzinfo=UTC)


def write_report(
    store: MemoryStore,
    number: int,
    statuses: dict[str, Status],
    *,
    only: tuple[str, ...] = (),
    interrupted_by: int | None = None,
) -> None:
    """Write the report of a run that began so many hours after the first."""
    started = START + timedelta(hours=number)
    outcomes = tuple(
        Outcome(name, name, status, f"reason {number}", f"{name}/{name}", fingerprint=str(number))
        for name, status in statuses.items()
    )
    header = RunHeader(started, started, "1", "local x", "out", {}, only)
    document = run_document(header, RunReport(outcomes, interrupted_by))
    store.write(run_key(started), json.dumps(document).encode())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with a good matrix and three that hold nothing to count."""
    folder = tmp_path / "matrices"
    folder.mkdir()
    write_h5ad_csr(folder / "good.h5ad", counts())
    for name in ("s1", "s2", "s3"):
        write_scaled(folder / f"{name}.h5ad")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [
        {"only": frozenset({"good"})},
        {"only": frozenset({"s2"})},
        {"shard": Shard(1, 5)},
        {"stop": StopAt(2)},
    ],
    ids=["a good one", "a skipped one", "a shard", "stopped"],
)
def test_a_partial_run_forgets_no_skip(source: Path, part: dict[str, object]) -> None:
    """After a run of one project, of a shard or cut short, what was skipped is not read again."""
    store = MemoryStore()
    whole = run(job_of(source, store))
    assert whole.count(Status.SKIPPED) == 3
    run(job_of(source, store, **part))
    job = job_of(source, store)
    report = run(replace(job, pipeline=replace(job.pipeline, open_ref=never_opened)))
    assert statuses(report.outcomes) == {"good": "unchanged"} | dict.fromkeys(
        ("s1", "s2", "s3"), "skipped"
    )


def test_skips_of_shards_add_up(source: Path) -> None:
    """Where no run is of the whole source, each shard's report counts."""
    store = MemoryStore()
    for number in (1, 2, 3):
        run(job_of(source, store, shard=Shard(number, 3)))
    job = job_of(source, store)
    report = run(replace(job, pipeline=replace(job.pipeline, open_ref=never_opened)))
    assert (report.count(Status.SKIPPED), report.count(Status.UNCHANGED)) == (3, 1)


@pytest.mark.parametrize("seed", range(12))
def test_the_newest_entry_since_the_last_complete_report(seed: int) -> None:
    """Of reports drawn at random: what an overlay of all since the last complete one gives."""
    rng = random.Random(seed)
    store = MemoryStore()
    names = [f"m{i}" for i in range(8)]
    expected: dict[str, tuple[Status, str]] = {}
    for number in range(rng.randrange(1, 30)):
        kind = rng.choice(["whole", "only", "cut", "cut", "only", "broken"])
        if kind == "broken":
            store.write(run_key(START + timedelta(hours=number)), b"{")
            continue
        chosen = names if kind == "whole" else rng.sample(names, rng.randrange(4))
        found = {name: rng.choice(list(Status)) for name in chosen}
        if kind == "whole":
            expected.clear()
        expected |= {f"{name}/{name}": (status, str(number)) for name, status in found.items()}
        write_report(
            store,
            number,
            found,
            only=("x",) if kind == "only" else (),
            interrupted_by=15 if kind == "cut" else None,
        )
    earlier = read_earlier(store, ["never there"])
    assert {key: (entry.status, entry.fingerprint) for key, entry in earlier.items()} == expected


class Counting(MemoryStore):
    """Counts what is read."""

    n_read = 0

    def read(self, key: str) -> bytes:
        self.n_read += 1
        return super().read(key)


def test_no_more_reports_are_read_than_needed() -> None:
    """One where the newest is complete or tells of all; never more than the most allowed."""
    store = Counting()
    for number in range(60):
        write_report(store, number, {"a": Status.SKIPPED}, only=("a",))
    read_earlier(store, ["a/a"])
    assert store.n_read == 1
    store.n_read = 0
    read_earlier(store, ["b/b"], max_reports=20)
    assert store.n_read == 20
    write_report(store, 60, {"c": Status.SKIPPED})
    store.n_read = 0
    assert read_earlier(store, ["b/b"]).keys() == {"c/c"}
    assert store.n_read == 1


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was told of new failures since the last look."""
    found = [r.getMessage() for r in caplog.records if r.getMessage().startswith("new failures")]
    caplog.clear()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("shards", [(ALL,), (Shard(1, 2), Shard(2, 2), Shard(0, 2))])
def test_a_failure_is_told_once(
    source: Path, caplog: pytest.LogCaptureFixture, shards: tuple[Shard, ...]
) -> None:
    """On the first day, and again when its bytes change: matrix, reason and report are named."""
    caplog.set_level(logging.ERROR, logger="dpss")
    store = MemoryStore()

    def day() -> RunReport:
        return [run(job_of(source, store, shard=shard)) for shard in shards][-1]

    (source / "bad.h5ad").write_bytes(b"no matrix")
    assert [o.matrix for o in day().new_failures] == ["bad"]
    (line,) = told(caplog)
    newest = max(key for key in store.keys("runs/") if key.endswith("Z.json"))
    assert line.startswith("new failures: 1: bad (")
    assert line.endswith(f"Report: memory:/{newest}")
    for _ in range(3):
        report = day()
        assert (report.count(Status.FAILED), report.new_failures) == (1, ())
        assert told(caplog) == []
    (source / "worse.h5ad").write_bytes(b"no matrix either")
    assert [o.matrix for o in day().new_failures] == ["worse"]
    assert "worse" in told(caplog)[0]
    (source / "bad.h5ad").write_bytes(b"another one that is no matrix")
    assert [o.matrix for o in day().new_failures] == ["bad"]
    write_h5ad_csr(source / "bad.h5ad", counts())
    assert day().count(Status.FAILED) == 1
    (source / "bad.h5ad").write_bytes(b"no matrix")
    told(caplog)
    assert [o.matrix for o in day().new_failures] == ["bad"]


@pytest.mark.parametrize("seed", range(10))
def test_which_failures_are_known(seed: int) -> None:
    """Drawn at random: known is what failed when it was last looked at, with the same bytes."""
    rng = random.Random(seed)
    store = MemoryStore()
    names = [f"m{i}" for i in range(12)]
    last: dict[str, tuple[Status, str]] = {}
    for number in range(rng.randrange(1, 6)):
        found = {name: rng.choice(list(Status)) for name in names}
        last |= {name: (status, str(number)) for name, status in found.items()}
        write_report(store, number, found)
    now = tuple(
        Outcome(name, name, rng.choice(list(Status)), folder=f"{name}/{name}", fingerprint=print_)
        for name in names
        for print_ in [rng.choice([last[name][1], "another"])]
    )
    expected = {
        o.label
        for o in now
        if o.status is Status.FAILED and last[o.matrix] == (Status.FAILED, o.fingerprint)
    }
    assert find_known_failures(store, RunReport(now)) == expected


def test_a_line_of_many_failures_is_short() -> None:
    """Twenty are named, each with the beginning of its reason, and how many more there are."""
    outcomes = tuple(Outcome(f"p{i}", "", Status.FAILED, "x" * 5000) for i in range(532))
    line = describe_new_failures(RunReport(outcomes), "s3://b/", "runs/1.json")
    assert line.startswith("new failures: 532: p0 (xxx")
    assert line.endswith("; and 512 more. Report: s3://b/runs/1.json")
    assert len(line) < 8000


@pytest.mark.parametrize("damage", ["deep", "no time zone"])
def test_a_damaged_report_is_passed_over(damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """The entries of the report before it count, with a warning."""
    store = MemoryStore()
    write_report(store, 0, {"a": Status.SKIPPED})
    write_report(store, 1, {"a": Status.FAILED})
    key = run_key(START + timedelta(hours=1))
    whole = store.read(key)
    store.write(key, b"[" * 200_000 if damage == "deep" else whole.replace(b"+00:00", b""))
    assert read_earlier(store, {"a/a"})["a/a"].status is Status.SKIPPED
    assert "can't be read" in caplog.text
