"""Folders of scratch space, which a lock keeps while their program runs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from dpss.storage.file_lock import can_lock, lock

_PREFIX = "dpss-scratch-"
_LOCK = ".lock"


def make_locked_folder(parent: Path) -> tuple[Path, int]:
    """Make an empty folder; return it and the descriptor that locks it until closed.

    Another program may remove the folder before it is locked, as `remove_abandoned` can't tell
    it from one that was left. Then another one is made.

    Raises:
        OSError: No folder can be made, or locked.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        try:
            lock_file = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        except FileNotFoundError:
            continue
        try:
            lock(lock_file)
            if _is_there(folder / _LOCK, lock_file):
                return folder, lock_file
        except BaseException:
            os.close(lock_file)
            raise
        os.close(lock_file)


def is_in_memory(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Return whether the system says that a folder's files lie in memory (tmpfs)."""
    found, found_kind = Path("/"), ""
    with contextlib.suppress(OSError, UnicodeError):
        for line in mounts.read_text("utf-8").splitlines():
            before, _, rest = line.partition(" - ")
            fields = before.split(" ")
            point = Path(re.sub(r"\\([0-7]{3})", _unescaped, "".join(fields[4:5])))
            # A later line hides an earlier one of the same place.
            if folder.resolve().is_relative_to(point) and point.is_relative_to(found):
                found, found_kind = point, rest.partition(" ")[0]
    return found_kind in ("tmpfs", "ramfs")


def _unescaped(octal: re.Match[str]) -> str:
    return chr(int(octal[1], 8))


def remove_folder(folder: Path) -> None:
    """Remove a folder and all that is in it, as far as the system allows.

    The file of the lock goes last: if the program is killed meanwhile, the next one finds the
    rest by it. Windows keeps that file until it is closed.
    """
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.name == _LOCK:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    remove_emptied(folder)


def remove_emptied(folder: Path) -> None:
    """Remove a folder and the file of its lock, if nothing else is in it.

    By its lock the next program finds what could not be removed.
    """
    with contextlib.suppress(OSError):
        if all(path.name == _LOCK for path in folder.iterdir()):
            (folder / _LOCK).unlink(missing_ok=True)
            folder.rmdir()


def remove_abandoned(parent: Path) -> None:
    """Remove scratch folders of programs that were killed.

    Each running program holds a lock within its own folder. On a system without file
    locks nothing is removed, nor are folders of another user.
    """
    if not can_lock():
        return
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if not _is_own(folder):
                continue
            try:
                lock_file = os.open(folder / _LOCK, os.O_RDWR)
            except FileNotFoundError:
                # Killed before it had a lock; one that is about to lock it makes another.
                folder.rmdir()
                continue
            try:
                lock(lock_file, wait=False)
                remove_folder(folder)
            finally:
                os.close(lock_file)
            # Windows removes no open file. A program that waited for the lock may hold it by
            # now, so nothing else is removed.
            remove_emptied(folder)


def _is_there(path: Path, descriptor: int) -> bool:
    """Return whether an open file still has its name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _is_own(folder: Path) -> bool:
    """Return whether a path is a folder of this user, and no link to one."""
    entry = folder.lstat()
    user = getattr(os, "geteuid", None)
    return not folder.is_symlink() and (user is None or entry.st_uid == user())
