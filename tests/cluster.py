"""A real Dask cluster on loopback: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import dpss
from dpss.compute.executor import Advance, Fold

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 300


@dataclass
class Cluster:
    """Starts on entry; whatever is left of it ends on exit."""

    folder: Path
    n_workers: int = 2
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)
    """The scheduler, then the workers."""

    def __enter__(self) -> Cluster:
        """Start the scheduler and its workers, one thread each."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        for number in range(self.n_workers):
            self.start_worker(number)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all processes that are still there."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def start_worker(self, number: int) -> None:
        """Start one more worker."""
        self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
            "--host", "127.0.0.1", "--name", f"worker-{number}", "--memory-limit", "0",
        )  # fmt: skip

    def kill_worker(self, number: int) -> None:
        """Kill a worker as the kernel would that runs out of memory."""
        process = self.processes[1 + number]
        process.send_signal(signal.SIGKILL)
        process.wait()

    @property
    def address(self) -> str:
        """The scheduler's address, once it listens."""
        return _wait_for(self.folder / "scheduler-0.log", "Scheduler at:").split()[-1]

    def _start(self, program: str, *arguments: str) -> None:
        source = Path(dpss.__file__).parent.parent
        path = os.pathsep.join([str(source), str(ROOT)])
        with (self.folder / f"{program}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{program}", *arguments],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": path},
            )
        self.processes.append(process)


def _wait_for(log: Path, words: str) -> str:
    """Return the line of a log that holds some words, once it's there."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        for line in log.read_text().splitlines():
            if words in line:
                return line
        time.sleep(0.05)
    raise TimeoutError(f"{words!r} is not in {log}:\n{log.read_text()}")


@dataclass(frozen=True)
class Watched:
    """A fold that writes down which shares are begun, in whatever process."""

    inner: Fold[Any]
    log: Path

    def start(self) -> Any:
        """Make an empty accumulator."""
        return self.inner.start()

    def add(self, accumulator: Any, share: range, advance: Advance) -> None:
        """Write the share down, and read it."""
        with self.log.open("a") as file:
            file.write(f"{share.start}\n")
        self.inner.add(accumulator, share, advance)
