"""A local folder as a store: a file is there whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from dpss.errors import UnreachableError
from dpss.storage.local import LocalStore


def files(root: Path) -> dict[str, bytes]:
    """Return the content of all files below a folder, hidden ones included."""
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """With its folders, readable by others, and nothing beside it."""
    store = LocalStore(tmp_path)
    for data in (b"1", b"22", b""):
        store.write("a/b/c.json", data)
        assert files(tmp_path) == {"a/b/c.json": data}
    assert (tmp_path / "a/b/c.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("moment", ["open", "fsync", "chmod", "replace"])
def test_an_interruption_leaves_the_file_as_it_was(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any moment of the writing: a signal raises its exception between any two steps."""
    store = LocalStore(tmp_path)
    store.write("a/b", b"old")
    owner: Any = os if moment == "fsync" else Path
    real = getattr(owner, moment)

    def interrupted(*arguments: Any, **more: Any) -> None:
        if moment == "open":  # It exists; nobody has its object yet.
            real(*arguments, **more).close()
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, moment, interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.write("a/b", b"new")
    monkeypatch.undo()
    assert files(tmp_path) == {"a/b": b"old"}


def test_what_cannot_be_written_says_where(tmp_path: Path) -> None:
    """A file where a folder should be."""
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(UnreachableError, match="can't be written"):
        LocalStore(tmp_path).write("a/b", b"1")
