"""Limits of control groups, in trees laid out as the kernel lays them out; memory is returned."""

from __future__ import annotations

import ctypes
import os
import platform
import random
from pathlib import Path
from unittest.mock import Mock

import pytest

from dpss.compute.cgroups import cpu_limit, memory_limit
from dpss.compute.machine import count_cpus, memory_bytes, return_freed_memory

UNLIMITED = 9223372036854771712
"""What version 1 writes where there is no limit."""
V1 = "32 31 0:29 {root} /sys/fs/cgroup/{name} rw,relatime - cgroup cgroup rw,{name}"
V2 = "41 31 0:38 {root} {mount} rw,relatime - cgroup2 cgroup2 rw"


def write(root: Path, files: dict[str, object]) -> Path:
    """Write files below a directory that stands for the machine's."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return root


LAYOUTS = {
    "v2, a container's own namespace": (
        {
            "proc/self/cgroup": "0::/",
            "proc/self/mountinfo": V2.format(root="/", mount="/sys/fs/cgroup"),
            "sys/fs/cgroup/memory.max": 536870912,
            "sys/fs/cgroup/cpu.max": "150000 100000",
        },
        536870912,
        1.5,
    ),
    "v2, a limit of a level between": (
        {
            "proc/self/cgroup": "0::/system.slice/job.service/worker",
            "proc/self/mountinfo": V2.format(root="/", mount="/sys/fs/cgroup"),
            "sys/fs/cgroup/system.slice/memory.max": 4 << 30,
            "sys/fs/cgroup/system.slice/job.service/memory.max": 1 << 30,
            "sys/fs/cgroup/system.slice/job.service/worker/memory.max": "max",
            "sys/fs/cgroup/system.slice/other.service/memory.max": 1 << 20,
            "sys/fs/cgroup/system.slice/job.service/cpu.max": "max 100000",
            "sys/fs/cgroup/system.slice/cpu.max": "50000 100000",
        },
        1 << 30,
        0.5,
    ),
    "v1, a host's group": (
        {
            "proc/self/cgroup": "5:cpu,cpuacct:/batch/job\n4:memory:/batch/job\n1:name=systemd:/",
            "proc/self/mountinfo": V1.format(root="/", name="memory")
            + "\n"
            + V1.format(root="/", name="cpu,cpuacct"),
            "sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED,
            "sys/fs/cgroup/memory/batch/memory.limit_in_bytes": 3 << 29,
            "sys/fs/cgroup/memory/batch/job/memory.limit_in_bytes": UNLIMITED,
            "sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_quota_us": 200000,
            "sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_period_us": 100000,
            "sys/fs/cgroup/cpu,cpuacct/batch/job/cpu.cfs_quota_us": -1,
            "sys/fs/cgroup/cpu,cpuacct/batch/job/cpu.cfs_period_us": 100000,
        },
        3 << 29,
        2.0,
    ),
    "v1, Docker without a namespace of its own: the host's path, the container's mount": (
        {
            "proc/self/cgroup": "4:memory:/docker/0a1b/inner",
            "proc/self/mountinfo": V1.format(root="/docker/0a1b", name="memory"),
            "sys/fs/cgroup/memory/memory.limit_in_bytes": 512 << 20,
            "sys/fs/cgroup/memory/inner/memory.limit_in_bytes": 256 << 20,
        },
        256 << 20,
        None,
    ),
    "v1, a limit above what is mounted": (
        {
            "proc/self/cgroup": "4:memory:/docker/0a1b",
            "proc/self/mountinfo": V1.format(root="/docker/0a1b", name="memory"),
            "sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED,
            "sys/fs/cgroup/memory/memory.stat": "cache 0\nhierarchical_memory_limit 805306368",
        },
        805306368,
        None,
    ),
    "hybrid: version 1 has the memory, version 2 is mounted beside it": (
        {
            "proc/self/cgroup": "4:memory:/jobs/a\n0::/jobs/a",
            "proc/self/mountinfo": V1.format(root="/", name="memory")
            + "\n"
            + V2.format(root="/", mount="/sys/fs/cgroup/unified"),
            "sys/fs/cgroup/memory/jobs/a/memory.limit_in_bytes": 700 << 20,
            "sys/fs/cgroup/unified/jobs/a/cgroup.procs": 1,
        },
        700 << 20,
        None,
    ),
    "a group outside the namespace": (
        {
            "proc/self/cgroup": "0::/../../other",
            "proc/self/mountinfo": V2.format(root="/../..", mount="/sys/fs/cgroup"),
            "sys/fs/cgroup/memory.max": 300 << 20,
        },
        300 << 20,
        None,
    ),
    "without the list of mounts": (
        {"proc/self/cgroup": "0::/a", "sys/fs/cgroup/a/memory.max": 400 << 20},
        400 << 20,
        None,
    ),
    "nonsense": (
        {
            "proc/self/cgroup": "?\n4:memory\n0::/",
            "proc/self/mountinfo": "what - cgroup2",
            "sys/fs/cgroup/memory.max": "?",
            "sys/fs/cgroup/cpu.max": "1 0",
        },
        None,
        None,
    ),
    "no control groups": ({}, None, None),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_smallest_limit_of_all_levels(tmp_path: Path, name: str) -> None:
    """Versions 1 and 2, alone and together, with namespaces and without."""
    files, memory, cpus = LAYOUTS[name]
    root = write(tmp_path, files)
    assert (memory_limit(root), cpu_limit(root)) == (memory, cpus)
    assert memory_bytes(root) == min(memory or 1 << 62, memory_bytes(tmp_path / "none"))
    assert 1 <= count_cpus(root) <= max(1, round(cpus or 10_000))


@pytest.mark.parametrize("seed", range(8))
def test_generated_trees(tmp_path: Path, seed: int) -> None:
    """Of groups nested at random the smallest limit on the way up holds, no sibling's."""
    rng = random.Random(seed)
    names = [f"g{rng.randrange(100)}" for _ in range(rng.randrange(1, 6))]
    unified = rng.random() < 0.5
    mount = "sys/fs/cgroup" if unified else "sys/fs/cgroup/memory"
    file, none = ("memory.max", "max") if unified else ("memory.limit_in_bytes", UNLIMITED)
    group = "/" + "/".join(names)
    files: dict[str, object] = {
        "proc/self/cgroup": f"0::{group}" if unified else f"7:hugetlb,memory:{group}",
        "proc/self/mountinfo": V2.format(root="/", mount="/sys/fs/cgroup")
        if unified
        else V1.format(root="/", name="memory"),
    }
    limits = []
    for depth in range(len(names) + 1):
        path = "/".join([mount, *names[:depth]])
        limit = rng.choice([none, rng.randrange(1 << 28, 1 << 34)])
        files[f"{path}/{file}"] = limit
        files[f"{path}/sibling/{file}"] = 1
        limits += [] if limit == none else [int(limit)]
    expected = min(limits, default=None if unified else UNLIMITED)
    assert memory_limit(write(tmp_path, files)) == expected


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_memory_between_blocks_that_stay_is_returned() -> None:
    """40 MB in small blocks, of which every thousandth stays."""
    blocks = [bytes(1000) for _ in range(40_000)]
    kept = blocks[::1000]
    before = _resident_bytes()
    del blocks
    return_freed_memory()
    assert _resident_bytes() < before - (20 << 20)
    assert len(kept) == 40


def test_another_c_library_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for fault in (OSError("none"), TypeError("none")):
        monkeypatch.setattr(ctypes, "CDLL", Mock(side_effect=fault))
        return_freed_memory()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    return_freed_memory()
