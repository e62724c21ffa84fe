"""What this process may use of the machine, and what it has used."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
from pathlib import Path

MAX_THREADS = 8
"""Most threads taken without being asked: each has sums of its own, a few MB."""

_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def count_cpus(quota: Path = _CPU_QUOTA) -> int:
    """Return how many processors this process may use: affinity, and a container's share."""
    if hasattr(os, "sched_getaffinity"):
        n_cpus = len(os.sched_getaffinity(0))
    else:
        n_cpus = os.cpu_count() or 1
    try:
        allowed, period = quota.read_text().split()
        n_cpus = min(n_cpus, max(1, round(int(allowed) / int(period))))
    except (OSError, ValueError):
        pass  # no such file, or "max": no limit
    return n_cpus


def memory_bytes(limit: Path = _MEMORY_LIMIT) -> int:
    """Return how much memory this process may use: the machine's, or a container's."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # no such file, or "max": no limit
        found = min(found, int(limit.read_text()))
    return found


def default_threads() -> int:
    """Return how many threads to use where nobody says."""
    return min(count_cpus(), MAX_THREADS)


def peak_memory_bytes() -> int:
    """Return the largest resident memory that this process has had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def return_memory_at_once() -> None:
    """Ask the C library to give large blocks back to the system as soon as they are freed.

    glibc would otherwise learn from the first large block that it frees to keep such
    blocks, in a heap for each thread: a third more memory for no gain in time. Where
    there is no glibc nothing happens.
    """
    mmap_threshold, trim_threshold = -3, -1
    try:
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_threshold, 1 << 20)
        # Of smaller blocks so much is kept: they come and go with every chunk.
        mallopt(trim_threshold, 16 << 20)
    except (OSError, AttributeError, TypeError):
        return
