"""Folders of scratch space: none in use is removed, at whatever moment another program looks."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.storage import scratch_folders
from dpss.storage.file_lock import lock
from dpss.storage.scratch import Scratch
from dpss.storage.scratch_folders import (
    is_in_memory,
    make_locked_folder,
    remove_abandoned,
    remove_folder,
)
from tests.examples import examples

MOMENTS = ("before the file", "before the lock", "after the lock")


def let_another_look(patch: pytest.MonkeyPatch, parent: Path, moments: list[str]) -> list[str]:
    """Make another program look for abandoned folders at a moment of each attempt to make one.

    Returns:
        The moments to come; empty when each has been.
    """
    coming = list(moments)

    def at(moment: str) -> None:
        if coming[:1] == [moment]:
            del coming[0]
            remove_abandoned(parent)

    def make(**how: Any) -> str:
        made = tempfile.mkdtemp(**how)
        at("before the file")
        return made

    def take(descriptor: int, *, wait: bool = True) -> None:
        if wait:
            at("before the lock")
        lock(descriptor, wait=wait)
        if wait:
            at("after the lock")

    patch.setattr(scratch_folders, "tempfile", SimpleNamespace(mkdtemp=make))
    patch.setattr(scratch_folders, "lock", take)
    return coming


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_folder_in_use_stays_whenever_another_program_looks(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program looks while the folder has no lock yet: what is copied to it stays."""
    coming = let_another_look(monkeypatch, tmp_path, [moment])
    with Scratch(9, tmp_path) as scratch, scratch.folder() as folder:
        (folder / "copy").write_bytes(b"x")
        remove_abandoned(tmp_path)
        assert not coming
        assert (folder / "copy").read_bytes() == b"x"
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.sampled_from(MOMENTS), max_size=6))
def test_whatever_others_do_meanwhile(moments: list[str]) -> None:
    """Others look several times, at any moments: what is returned is there, and locked."""
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        parent = Path(made)
        let_another_look(patch, parent, moments)
        folder, lock_file = make_locked_folder(parent)
        remove_abandoned(parent)
        assert list(parent.iterdir()) == [folder]
        assert os.path.samestat(os.fstat(lock_file), (folder / ".lock").stat())
        os.close(lock_file)
        remove_abandoned(parent)
        assert list(parent.iterdir()) == []


def test_what_is_left_of_a_removal_is_found_again(tmp_path: Path) -> None:
    """A program that is killed while it removes its folder leaves the lock's file to the last."""
    folder, lock_file = make_locked_folder(tmp_path)
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "copy").write_bytes(b"x")
    code = (
        "import os, shutil, sys; from pathlib import Path\n"
        "from dpss.storage import scratch_folders\n"
        "remove = shutil.rmtree\n"
        "def once(*a, **k): remove(*a, **k); os.kill(os.getpid(), 9)\n"
        "shutil.rmtree = once; scratch_folders.remove_folder(Path(sys.argv[1]))"
    )
    os.close(lock_file)
    subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    assert len(list(folder.iterdir())) == 2
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_lock_is_removed_if_it_is_empty(tmp_path: Path) -> None:
    """A program that was killed between folder and lock left nothing in it."""
    (tmp_path / "dpss-scratch-a").mkdir()
    (tmp_path / "dpss-scratch-b").mkdir()
    (tmp_path / "dpss-scratch-b" / "of-another-program").write_bytes(b"x")
    remove_abandoned(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["dpss-scratch-b"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link in place of a folder, or within one, costs no file elsewhere."""
    other = tmp_path / "other"
    other.mkdir()
    for name in (".lock", "kept"):
        (other / name).write_bytes(b"x")
    parent = tmp_path / "scratch"
    parent.mkdir()
    (parent / "dpss-scratch-link").symlink_to(other)
    folder, lock_file = make_locked_folder(parent)
    (folder / "link").symlink_to(other)
    os.close(lock_file)
    remove_abandoned(parent)
    assert sorted(path.name for path in other.iterdir()) == [".lock", "kept"]
    assert [path.name for path in parent.iterdir()] == ["dpss-scratch-link"]
    remove_folder(other)
    assert not other.exists()


MOUNTS = r"""22 1 8:1 / / rw - ext4 /dev/sda1 rw
30 22 0:25 / {tmp} rw,nosuid shared:5 - tmpfs tmpfs rw
31 30 8:2 / {tmp}/disk rw - xfs /dev/sdb rw
32 30 8:2 / {tmp}/with\040blank rw - ext4 /dev/sdb rw
33 32 0:26 / {tmp}/with\040blank rw - ramfs none rw
a line of another form
short
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("", True), ("sub/folder", True), ("disk", False), ("disk/sub", False), ("diskless", True),
     ("with blank", True), ("..", False)],
)  # fmt: skip
def test_folders_in_memory(tmp_path: Path, folder: str, expected: bool) -> None:
    """The innermost mount counts, and of two at a place the later one."""
    mounts = tmp_path / "mounts.txt"
    mounts.write_text(MOUNTS.format(tmp=tmp_path))
    assert is_in_memory(tmp_path / folder, mounts) == expected


def test_a_system_that_does_not_tell_has_no_folder_in_memory(tmp_path: Path) -> None:
    """Other systems than Linux have no such file."""
    assert not is_in_memory(tmp_path, tmp_path / "missing")
