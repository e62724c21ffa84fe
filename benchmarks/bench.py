"""What the sections share: inputs that are made once, commands that are measured."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measuring import (
    Limits,
    Measurement,
    contender_command,
    dpss_command,
    measure,
)

Row = dict[str, Any]
SUFFIXES = {
    "h5ad": ".h5ad", "csc": ".h5ad", "many": ".h5ad", "mixture": ".h5ad", "zip": ".mtx.zip",
    "csv": ".csv.gz",
}  # fmt: skip
"""What inputs are named, by kind; a folder where there is none."""


@dataclass
class Bench:
    """Where inputs lie, how often is measured, and what a contender may use."""

    folder: Path
    """Of inputs and outputs; what is in it is used again."""
    limits: Limits
    repeats: int = 1
    """Runs of which the quickest counts."""
    _warm: set[Path] = field(default_factory=set)

    def input(self, kind: str, n: int) -> Path:
        """Return an input of a kind with so many cells (``many``: values), made if need be."""
        path = self.folder / f"{kind}-{n}{SUFFIXES.get(kind, '')}"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            say(f"making {path.name}")
            plenty = replace(self.limits, time_seconds=7200, memory_bytes=1 << 60, cpus=0)
            made = measure(contender_command("make_input", kind, path, n), self.folder, plenty)
            if not made.ok:
                raise RuntimeError(f"{path.name} could not be made: {made.output}")
        return path

    def n_values(self, path: Path) -> int:
        """Return how many values an input stores."""
        if path.suffix == ".h5ad":
            import h5py

            with h5py.File(path) as h5:
                return int(h5["X/data"].shape[0])
        import gzip
        import zipfile

        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                name = next(n for n in archive.namelist() if n.endswith("matrix.mtx.gz"))
                with archive.open(name) as packed, gzip.open(packed) as file:
                    return int([file.readline() for _ in range(2)][1].split()[2])
        with gzip.open(path / "matrix.mtx.gz") as file:
            return int([file.readline() for _ in range(2)][1].split()[2])

    def size(self, path: Path) -> int:
        """Return an input's size in bytes."""
        files = [path] if path.is_file() else path.iterdir()
        return sum(file.stat().st_size for file in files)

    def dpss(
        self, path: Path, *arguments: object, repeats: int = 0, embedding: bool = False
    ) -> Row:
        """Measure ``dpss summarize``, with all that it writes; the embedding only if asked for."""
        command = self.summarize(path, *arguments, embedding=embedding)
        return self._row("dpss", command, path, repeats)

    def summarize(self, path: Path | str, *arguments: object, embedding: bool = False) -> list[str]:
        """Return the command line of ``dpss summarize``."""
        choice = "--embedding" if embedding else "--no-embedding"
        return dpss_command("summarize", path, "--output", self.output("dpss"), choice, *arguments)

    def contender(self, name: str, path: Path, *arguments: object, repeats: int = 0) -> Row:
        """Measure one of the others."""
        return self._row(name, contender_command(name, path, *arguments), path, repeats)

    def figures_of(self, name: str, path: Path) -> Row:
        """Measure one of the others that draws."""
        return self.contender(name, path, self.output(name))

    def limited(self, path: Path, limits: Limits, *arguments: object) -> Measurement:
        """Measure ``dpss summarize`` once, with limits of its own."""
        self._read_once(path)
        return measure(self.summarize(path, *arguments), self.folder, limits)

    def command(self, name: str, command: list[str], repeats: int) -> Row:
        """Measure any command."""
        return self._row(name, command, None, repeats)

    def in_turn(self, commands: Mapping[str, list[str]], path: Path, n_turns: int) -> list[Row]:
        """Measure commands one after the other, so many times: all in the same hour's conditions.

        Args:
            commands: Command lines by what each row is named.
            path: The input, which is read once before.
            n_turns: Runs of each command.

        Returns:
            A row each, with the median of its runs' times and the largest peak; ``walls`` are the
            seconds of each run, ``folds`` those that a command told of its own pass.
        """
        self._read_once(path)
        runs: dict[str, list[Measurement]] = {name: [] for name in commands}
        for _ in range(n_turns):
            for name, command in commands.items():
                runs[name].append(measure(command, self.folder, self.limits))
        return [self._median_row(name, path, of_one) for name, of_one in runs.items()]

    def _median_row(self, name: str, path: Path, runs: list[Measurement]) -> Row:
        broken = [run for run in runs if not run.ok]
        last = (broken or runs)[-1]
        row = {"contender": name, "input": path.name, **last.as_row(), **last.last_json}
        row["n_runs"] = len(runs)
        if not broken:
            row["walls"] = [run.wall_seconds for run in runs]
            row["wall_seconds"] = median(row["walls"])
            row["cpu_seconds"] = median(run.cpu_seconds for run in runs)
            row["peak_bytes"] = max(run.peak_bytes for run in runs)
            folds = [run.last_json.get("fold_seconds") for run in runs]
            if None not in folds:
                row["folds"] = folds
                row["fold_seconds"] = median(folds)
        say_row(row)
        return row

    def _row(self, name: str, command: list[str], path: Path | None, repeats: int) -> Row:
        if path is not None:
            self._read_once(path)
        runs: list[Measurement] = []
        for _ in range(repeats or self.repeats):
            runs.append(measure(command, self.folder, self.limits))
            if not runs[-1].ok:
                break
        best = min(runs, key=lambda run: (not run.ok, run.wall_seconds))
        if not runs[-1].ok:
            best = runs[-1]
        row = {"contender": name, **best.as_row(), **best.last_json, "n_runs": len(runs)}
        row["peak_bytes"] = max(run.peak_bytes for run in runs)
        if path is not None:
            row["input"] = path.name
        say_row(row)
        return row

    def _read_once(self, path: Path) -> None:
        """Read an input, so that nobody is the first to have it from the disk."""
        if path in self._warm:
            return
        self._warm = {path}
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_dir():
                continue
            with file.open("rb") as stream:
                while stream.read(1 << 22):
                    pass

    def output(self, name: str) -> Path:
        """Return where a contender writes to."""
        return self.folder / f"output-{name}"


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def say_row(row: Row) -> None:
    """Print what a command took."""
    say(
        f"  {row['contender']:20} {row.get('input', ''):22} {row['status']:14} "
        f"{row['wall_seconds']:8.2f} s  cpu {row['cpu_seconds']:8.2f} s  "
        f"{row['peak_bytes'] / 2**20:8.0f} MiB  {row.get('reason', '')}"
    )


def describe_machine(limits: Limits) -> Row:
    """Return what the figures were measured on."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if "model name" in line]
        model = names[0].split(":", 1)[1].strip() if names else model
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    allowed = len(os.sched_getaffinity(0))
    return {
        "processor": model,
        "processors_used": min(limits.cpus or allowed, allowed),
        "memory_bytes": memory,
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
    }
