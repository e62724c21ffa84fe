"""A run of the job that is watched: its memory, what it says, and what the server is asked."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_REQUEST = re.compile(r'"([A-Z]+) (\S+) HTTP/1\.\d" (\d+)')
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_OUTCOME = re.compile(r"^(\S+): (published|unchanged|skipped|failed)\b")
_BEGUN = re.compile(r"^(\S+): begun\b")
LOOK_SECONDS = 0.2
LEFT_SECONDS = 15.0
"""How long a killed command's processes may take to end themselves."""


@dataclass(frozen=True)
class Ended:
    """What a run took, and what it said."""

    seconds: float
    code: int
    peak_bytes: int
    outcomes: Mapping[str, str]
    """By project."""
    begun: Sequence[str]
    """Projects in the order in which they were begun."""
    left: Sequence[str]
    """Processes that were left when it had ended."""


def kind_of(method: str, address: str) -> str:
    """Return what S3 bills a request as."""
    if method == "GET" and "list-type=" in address:
        return "LIST"
    return "DELETE" if method == "POST" and "delete" in address else method


def requests_of(log: Path, start: int) -> tuple[Counter[str], int]:
    """Count the requests that a server logged after a position, and return the new one."""
    data = log.read_bytes()
    lines = data[start:].decode(errors="replace").splitlines()
    found = (_REQUEST.search(_COLOURS.sub("", line)) for line in lines)
    return Counter(kind_of(m[1], m[2]) for m in found if m), len(data)


def processes_of(session: int) -> Iterator[Path]:
    """Yield the folders in ``/proc`` of a session's processes."""
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if folder.name.isdigit() and int(fields[3]) == session and fields[0] != "Z":
                yield folder


def memory_of(session: int) -> int:
    """Return the memory of a session's processes in bytes, shared pages counted once."""
    total = 0
    for folder in processes_of(session):
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+)", (folder / "smaps_rollup").read_text(), re.MULTILINE)
            total += 1024 * int(found[1]) if found else 0
    return total


def messages_of(log: Path) -> Iterator[str]:
    """Yield the messages of a log of JSON lines, as far as it is written."""
    for line in log.read_text(errors="replace").splitlines():
        with contextlib.suppress(ValueError, TypeError, KeyError):
            yield str(json.loads(line)["message"])


def run_watched(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    group: str = "",
    cut: tuple[int, int] | None = None,
) -> Ended:
    """Run a command that logs JSON lines to its end.

    Args:
        command: The command.
        environment: What it gets besides this process's environment.
        folder: Where its log is kept.
        group: A cgroup to run in; empty for none.
        cut: A signal, and after how many published matrices it is sent to the command.
    """
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DPSS_"))}
    if group:
        join = f'echo $$ > {group}/cgroup.procs; exec "$@"'
        command = ["sh", "-c", join, "sh", *command]
    said, start, peak = folder / "said.log", time.monotonic(), 0
    with said.open("wb") as log:
        process = subprocess.Popen(
            command,
            env={**keep, **environment},
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    try:
        while process.poll() is None:
            peak = max(peak, memory_of(process.pid))
            if cut and _n_published(said) >= cut[1]:
                process.send_signal(cut[0])
                cut = None
            time.sleep(LOOK_SECONDS)
        seconds = time.monotonic() - start
        left = _left(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    messages = list(messages_of(said))
    outcomes = {m[1]: m[2] for text in messages if (m := _OUTCOME.match(text))}
    begun = [m[1] for text in messages if (m := _BEGUN.match(text))]
    return Ended(seconds, process.returncode, peak, outcomes, begun, left)


def _n_published(log: Path) -> int:
    return sum(": published" in text for text in messages_of(log))


def _left(session: int) -> list[str]:
    """Return the processes of a session that don't end by themselves."""
    end = time.monotonic() + LEFT_SECONDS
    while True:
        found = []
        for folder in processes_of(session):
            with contextlib.suppress(OSError):
                found.append((folder / "cmdline").read_text().replace("\0", " ")[:200])
        if not found or time.monotonic() > end:
            return found
        time.sleep(LOOK_SECONDS)
