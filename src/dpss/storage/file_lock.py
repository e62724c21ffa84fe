"""Exclusive locks on open files, by the functions of POSIX or of Windows."""

from __future__ import annotations

import importlib
from typing import Any


def lock(descriptor: int, *, wait: bool = True) -> None:
    """Lock an open file for this process; the lock ends when the file is closed.

    On a system without file locks nothing happens.

    Args:
        descriptor: Of a file opened for writing.
        wait: Whether to wait for another process that holds the lock.

    Raises:
        OSError: Another process holds the lock, and ``wait`` is false.
    """
    if posix := _module("fcntl"):
        posix.flock(descriptor, posix.LOCK_EX | (0 if wait else posix.LOCK_NB))
    elif windows := _module("msvcrt"):
        # Windows locks a range of bytes: one, which may lie beyond the end.
        windows.locking(descriptor, windows.LK_LOCK if wait else windows.LK_NBLCK, 1)


def can_lock() -> bool:
    """Return whether this system has file locks."""
    return _module("fcntl") is not None or _module("msvcrt") is not None


def _module(name: str) -> Any:
    """Return a module of the standard library, ``None`` where the system has none."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
