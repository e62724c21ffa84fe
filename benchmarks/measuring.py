"""Time, processor time and peak memory of a command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LAUNCHER = Path(__file__).with_name("launcher.py")
TAIL_CHARACTERS = 2_000

OK, FAILED, OUT_OF_TIME, OUT_OF_MEMORY = "ok", "failed", "out of time", "out of memory"


@dataclass(frozen=True)
class Limits:
    """Where a command is stopped."""

    time_seconds: float = 3600.0
    memory_bytes: int = 1 << 60
    """Resident memory; looked at every 20 ms. Not a limit that the command feels."""
    data_bytes: int = 0
    """RLIMIT_DATA: more is refused to the command; 0 for no limit."""
    group: str = ""
    """Folder of a cgroup to run in, with a limit of its own."""
    cpus: int = 2
    """Processors that the command may use; 0 for all."""


@dataclass(frozen=True)
class Measurement:
    """What a command took."""

    status: str
    """``ok``, ``failed``, ``out of time`` or ``out of memory``."""
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    """Largest resident memory of the process with its children, ten times a second."""
    largest_process_bytes: int
    """Largest resident memory of a single process, to the page."""
    output: str
    """The end of what it printed."""

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.status == OK

    @property
    def last_json(self) -> dict[str, Any]:
        """The last line that it printed, as JSON; empty if it is none."""
        lines = self.output.strip().splitlines()
        try:
            found = json.loads(lines[-1]) if lines else {}
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def as_row(self) -> dict[str, Any]:
        """Return what is kept of it."""
        row = asdict(self)
        del row["output"]
        if not self.ok:
            lines = self.output.strip().splitlines()
            row["reason"] = lines[-1][-200:] if lines and self.status == FAILED else self.status
        return row


NO_LIMITS = Limits()


def measure(command: list[str], folder: Path, limits: Limits = NO_LIMITS) -> Measurement:
    """Run a command and measure it."""
    with tempfile.NamedTemporaryFile(prefix="output-") as output:
        task = {
            "command": command,
            "folder": str(folder),
            "output": output.name,
            "time_limit_seconds": limits.time_seconds,
            "memory_limit_bytes": limits.memory_bytes,
            "data_limit_bytes": limits.data_bytes,
            "group": limits.group,
            "cpus": limits.cpus,
        }
        launched = subprocess.run(
            [sys.executable, "-I", "-S", str(LAUNCHER)],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
        )
        printed = Path(output.name).read_bytes().decode(errors="replace")[-TAIL_CHARACTERS:]
    if launched.returncode < 0:
        # The kernel ended the launcher itself: it lives in the same group.
        return Measurement(OUT_OF_MEMORY, 0.0, 0.0, 0, 0, printed)
    if launched.returncode:
        raise RuntimeError(launched.stderr)
    result = json.loads(launched.stdout)
    code, ended_for = result.pop("code"), result.pop("ended_for")
    status = {"time": OUT_OF_TIME, "memory": OUT_OF_MEMORY}.get(ended_for, FAILED)
    if not ended_for and code == 0:
        status = OK
    elif not ended_for and (code == -9 or "MemoryError" in printed or "out of memory" in printed):
        status = OUT_OF_MEMORY
    return Measurement(status=status, output=printed, **result)


def environment() -> dict[str, str]:
    """Return the children's environment: this one's, with the project on the path.

    Settings of OpenBLAS that a machine may have are left out: they would slow a current numpy. So
    is the one that keeps Python from storing bytecode: an installed program has its own.
    """
    left_out = ("OPENBLAS_", "DPSS_", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    path = [str(ROOT / "src"), str(ROOT), *filter(None, [kept.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(path), "MPLBACKEND": "Agg"}


def dpss_command(*arguments: object) -> list[str]:
    """Return the command line of ``dpss`` in this interpreter."""
    return [sys.executable, "-m", "dpss", *map(str, arguments)]


def contender_command(name: str, *arguments: object) -> list[str]:
    """Return the command line of one of `benchmarks.contenders`."""
    return [sys.executable, "-m", "benchmarks.contenders", name, *map(str, arguments)]
