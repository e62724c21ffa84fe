"""A reader of the output never finds a summary beside files that it does not belong to."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest

from dpss.model import MatrixRef
from dpss.publication import Recipe, publish, publish_parts, read_published, withdraw_parts
from dpss.stores.local import LocalStore
from dpss.stores.memory import MemoryStore
from dpss.stores.s3_store import S3Store
from tests.servers.moto_s3 import MotoS3


class PowerCut(BaseException):
    """The machine is gone: no clean-up runs either."""


class Recorder(MemoryStore):
    """Shows every state in between, and may lose power at one of the steps."""

    def __init__(self, fail_at: int | None = None) -> None:
        super().__init__()
        self.fail_at = fail_at
        self.states: list[dict[str, bytes]] = []

    def _step(self) -> None:
        if self.fail_at is not None and len(self.states) >= self.fail_at:
            raise PowerCut
        self.states.append({key: MemoryStore.read(self, key) for key in self.keys()})

    def write(self, key: str, data: bytes) -> None:
        self._step()
        super().write(key, data)

    def delete(self, key: str) -> None:
        self._step()
        super().delete(key)


OLD = {"genes.csv": b"old", "knee.png": b"old", "violin.png": b"old", "summary.json": b"old"}
NEW = {"genes.csv": b"new", "knee.png": b"new", "knee.svg": b"new", "summary.json": b"new"}


def is_consistent(state: dict[str, bytes]) -> bool:
    """Tell whether a summary, if there is one, stands beside its own files only."""
    vouched = state.get("p/m/summary.json")
    files = {k.removeprefix("p/m/"): v for k, v in state.items() if k.startswith("p/m/")}
    return vouched is None or files == (OLD if vouched == b"old" else NEW)


@pytest.mark.parametrize("step", range(6))
def test_no_state_in_between_is_wrong(step: int) -> None:
    """Cut short at any step, what is there is the old, the new, or without a summary."""
    store = Recorder()
    publish(store, "p/m", OLD)
    store.states.clear()
    store.fail_at = step
    with pytest.raises(PowerCut):
        publish(store, "p/m", NEW)
    store.fail_at = None
    left = {key: store.read(key) for key in store.keys("")}
    assert all(is_consistent(state) for state in (*store.states, left))
    publish(store, "p/m", NEW)
    assert {key: store.read(key) for key in store.keys("")} == {
        f"p/m/{name}": data for name, data in NEW.items()
    }


def test_others_files_in_the_same_folder_stay() -> None:
    """Pages and other matrices below the folder are none of a publication's business."""
    store = MemoryStore()
    for key in ("p/index.html", "p/other/summary.json", "p/other/knee.png", "p/report.html"):
        store.write(key, b"theirs")
    publish(store, "p", OLD)
    publish(store, "p", NEW)
    assert store.read("p/index.html") == store.read("p/other/knee.png") == b"theirs"
    assert "p/violin.png" not in list(store.keys())


REF = MatrixRef("p", "m", "m.h5", "f1")
RECIPE = Recipe("1", {"layer": None})


def test_parts_are_vouched_for_together() -> None:
    """A file with several matrices is published when the last of them is."""
    store = MemoryStore()
    assert read_published(store, REF) is None
    publish(store, "p/m.a", OLD)
    assert read_published(store, REF) is None
    publish_parts(store, REF, RECIPE, {"m.a": None, "m.b": "no counts"})
    found = read_published(store, REF)
    assert found is not None
    assert (found.fingerprint, found.recipe) == ("f1", RECIPE)
    withdraw_parts(store, REF, ["m.c"])
    assert read_published(store, REF) is None
    assert list(store.keys()) == []


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff", b'{"matrix": {}}', b"null"])
def test_what_cannot_be_read_counts_as_nothing(data: bytes) -> None:
    """A damaged summary is as good as none."""
    store = MemoryStore()
    store.write("p/m/summary.json", data)
    assert read_published(store, REF) is None


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
    assert store.overwritten([f"p/m/{name}" for name in files]) == ["p/m/3.png"]
