"""Publishing deletes nothing, and no reader takes files of two publications for one."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from dpss.job.publication import Recipe, prune_files, publish, publish_parts, read_published
from dpss.model import MatrixRef
from dpss.storage.local import LocalStore
from dpss.storage.s3.store import S3Store
from dpss.summary.manifest import manifest_document, manifest_of
from tests.memory_store import MemoryStore
from tests.servers.moto_s3 import MotoS3


class PowerCut(BaseException):
    """The machine is gone: no clean-up runs either."""


class NoDelete(MemoryStore):
    """Refuses to delete, as a bucket does without ``s3:DeleteObject``; may lose power."""

    def __init__(self, fail_at: int | None = None) -> None:
        super().__init__()
        self.fail_at = fail_at
        self.states: list[dict[str, bytes]] = []

    def write(self, key: str, data: bytes) -> None:
        if self.fail_at is not None and len(self.states) >= self.fail_at:
            raise PowerCut
        self.states.append(state_of(self))
        super().write(key, data)

    def delete(self, key: str) -> None:
        raise AssertionError(f"{key} was deleted")


def state_of(store: MemoryStore) -> dict[str, bytes]:
    return {key: store.read(key) for key in store.sizes()}


RECIPE = Recipe("1", {"layer": None})


def publication(fingerprint: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return files with a summary that lists them."""
    document = {
        "matrix": {"fingerprint": fingerprint},
        "n_cells": 3,
        "n_genes": 2,
        "provenance": {"version": RECIPE.version, "settings": dict(RECIPE.settings)},
        "files": manifest_document(manifest_of(files)),
    }
    return {**files, "summary.json": json.dumps(document).encode()}


REF = MatrixRef("p", "m", "m.h5", "f1")
OLD = publication("f1", {"genes.csv": b"old", "knee.png": b"old", "violin.png": b"old"})
NEW = publication("f2", {"genes.csv": b"newer", "knee.png": b"newer", "knee.svg": b"newer"})


def listed_ones(state: Mapping[str, bytes]) -> str:
    """Return which publication is whole by an independent reading: its name, or ''."""
    document = json.loads(state["p/m/summary.json"])
    for name, entry in document["files"].items():
        data = state.get(f"p/m/{name}", b"?")
        if hashlib.sha256(data).hexdigest() != entry["sha256"] or len(data) != entry["size_bytes"]:
            return ""
    return str(document["matrix"]["fingerprint"])


@pytest.mark.parametrize("step", range(4))
def test_a_cut_at_any_step_is_noticed(step: int) -> None:
    """Cut at any write, what is there is the old, the new, or known to be neither; the next
    publication ends it. Nothing is deleted."""
    store = NoDelete()
    publish(store, "p/m", OLD)
    store.states.clear()
    store.fail_at = step
    with pytest.raises(PowerCut):
        publish(store, "p/m", NEW)
    store.fail_at = None
    for state in (*store.states, state_of(store)):
        between = MemoryStore()
        for key, data in state.items():
            between.write(key, data)
        found = read_published(between, REF)
        assert (found.fingerprint if found else "") == listed_ones(state)
    publish(store, "p/m", NEW)
    assert listed_ones(state_of(store)) == "f2"


@pytest.mark.parametrize("seed", range(10))
def test_any_file_that_is_missing_or_has_another_size_is_noticed(seed: int) -> None:
    """Whatever file of whatever publication is lost or cut, the matrix is made again."""
    chance = random.Random(seed)
    names = [f"{chance.getrandbits(32):x}.png" for _ in range(chance.randint(1, 20))]
    files = {name: chance.randbytes(chance.randint(1, 99)) for name in names}
    store = MemoryStore()
    publish(store, "p/m", publication("f1", files))
    assert read_published(store, REF) is not None
    victim = chance.choice(names)
    if chance.random() < 0.5:
        store.delete(f"p/m/{victim}")
    else:
        store.write(f"p/m/{victim}", files[victim][:-1])
    assert read_published(store, REF) is None


def test_others_files_in_the_same_folder_stay() -> None:
    """Pages and other matrices below the folder are none of a publication's business, nor
    of pruning, which removes what an earlier publication left."""
    store = MemoryStore()
    for key in ("p/index.html", "p/other/summary.json", "p/other/knee.png", "p/report.html"):
        store.write(key, b"theirs")
    publish(store, "p", OLD)
    publish(store, "p", NEW)
    assert store.read("p/violin.png") == b"old"
    assert prune_files(store, "p") == ["p/violin.png"]
    assert store.read("p/index.html") == store.read("p/other/knee.png") == b"theirs"
    assert "p/violin.png" not in list(store.keys())
    assert {key for key in store.keys("p/") if key.endswith((".png", ".svg"))} == {
        "p/knee.png",
        "p/knee.svg",
        "p/other/knee.png",
    }


def test_parts_are_vouched_for_together() -> None:
    """A file with several matrices is published when the last of them is."""
    store = NoDelete()
    assert read_published(store, REF) is None
    publish(store, "p/m.a", OLD)
    assert read_published(store, REF) is None
    reasons = {"m.a": None, "m.b": "no counts"}
    publish_parts(store, REF, RECIPE, reasons, {"m.a": OLD["summary.json"]})
    found = read_published(store, REF)
    assert found is not None
    assert (found.fingerprint, found.recipe, found.folders) == ("f1", RECIPE, ("p/m.a",))
    publish(store, "p/m.a", NEW)
    assert read_published(store, REF) is None


def test_of_two_publications_of_a_file_the_fitting_one_counts() -> None:
    """A file held one matrix, then several, then the one again: each time it is unchanged once
    it is published, though nothing of before is deleted."""
    store = NoDelete()
    second = MatrixRef("p", "m", "m.h5", "f2")
    publish(store, "p/m", OLD)
    publish(store, "p/m.a", NEW)
    publish_parts(store, second, RECIPE, {"m.a": None}, {"m.a": NEW["summary.json"]})
    for ref, folders in ((REF, ("p/m",)), (second, ("p/m.a",))):
        found = read_published(store, ref, RECIPE)
        assert found is not None
        assert (found.fingerprint, found.folders) == (ref.fingerprint, folders)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff", b'{"matrix": {}}', b"null"])
@pytest.mark.parametrize("name", ["summary.json", "matrices.json"])
def test_what_cannot_be_read_counts_as_nothing(name: str, data: bytes) -> None:
    """A damaged summary is as good as none."""
    store = MemoryStore()
    store.write(f"p/m/{name}", data)
    assert read_published(store, REF) is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_two_runs_with_different_inputs_leave_one_matrix(tmp_path: Path, seed: int) -> None:
    """Both publish the same matrix at the same time: at the end it's all of one of them."""
    versions = [
        {name: f"{name} of {run}".encode() for name in (*FIGURES, "genes.csv", "summary.json")}
        for run in "ab"
    ]
    stores = [Slow(tmp_path, seed + number) for number in range(2)]
    threads = [
        threading.Thread(target=publish, args=(store, "p/m", files))
        for store, files in zip(stores, versions, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {path.name: path.read_bytes() for path in (tmp_path / "p" / "m").iterdir()}
    assert found in versions


FIGURES = tuple(f"{number}.png" for number in range(6))


class Slow(LocalStore):
    """A folder that takes its time, so that two runs get in each other's way."""

    def __init__(self, root: Path, seed: int) -> None:
        super().__init__(root)
        self.chance = random.Random(seed)

    def write(self, key: str, data: bytes) -> None:
        time.sleep(self.chance.uniform(0, 0.02))
        super().write(key, data)


def test_objects_are_put_side_by_side_the_summary_last(s3: MotoS3, bucket: str) -> None:
    """A matrix's files go to S3 together; what somebody else wrote meanwhile is found out."""
    store = S3Store(bucket, "x")
    files = {name: name.encode() for name in (*FIGURES, "genes.csv", "summary.json")}
    publish(store, "p/m", files)
    objects = s3.client.list_objects_v2(Bucket=bucket, Prefix="x/p/m/")["Contents"]
    assert {item["Key"].rpartition("/")[2] for item in objects} == files.keys()
    newest = max(objects, key=lambda item: item["LastModified"])["LastModified"]
    (summary,) = [item for item in objects if item["Key"].endswith("summary.json")]
    assert summary["LastModified"] == newest
    store.write_all({f"p/m/{name}": data for name, data in files.items()})
    S3Store(bucket, "x").write("p/m/3.png", b"another run's")
    assert store.changed_keys([f"p/m/{name}" for name in files]) == ["p/m/3.png"]
