"""Memory of the machine and of this process on Windows, from its C interface."""

from __future__ import annotations

import ctypes
from typing import Any


class MemoryStatus(ctypes.Structure):
    """``MEMORYSTATUSEX``: memory of the machine, in bytes."""

    _fields_ = [
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total_physical", ctypes.c_uint64),
        ("available_physical", ctypes.c_uint64),
        ("total_page_file", ctypes.c_uint64),
        ("available_page_file", ctypes.c_uint64),
        ("total_virtual", ctypes.c_uint64),
        ("available_virtual", ctypes.c_uint64),
        ("available_extended_virtual", ctypes.c_uint64),
    ]


class MemoryCounters(ctypes.Structure):
    """``PROCESS_MEMORY_COUNTERS``: memory of a process, in bytes."""

    _fields_ = [
        ("length", ctypes.c_uint32),
        ("page_faults", ctypes.c_uint32),
        ("peak_working_set", ctypes.c_size_t),
        ("working_set", ctypes.c_size_t),
        ("peak_paged_pool", ctypes.c_size_t),
        ("paged_pool", ctypes.c_size_t),
        ("peak_nonpaged_pool", ctypes.c_size_t),
        ("nonpaged_pool", ctypes.c_size_t),
        ("pagefile", ctypes.c_size_t),
        ("peak_pagefile", ctypes.c_size_t),
    ]


def total_memory(kernel: Any = None) -> int | None:
    """Return the machine's memory in bytes; ``None`` where it can't be read.

    Args:
        kernel: The library ``kernel32``; the system's by default.
    """
    status = MemoryStatus(length=ctypes.sizeof(MemoryStatus))
    kernel = kernel or _kernel()
    if kernel is None or not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.total_physical)


def peak_memory(kernel: Any = None) -> int | None:
    """Return the process's peak memory in bytes; ``None`` where it can't be read.

    Args:
        kernel: The library ``kernel32``; the system's by default.
    """
    counters = MemoryCounters(length=ctypes.sizeof(MemoryCounters))
    kernel = kernel or _kernel()
    if kernel is None:
        return None
    # The handle of this process is a pointer with all bits set.
    this_process = ctypes.c_void_p(-1)
    size = ctypes.c_uint32(ctypes.sizeof(counters))
    if not kernel.K32GetProcessMemoryInfo(this_process, ctypes.byref(counters), size):
        return None
    return int(counters.peak_working_set)


def _kernel() -> Any:
    """Return ``kernel32``, ``None`` where there is none."""
    try:
        return ctypes.WinDLL("kernel32")  # type: ignore[attr-defined, unused-ignore]
    except (AttributeError, OSError):
        return None
