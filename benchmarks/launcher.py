"""Runs one command and measures it: a small process between the measurer and the measured.

Standard library only, and started anew for each command. Linux counts what a process held before
it became another program (`exec`) into its peak, so that the child of a large process would seem
large itself; this one is small. It reads what to do from standard input and prints what came of
it, both as JSON.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

POLL_SECONDS = 0.02
TREE_SECONDS = 0.1
ORPHAN_SECONDS = 2.0
PR_SET_CHILD_SUBREAPER = 36


def main():
    """Run the command; see `benchmarks.measuring.measure` for what the keys mean."""
    task = json.load(sys.stdin)
    if task["cpus"]:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: task["cpus"]])
    if task["data_limit_bytes"]:
        limit = task["data_limit_bytes"]
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    adopt_orphans()
    with Path(task["output"]).open("wb") as output:
        start = time.monotonic()
        # In a session of its own, so that it can be ended with all that it started.
        child = subprocess.Popen(
            task["command"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=task["folder"],
            start_new_session=True,
            preexec_fn=(lambda: join(task["group"])) if task["group"] else None,  # noqa: PLW1509
        )
        ended_for, looked, together = "", 0.0, 0
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            seconds = time.monotonic() - start
            if pid:
                break
            if not ended_for and seconds > task["time_limit_seconds"]:
                ended_for = "time"
            elif not ended_for and resident_bytes(child.pid) > task["memory_limit_bytes"]:
                ended_for = "memory"
            if seconds - looked > TREE_SECONDS:
                looked, together = seconds, max(together, session_bytes(child.pid))
            if ended_for:
                os.killpg(child.pid, signal.SIGKILL)
            time.sleep(min(POLL_SECONDS, 0.001 + seconds / 50))
    orphans = cpu_seconds_of_orphans()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # what it left behind, if anything
    alone = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    json.dump(
        {
            "code": os.waitstatus_to_exitcode(status),
            "ended_for": ended_for,
            "wall_seconds": seconds,
            "cpu_seconds": usage.ru_utime + usage.ru_stime + orphans,
            "peak_bytes": max(together, alone),
            "largest_process_bytes": alone,
        },
        sys.stdout,
    )


def adopt_orphans():
    """Become the parent of what the command leaves behind, so that its time is known (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def cpu_seconds_of_orphans():
    """Wait a moment for what the command left behind to end; return its processor time."""
    total = 0.0
    deadline = time.monotonic() + ORPHAN_SECONDS
    while time.monotonic() < deadline:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid:
            total += usage.ru_utime + usage.ru_stime
        else:
            time.sleep(POLL_SECONDS)
    return total


def join(group):
    """Move this process into a cgroup."""
    Path(group, "cgroup.procs").write_text(str(os.getpid()))


def session_bytes(pid):
    """Return what all processes of a session hold, what they share counted once.

    A single process is left to the kernel, which knows its peak to the page: 0.
    """
    members = []
    for place in os.listdir("/proc") if Path("/proc/self/stat").exists() else ():  # noqa: PTH208
        if place.isdecimal():
            try:
                fields = Path("/proc", place, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[3] == str(pid) and fields[0] != "Z":
                members.append(place)
    return sum(proportional_bytes(member) for member in members) if len(members) > 1 else 0


def proportional_bytes(pid):
    """Return a process's resident memory, with its part of what it shares."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return resident_bytes(pid)
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def resident_bytes(pid):
    """Return a process's resident memory, 0 where nobody can tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


if __name__ == "__main__":
    main()
