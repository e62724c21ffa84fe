"""A reader of the output never finds a summary beside files that it does not belong to."""

from __future__ import annotations

import pytest

from dpss.model import MatrixRef
from dpss.publication import Recipe, publish, publish_parts, read_published, withdraw_parts
from dpss.stores.memory import MemoryStore


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
