"""A run does what is to be done, and nothing else; whatever goes wrong stays where it is."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dpss.catalogs.shards import Shard
from dpss.engine.settings import StatSettings
from dpss.errors import SettingsError, UnreachableError
from dpss.job.base import Job
from dpss.job.plan.steps import Step
from dpss.job.report.outcomes import Outcome, Status, is_run_key
from dpss.job.run import run
from dpss.job.stop import Interrupted, NeverStop
from dpss.storage.local import LocalStore
from tests.memory_store import MemoryStore
from tests.unit.small import (
    FewFigures,
    Notebook,
    counts,
    job_of,
    never_opened,
    write_h5ad_csr,
    write_scaled,
    write_two_genomes,
)


@pytest.fixture
def matrices(tmp_path: Path) -> Path:
    """A folder with two matrices, a folder of two more, and a file that is none."""
    folder = tmp_path / "matrices"
    (folder / "both").mkdir(parents=True)
    for number, name in enumerate(("a.h5ad", "b.h5ad", "both/x.h5ad", "both/y.h5ad")):
        write_h5ad_csr(folder / name, counts(number))
    (folder / "README.md").write_text("These are matrices.")
    return folder


def statuses(outcomes: tuple[Outcome, ...]) -> dict[str, str]:
    """Return how it ended for each matrix."""
    return {outcome.label: str(outcome.status) for outcome in outcomes}


def files_of(store: MemoryStore | LocalStore) -> dict[str, bytes]:
    """Return all published files but those of runs."""
    return {key: store.read(key) for key in store.keys("") if not key.startswith("runs/")}


def untouched(job: Job) -> Job:
    """Return the job so that opening any matrix fails it."""
    return replace(job, pipeline=replace(job.pipeline, open_ref=never_opened))


def test_every_project_is_published_and_the_rest_named(matrices: Path) -> None:
    """Files are projects of one matrix, folders projects of several; others are skipped."""
    store = MemoryStore()
    report = run(job_of(matrices, store))
    assert statuses(report.outcomes) == {
        "a": "published",
        "b": "published",
        "both/x": "published",
        "both/y": "published",
        "README.md": "skipped",
    }
    assert report.exit_code == 0
    for folder in ("a/a", "b/b", "both/x", "both/y"):
        document = json.loads(store.read(f"{folder}/summary.json"))
        assert document["n_cells"] == 30
        assert document["project"]["id"] == folder.partition("/")[0]
        assert {f"{folder}/genes.csv", f"{folder}/knee.png"} <= set(store.keys(f"{folder}/"))
    assert {"index.html", "index.json", "a/index.html", "both/index.html"} <= set(store.keys())


def test_a_second_run_reads_no_matrix(matrices: Path, tmp_path: Path) -> None:
    """Over unchanged input nothing is opened, nothing published changes, all are unchanged."""
    store = LocalStore(tmp_path / "out")
    run(job_of(matrices, store))
    before = files_of(store)
    times = {key: store.modified(key) for key in before}
    report = run(untouched(job_of(matrices, store)))
    assert report.count(Status.UNCHANGED) == 4
    assert report.exit_code == 0
    assert files_of(store) == before
    assert {key: store.modified(key) for key in before} == times


def test_a_changed_and_a_new_matrix_are_redone_alone(matrices: Path) -> None:
    """Only what differs from what is published is read again."""
    store = MemoryStore()
    run(job_of(matrices, store))
    write_h5ad_csr(matrices / "b.h5ad", counts(77))
    write_h5ad_csr(matrices / "new.h5ad", counts(78))
    job = job_of(matrices, store)
    report = run(job)
    assert sorted(report.published) == ["b/b", "new/new"]
    assert isinstance(job.listener, Notebook)
    assert {step.label: step.why for step in job.listener.steps if step.outcome is None} == {
        "b": "changed",
        "new": "new",
    }


def test_an_edit_that_the_fingerprint_misses_is_seen_by_its_time(matrices: Path) -> None:
    """A file that is newer than its summary is read again, whatever its fingerprint says."""
    store = MemoryStore()
    run(job_of(matrices, store))
    later = (matrices / "a.h5ad").stat().st_mtime + 3600
    os.utime(matrices / "a.h5ad", (later, later))
    assert run(job_of(matrices, store)).published == ("a/a",)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"version": "2"}, {"stats": StatSettings(min_gene_count=3)}, {"force": True}]
)
def test_other_settings_another_version_and_force_redo_all(
    matrices: Path, change: dict[str, Any]
) -> None:
    """What results depend on besides the input counts as a change, too."""
    store = MemoryStore()
    run(job_of(matrices, store))
    assert run(job_of(matrices, store, **change)).count(Status.PUBLISHED) == 4


def test_one_bad_matrix_stops_no_other(matrices: Path) -> None:
    """A truncated file fails with a reason that names it; the exit code is 1."""
    whole = (matrices / "a.h5ad").read_bytes()
    (matrices / "a.h5ad").write_bytes(whole[: len(whole) // 2])
    store = MemoryStore()
    report = run(job_of(matrices, store))
    found = statuses(report.outcomes)
    assert found["a"] == "failed"
    assert (found["b"], found["both/x"], found["both/y"]) == ("published",) * 3
    (failed,) = [o for o in report.outcomes if o.status is Status.FAILED]
    assert "a.h5ad" in failed.reason
    assert "\n" not in failed.reason
    assert report.exit_code == 1
    assert not [key for key in store.keys("a/") if not key.endswith(".html")]


def test_an_unexpected_error_is_a_failure_with_its_name(
    matrices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug met in one matrix is reported as such, and the run goes on."""

    def stumble(*_: object, **__: object) -> None:
        raise IndexError("a bug")

    monkeypatch.setattr("dpss.engine.samples.take_sample", stumble)
    report = run(job_of(matrices, MemoryStore()))
    assert report.count(Status.FAILED) == 4
    assert all("IndexError" in o.reason for o in report.outcomes if o.status is Status.FAILED)


def test_scaled_values_are_a_skip_that_is_remembered(tmp_path: Path) -> None:
    """Nothing to count is no failure in a run, and the next run need not read it again."""
    folder = tmp_path / "matrices"
    folder.mkdir()
    write_scaled(folder / "scaled.h5ad")
    store = MemoryStore()
    first = run(job_of(folder, store))
    second = run(untouched(job_of(folder, store)))
    for report in (first, second):
        assert statuses(report.outcomes) == {"scaled": "skipped"}
        assert "layers: X: scaled" in report.outcomes[0].reason
        assert (report.exit_code, report.strict_exit_code) == (0, 1)
    third = run(job_of(folder, store, version="2"))
    assert statuses(third.outcomes) == {"scaled": "skipped"}


@pytest.mark.slow
def test_a_file_with_several_matrices_has_a_folder_for_each(tmp_path: Path) -> None:
    """Each genome of a mixture is a matrix; the file is unchanged only if all are."""
    folder = tmp_path / "matrices"
    folder.mkdir()
    write_two_genomes(folder / "mixture.h5")
    store = MemoryStore()
    report = run(job_of(folder, store))
    assert sorted(report.published) == ["mixture/mixture.hg19", "mixture/mixture.mm10"]
    assert run(untouched(job_of(folder, store))).exit_code == 0
    store.delete("mixture/mixture/matrices.json")
    assert len(run(job_of(folder, store)).published) == 2


def test_parts_that_are_gone_are_pruned(tmp_path: Path) -> None:
    """When a file no longer holds several matrices, what was published of them stays until it
    is pruned, and the file is unchanged all the same; so the other way round."""
    folder = tmp_path / "matrices"
    folder.mkdir()
    one, two = ["mixture/mixture"], ["mixture/mixture.hg19", "mixture/mixture.mm10"]

    def summaries() -> list[str]:
        keys = list(store.keys())
        return [k.removesuffix("/summary.json") for k in keys if k.endswith("summary.json")]

    write_two_genomes(folder / "mixture.h5")
    store = MemoryStore()
    run(job_of(folder, store))
    write_h5ad_csr(folder / "mixture.h5", counts())
    assert run(job_of(folder, store)).published == ("mixture/mixture",)
    assert run(untouched(job_of(folder, store))).count(Status.UNCHANGED) == 1
    assert summaries() == two + one
    run(untouched(job_of(folder, store, prune=True)))
    assert summaries() == one
    assert "mixture/mixture/matrices.json" not in set(store.keys())
    write_two_genomes(folder / "mixture.h5")
    run(job_of(folder, store, prune=True))
    assert summaries() == two
    assert run(untouched(job_of(folder, store))).count(Status.UNCHANGED) == 1
    index = json.loads(store.read("index.json"))
    assert [m["folder"] for p in index["projects"] for m in p["matrices"]] == two


class NoDelete(MemoryStore):
    """Refuses every delete, as a bucket does without ``s3:DeleteObject``."""

    def delete(self, key: str) -> None:
        raise UnreachableError(f"{key}: AccessDenied")


def test_a_store_that_refuses_deletes_is_published_to(tmp_path: Path) -> None:
    """Without --prune nothing is deleted: in a first run, an unchanged one, one with a changed
    matrix, one with fewer figures, one with fewer parts, and after a project has vanished."""
    folder = tmp_path / "matrices"
    folder.mkdir()
    for number, name in enumerate(("a.h5ad", "b.h5ad")):
        write_h5ad_csr(folder / name, counts(number))
    write_two_genomes(folder / "mixture.h5")
    store = NoDelete()
    first = run(job_of(folder, store, figures=FewFigures("knee.png", "knee.svg", "violin.png")))
    assert (first.count(Status.PUBLISHED), first.exit_code) == (4, 0)
    again = run(untouched(job_of(folder, store)))
    assert (again.count(Status.UNCHANGED), again.exit_code) == (3, 0)
    write_h5ad_csr(folder / "a.h5ad", counts(7))
    write_h5ad_csr(folder / "mixture.h5", counts(8))
    (folder / "b.h5ad").unlink()
    last = run(job_of(folder, store))
    assert (sorted(last.published), last.exit_code) == (["a/a", "mixture/mixture"], 0)
    listed = json.loads(store.read("a/a/summary.json"))["files"]
    assert "violin.png" not in listed
    assert "knee.png" in listed
    assert store.read("a/a/violin.png")


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["knee.png", "genes.csv", "plots.json", "genes.0.js"])
def test_a_matrix_whose_listed_file_differs_is_made_again(matrices: Path, lost: str) -> None:
    """A publication that was cut short is noticed though its summary is an old, whole one."""
    store = MemoryStore()
    run(job_of(matrices, store))
    before = files_of(store)
    store.write(f"a/a/{lost}", store.read(f"a/a/{lost}") + b" of another publication")
    store.delete(f"b/b/{lost}")
    assert sorted(run(job_of(matrices, store)).published) == ["a/a", "b/b"]
    assert files_of(store) == before


def test_only_the_projects_asked_for(matrices: Path) -> None:
    """With ids given, other projects are not looked at; an unknown id is an error."""
    job = job_of(matrices, MemoryStore(), only=frozenset({"both"}))
    assert sorted(run(job).published) == ["both/x", "both/y"]
    with pytest.raises(SettingsError, match="nobody"):
        run(job_of(matrices, MemoryStore(), only=frozenset({"nobody"})))


def test_shards_divide_the_projects(matrices: Path) -> None:
    """Each matrix is in exactly one shard, and no shard's run prunes what others published."""
    store = MemoryStore()
    for number in (1, 2, 3):
        job = job_of(matrices, store)
        run(replace(job, shard=Shard(number, 3), prune=True))
    assert files_of(store).keys() >= {f"{name}/summary.json" for name in ("both/x", "both/y")}
    published = [key for key in store.keys("") if key.endswith("/summary.json")]
    assert len(published) == 4
    assert not run(untouched(job_of(matrices, store))).published


def test_a_source_out_of_reach_is_told_before_anything_is_done(tmp_path: Path) -> None:
    """Nothing is written then, not even a report."""
    store = MemoryStore()
    with pytest.raises(UnreachableError, match="nowhere"):
        run(job_of(tmp_path / "nowhere", store))
    assert list(store.keys()) == []


def test_the_report_says_what_happened(matrices: Path) -> None:
    """``runs/<time>.json`` has every matrix with its outcome, and the counts."""
    store = MemoryStore()
    run(job_of(matrices, store))
    (key,) = filter(is_run_key, store.keys("runs/"))
    document = json.loads(store.read(key))
    assert document["counts"] == {"published": 4, "unchanged": 0, "skipped": 1, "failed": 0}
    assert document["exit_code"] == 0
    by_folder = {entry["folder"]: entry for entry in document["matrices"] if entry["folder"]}
    entry = by_folder["a/a"]
    assert (entry["status"], entry["n_cells"], entry["n_genes"]) == ("published", 30, 25)
    assert entry["input_bytes"] == (matrices / "a.h5ad").stat().st_size
    assert entry["peak_memory_bytes"] > 1 << 20
    assert entry["seconds"] >= 0


def test_the_same_input_gives_the_same_bytes_elsewhere(matrices: Path, tmp_path: Path) -> None:
    """A copy of the input in another place, later: every file but those of runs is the same."""
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(matrices, copy)
    first, second = MemoryStore(), MemoryStore()
    run(job_of(matrices, first))
    run(job_of(copy, second))
    names = [key for key in files_of(first) if not key.endswith((".html", ".xml", ".js"))]
    assert {name: first.read(name) for name in names} == {n: second.read(n) for n in names}


class StopAt(NeverStop):
    """Asks to end at the n-th time of being asked."""

    def __init__(self, n: int) -> None:
        self.n = n

    def check(self) -> None:
        self.n -= 1
        if self.n <= 0:
            raise Interrupted(signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 3, 8, 20])
def test_an_interrupted_run_keeps_what_is_finished(matrices: Path, n: int) -> None:
    """Wherever it is asked to end: whole publications only, a report, 143; the next run ends it."""
    store = MemoryStore()
    report = run(job_of(matrices, store, stop=StopAt(n)))
    assert report.exit_code == 128 + signal.SIGTERM
    published = sorted(key for key in store.keys("") if key.endswith("/summary.json"))
    assert published == sorted(f"{folder}/summary.json" for folder in report.published)
    keys = set(store.keys())
    for folder in report.published:
        assert {f"{folder}/genes.csv", f"{folder}/knee.png"} <= keys
    (key,) = filter(is_run_key, keys)
    assert json.loads(store.read(key))["interrupted_by"] == "SIGTERM"
    index = json.loads(store.read("index.json"))
    shown = [matrix["folder"] for project in index["projects"] for matrix in project["matrices"]]
    assert shown == sorted(report.published)
    assert "index.html" in keys
    last = run(job_of(matrices, store))
    assert last.exit_code == 0
    assert last.count(Status.PUBLISHED) + last.count(Status.UNCHANGED) == 4
    assert last.count(Status.UNCHANGED) == len(report.published)


class StopsPages(MemoryStore):
    """A signal comes while the pages are made, again and again."""

    def __init__(self, stop: StopAt) -> None:
        super().__init__()
        self.stop = stop

    def write(self, key: str, data: bytes) -> None:
        if key.endswith("report.html") and self.stop.n > 0:
            self.stop.n = 0
            raise Interrupted(signal.SIGTERM)
        super().write(key, data)


@pytest.mark.slow
def test_a_signal_during_the_pages_leaves_an_index(matrices: Path) -> None:
    """Told to end while it makes pages, a run leaves an index of all that is published and
    ends with 143; the next run makes the pages that are missing."""
    stop = StopAt(10_000)
    store = StopsPages(stop)
    report = run(job_of(matrices, store, stop=stop))
    assert report.count(Status.PUBLISHED) == 4
    assert report.exit_code == 128 + signal.SIGTERM
    assert json.loads(store.read("index.json"))["totals"]["n_matrices"] == 4
    assert b"both/index.html" in store.read("index.html")
    whole = MemoryStore()
    run(job_of(matrices, whole))
    assert run(job_of(matrices, store)).count(Status.UNCHANGED) == 4
    pages = {key for key in files_of(whole) if key.endswith((".html", "pages.json"))}
    assert {key: store.read(key) for key in pages - {"index.html"}} == {
        key: whole.read(key) for key in pages - {"index.html"}
    }


def test_a_long_run_brings_the_pages_up_to_date_meanwhile(
    matrices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after hours, a run leaves an index of what it had published by then."""
    monkeypatch.setattr("dpss.job.pages.PAGES_EVERY", timedelta(0))
    store = MemoryStore()
    job = job_of(matrices, store)

    class Killed(BaseException):
        pass

    class Killer(Notebook):
        def on_start(self, step: Step) -> Any:
            if len(self.outcomes) == 3:
                raise Killed
            return super().on_start(step)

    with pytest.raises(Killed):
        run(replace(job, listener=Killer()))
    assert json.loads(store.read("index.json"))["totals"]["n_matrices"] == 2


def test_a_damaged_summary_is_made_again(matrices: Path) -> None:
    """What can't be read in the output is no reason to stop."""
    store = MemoryStore()
    run(job_of(matrices, store))
    store.write("a/a/summary.json", b'{"matrix": 3}')
    assert run(job_of(matrices, store)).published == ("a/a",)


def test_an_empty_folder_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing to do is said, and fine."""
    (tmp_path / "empty").mkdir()
    assert run(job_of(tmp_path / "empty", MemoryStore())).exit_code == 0
    assert "nothing to process" in caplog.text


@pytest.mark.slow
def test_pages_made_during_a_run_are_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often they follow in a run, each figure is read as often as with pages at the end
    only: a long run does not make all pages again every ten minutes."""
    folder, read = tmp_path / "in", Counter[str]()
    folder.mkdir()
    for number in range(5):
        write_h5ad_csr(folder / f"m{number}.h5ad", counts(number))

    class Counting(MemoryStore):
        def read(self, key: str) -> bytes:
            read[key] += 1
            return super().read(key)

    found = []
    for every in (timedelta(days=1), timedelta(0)):
        monkeypatch.setattr("dpss.job.pages.PAGES_EVERY", every)
        read.clear()
        assert run(job_of(folder, Counting())).exit_code == 0
        found.append({key: n for key, n in read.items() if key.endswith(".png")})
    assert len(found[0]) == 5
    assert found[0] == found[1]
