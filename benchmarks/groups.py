"""A real memory limit: a cgroup of our own where one may be made, else RLIMIT_DATA."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.measuring import Limits

CGROUP, RLIMIT = "cgroup", "RLIMIT_DATA"
_PATIENCE_SECONDS = 10


@contextmanager
def limited(limits: Limits, n_bytes: int) -> Iterator[tuple[Limits, str]]:
    """Yield limits that hold a command to so much memory, and how they do it.

    A cgroup counts what is resident and the page cache, of which the kernel gives up what it can;
    a process that still needs more is killed. RLIMIT_DATA counts what was asked for, touched or
    not, and is therefore the stricter one: asking for more fails.
    """
    group = _make_group(n_bytes)
    if group is None:
        yield replace(limits, data_bytes=n_bytes), RLIMIT
        return
    try:
        yield replace(limits, group=str(group)), CGROUP
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Remove a group as soon as the last of its processes is gone."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            group.rmdir()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _make_group(n_bytes: int) -> Path | None:
    """Make a group with a limit below our own one, ``None`` where that's not allowed."""
    for parent, limit, swap in _places():
        group = parent / f"dpss-bench-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(n_bytes))
            if (group / swap[0]).exists():
                (group / swap[0]).write_text(swap[1].format(n_bytes))
        except OSError:
            group.rmdir()
            continue
        return group
    return None


def _places() -> Iterator[tuple[Path, str, tuple[str, str]]]:
    """Yield where a group could be made, with its files for the limits of memory and of swap."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        inner = path.lstrip("/")
        if "memory" in controllers.split(","):
            swap = ("memory.memsw.limit_in_bytes", "{}")
            yield Path("/sys/fs/cgroup/memory", inner), "memory.limit_in_bytes", swap
        elif number == "0":
            yield Path("/sys/fs/cgroup", inner), "memory.max", ("memory.swap.max", "0")
