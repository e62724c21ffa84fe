"""Locks on files: of this system, and as another one's functions are called."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from dpss.storage import file_lock
from dpss.storage.scratch import Scratch
from dpss.storage.scratch_folders import remove_abandoned


def test_a_second_lock_is_refused_until_the_first_file_is_closed(tmp_path: Path) -> None:
    """A lock holds as long as its file is open, and `wait=False` says so at once."""
    first, second = (os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR) for _ in range(2))
    file_lock.lock(first)
    with pytest.raises(OSError):
        file_lock.lock(second, wait=False)
    os.close(first)
    file_lock.lock(second, wait=False)
    os.close(second)


def only(**others: object) -> Callable[[str], object]:
    """Return what finds modules on a system that has only these."""
    return others.get


@pytest.mark.parametrize(("wait", "mode"), [(True, 1), (False, 2)])
def test_windows_locks_a_byte(wait: bool, mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without POSIX's locks the first byte is locked by the function of Windows."""
    asked = []
    windows = SimpleNamespace(LK_LOCK=1, LK_NBLCK=2, locking=lambda *a: asked.append(a))
    monkeypatch.setattr(file_lock, "_module", only(msvcrt=windows))
    file_lock.lock(7, wait=wait)
    assert (asked, file_lock.can_lock()) == ([(7, mode, 1)], True)


def test_without_locks_no_folder_of_another_program_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing tells whether a folder's program still runs, the folder stays."""
    monkeypatch.setattr(file_lock, "_module", only())
    with Scratch(parent=tmp_path) as scratch:
        folder = scratch._make_folder()
        remove_abandoned(tmp_path)
        assert folder.is_dir()
    assert not folder.exists()
