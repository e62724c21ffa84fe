"""Processors and memory that this process may use, and the memory it has used."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from dpss.compute import windows
from dpss.compute.cgroups import cpu_limit, memory_limit

resource: Any
try:
    resource = import_module("resource")
except ImportError:  # Windows has none.
    resource = None

MAX_THREADS = 8
"""Most threads by default; each needs a few MB for its sums."""

ASSUMED_MEMORY = 4 << 30
"""Bytes of memory assumed where the system does not state them."""

_ROOT = Path("/")


def count_cpus(root: Path = _ROOT) -> int:
    """Return the number of processors allowed by affinity and cgroup limits.

    Args:
        root: The directory that holds ``proc`` and ``sys``.
    """
    if hasattr(os, "sched_getaffinity"):
        n_cpus = len(os.sched_getaffinity(0))
    else:
        n_cpus = os.cpu_count() or 1
    allowed = cpu_limit(root)
    return n_cpus if allowed is None else min(n_cpus, max(1, round(allowed)))


def memory_bytes(root: Path = _ROOT) -> int:
    """Return the memory of the machine, or a container's limit, in bytes.

    Args:
        root: The directory that holds ``proc`` and ``sys``.
    """
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        found = windows.total_memory() or ASSUMED_MEMORY
    limit = memory_limit(root)
    return found if limit is None else min(found, limit)


def default_threads() -> int:
    """Return the default number of threads."""
    return min(count_cpus(), MAX_THREADS)


def peak_memory_bytes() -> int:
    """Return the largest resident memory so far, in bytes; 0 if not known."""
    if resource is None:
        return windows.peak_memory() or 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024


def return_memory_at_once() -> None:
    """Ask the C library to return large freed blocks to the system at once.

    By default glibc keeps large freed blocks, in a heap for each thread, which costs a third more
    memory and saves no time. One heap is enough: Python's threads allocate in turn, and a block
    that one has freed serves the next. Threads that are running keep theirs. Without glibc nothing
    happens.
    """
    mmap_threshold, trim_threshold, most_heaps = -3, -1, -8
    try:
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(most_heaps, 1)
        mallopt(mmap_threshold, 1 << 20)
        # Freed bytes that are kept for smaller blocks, which every chunk allocates.
        mallopt(trim_threshold, 16 << 20)
    except (OSError, AttributeError, TypeError):
        return


def return_freed_memory() -> None:
    """Ask the C library to give all freed memory back to the system, once.

    After many blocks were read glibc holds up to 16 MiB of freed memory, in pieces between others
    as well. Without glibc nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
