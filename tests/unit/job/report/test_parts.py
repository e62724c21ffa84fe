"""The end of a run that several tasks did: one report of all, the pages once."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dpss.catalogs.shards import ALL, Shard
from dpss.job.report.outcomes import (
    Outcome,
    RunHeader,
    RunReport,
    Status,
    is_run_key,
    run_document,
    run_key,
)
from dpss.job.report.parts import join_reports
from dpss.job.run import run
from tests.memory_store import MemoryStore
from tests.unit.job.test_run import StopAt, statuses
from tests.unit.small import counts, job_of, write_h5ad_csr, write_scaled

START = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY: frozenset[str] = frozenset()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with eight good matrices, one broken and one that holds nothing to count."""
    folder = tmp_path / "matrices"
    folder.mkdir()
    for number in range(8):
        write_h5ad_csr(folder / f"good{number}.h5ad", counts(seed=number))
    (folder / "broken.h5ad").write_bytes(b"no matrix")
    write_scaled(folder / "scaled.h5ad")
    return folder


def reports(store: MemoryStore) -> list[dict[str, object]]:
    """Return all reports, the oldest first."""
    return [json.loads(store.read(key)) for key in sorted(filter(is_run_key, store.keys("runs/")))]


def site(store: MemoryStore) -> dict[str, bytes]:
    """Return all that is published but the reports and what is made of them."""
    keys = [key for key in store.keys("") if not key.startswith("runs/")]
    return {key: store.read(key) for key in keys}


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3, 5])
def test_several_tasks_do_what_one_does(source: Path, count: int) -> None:
    """Byte for byte the same output, one report of all, pages at the end and not before."""
    alone, shared = MemoryStore(), MemoryStore()
    whole = run(job_of(source, alone))
    for number in range(1, count + 1):
        run(job_of(source, shared, shard=Shard(number, count)))
        assert "index.html" not in set(shared.keys(""))
    report = run(job_of(source, shared, shard=Shard(0, count)))
    assert statuses(report.outcomes) == statuses(whole.outcomes)
    assert report.exit_code == whole.exit_code == 1
    assert site(shared) == site(alone)
    last = reports(shared)[-1]
    assert last["counts"] == reports(alone)[-1]["counts"]
    assert last["only"] == []
    assert len(last["parts"]) == count  # type: ignore[arg-type]
    assert last["started"] == min(r["started"] for r in reports(shared))  # type: ignore[type-var]


@pytest.mark.slow
def test_a_task_that_died_is_named(source: Path) -> None:
    """What the others did has its pages; the run says which shard is missing."""
    store = MemoryStore()
    for number in (1, 3):
        run(job_of(source, store, shard=Shard(number, 3)))
    report = run(job_of(source, store, shard=Shard(0, 3)))
    assert report.exit_code == 1
    assert report.problems == ("shard 2/3 wrote no report: the next run does what it left",)
    assert "index.html" in set(store.keys(""))
    whole = run(job_of(source, store))
    assert whole.count(Status.PUBLISHED) + whole.count(Status.UNCHANGED) == 8


@pytest.mark.slow
def test_a_task_that_was_started_again(source: Path) -> None:
    """Cut off and resumed: published is what either of its reports says so."""
    store = MemoryStore()
    run(job_of(source, store, shard=Shard(1, 2), stop=StopAt(2)))
    run(job_of(source, store, shard=Shard(2, 2)))
    cut = join_reports(store, Shard(0, 2), NOBODY, START)
    assert any("ended early" in problem for problem in cut.report.problems)
    run(job_of(source, store, shard=Shard(1, 2)))
    report = run(job_of(source, store, shard=Shard(0, 2)))
    assert report.count(Status.PUBLISHED) == 8
    assert not report.problems


@pytest.mark.slow
def test_an_end_that_was_started_again(source: Path) -> None:
    """The pages were cut off: the same report, and the pages."""
    store = MemoryStore()
    for number in (1, 2):
        run(job_of(source, store, shard=Shard(number, 2)))
    first = run(job_of(source, store, shard=Shard(0, 2)))
    again = run(job_of(source, store, shard=Shard(0, 2)))
    assert statuses(again.outcomes) == statuses(first.outcomes)
    assert again.problems == ()


@pytest.mark.slow
def test_the_end_prunes(source: Path) -> None:
    """No shard's run does, as it knows only its own; nor does an end that lacks a report."""
    store = MemoryStore()
    run(job_of(source, store))
    (source / "good3.h5ad").unlink()
    for end in (False, True):
        for number in (1, 2) if end else (1,):
            run(replace(job_of(source, store, shard=Shard(number, 2)), prune=True))
        run(replace(job_of(source, store, shard=Shard(0, 2)), prune=True))
        gone = not any(key.startswith("good3/") for key in store.keys(""))
        assert gone is end


@pytest.mark.slow
def test_the_page_of_changes_tells_the_run_once(source: Path) -> None:
    """Not each task's shard beside it."""
    alone, shared = MemoryStore(), MemoryStore()
    run(job_of(source, alone))
    for shard in (Shard(1, 2), Shard(2, 2), Shard(0, 2)):
        run(job_of(source, shared, shard=shard))
    pages = [store.read("runs/index.html").decode() for store in (alone, shared)]
    assert pages[0].count("broken") == pages[1].count("broken") > 0


@pytest.mark.parametrize("seed", range(20))
def test_reports_drawn_at_random(seed: int) -> None:
    """Of runs of several tasks, by day, with other runs among them: the last run's alone."""
    chance = random.Random(seed)
    store = MemoryStore()
    now, count = START, chance.randrange(2, 6)
    expected: dict[str, Status] = {}
    missing: set[str] = set()
    for _ in range(chance.randrange(1, 5)):
        now += timedelta(hours=24)
        whole = chance.random() < 0.3
        done = set() if whole else set(range(1, count + 1)) - {chance.randrange(0, 2 * count)}
        expected, missing = (
            {},
            {f"{n}/{count}" for n in range(1, count + 1)} - {f"{n}/{count}" for n in done},
        )
        for number in chance.sample(sorted(done), len(done)):
            now += timedelta(minutes=1)
            status = chance.choice(list(Status))
            expected[f"p{number}"] = status
            write(store, now, {f"p{number}": status}, (f"shard {number}/{count}",))
            now += timedelta(minutes=1)
            write(store, now, {"other": Status.FAILED}, ("other",))
        if whole:
            write(store, now, {"q": Status.PUBLISHED}, ())
    joined = join_reports(store, Shard(0, count), NOBODY, now + timedelta(days=9))
    assert {o.matrix: o.status for o in joined.report.outcomes} == expected
    assert len(joined.report.problems) == len(missing)
    assert all(any(m in problem for problem in joined.report.problems) for m in missing)


def write(
    store: MemoryStore, started: datetime, found: dict[str, Status], only: tuple[str, ...]
) -> None:
    """Write a report."""
    outcomes = tuple(Outcome(name, name, status) for name, status in found.items())
    header = RunHeader(started, started, "1", "local x", "out", {}, only)
    document = run_document(header, RunReport(outcomes))
    store.write(run_key(started), json.dumps(document).encode())


def test_all_is_the_only_shard_that_reports_a_whole_source() -> None:
    """1/1 is neither a part nor an end."""
    assert (ALL.is_part, ALL.is_end) == (False, False)
    assert (Shard(1, 2).is_part, Shard(0, 1).is_end, Shard(0, 2).is_part) == (True, True, False)
