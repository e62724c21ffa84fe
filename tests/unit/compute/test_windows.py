"""Memory as Windows tells it: its structures are filled as its library does."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

import pytest

from dpss.compute import machine, windows


def library(total: int, peak: int, *, works: bool = True) -> Any:
    """Return what answers as ``kernel32``."""

    def status(pointer: Any) -> int:
        found = pointer._obj
        assert found.length == ctypes.sizeof(found) == 64
        found.total_physical = total
        return int(works)

    def counters(handle: Any, pointer: Any, size: Any) -> int:
        found = pointer._obj
        assert handle.value == 2 ** (8 * ctypes.sizeof(ctypes.c_void_p)) - 1
        assert found.length == size.value == ctypes.sizeof(found) == 72
        found.peak_working_set = peak
        return int(works)

    return SimpleNamespace(GlobalMemoryStatusEx=status, K32GetProcessMemoryInfo=counters)


@pytest.mark.parametrize("n_bytes", [1 << 20, 8 << 30, (1 << 40) + 1])
def test_the_sizes_are_those_of_the_structures(n_bytes: int) -> None:
    """Sizes beyond 4 GiB come back whole."""
    kernel = library(n_bytes, n_bytes - 1)
    assert windows.total_memory(kernel) == n_bytes
    assert windows.peak_memory(kernel) == n_bytes - 1


def test_a_refusal_is_not_a_size() -> None:
    """Where the library refuses, or is not there, nothing is known."""
    kernel = library(1, 1, works=False)
    assert windows.total_memory(kernel) is windows.peak_memory(kernel) is None
    assert windows.total_memory() is windows.peak_memory() is None


def test_the_machine_without_posix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `sysconf` and `resource` Windows is asked; then a small machine is assumed."""
    monkeypatch.setattr(machine, "resource", None)
    monkeypatch.delattr("os.sysconf")
    assert machine.peak_memory_bytes() == 0
    assert machine.memory_bytes() <= machine.ASSUMED_MEMORY
    kernel = library(3 << 30, 5 << 20)
    monkeypatch.setattr(windows, "_kernel", lambda: kernel)
    assert machine.peak_memory_bytes() == 5 << 20
    assert machine.memory_bytes() <= 3 << 30
