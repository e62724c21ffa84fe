"""Fuzz one reader: ``make fuzz READER=zarr SECONDS=600``.

The same as ``python -m tests.fuzz zarr --seconds 600 --seed 1``. The seed decides every
case; how many are tried depends on the machine.

Each case is a valid file, damaged, and tried in a process of its own. Anything but a
summary or one of the program's own errors is a finding; of findings that are alike the
smallest is kept in ``--keep``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.trying import attempt, limit, try_apart

_REPORT_SECONDS = 60


def fuzz(name: str, target: Target, seconds: float, seed: int, keep: Path) -> Counter[str]:
    """Try damaged files until the time is up, at least one.

    Returns:
        How often each finding came; the number of cases under an empty one.
    """
    seen: Counter[str] = Counter()
    sizes: dict[str, int] = {}
    rng = Random(seed)
    seeds = target.seeds()
    until = time.monotonic() + seconds
    told = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        # Where the readers' temporary files go is watched, too.
        tempfile.tempdir = folder
        path = scratch / f"case{target.suffix}"
        for valid in seeds:
            path.write_bytes(valid)
            said = attempt(path)
            if said:
                print(f"{name}: a valid file is refused: {said}", flush=True)
        while time.monotonic() < until or not seen[""]:
            if not make_apart(target, *draw(rng, seeds), path):
                continue
            data = path.read_bytes()
            seen[""] += 1
            found = try_apart(path, scratch)
            if found:
                seen[found] += 1
                if len(data) < sizes.get(found, 1 << 40):
                    sizes[found] = len(data)
                    keep.mkdir(parents=True, exist_ok=True)
                    number = list(sizes).index(found)
                    (keep / f"{name}-{seed}-{number}{target.suffix}").write_bytes(data)
                if seen[found] == 1:
                    print(f"{name}: case {seen['']}: {found}", flush=True)
            if time.monotonic() > told + _REPORT_SECONDS:
                told = time.monotonic()
                print(f"{name}: {seen['']} cases, {len(sizes)} kinds of findings", flush=True)
        tempfile.tempdir = None
    return seen


def draw(rng: Random, seeds: Sequence[bytes]) -> tuple[bytes, int]:
    """Return which valid file is damaged next, and the seed of the damage."""
    return rng.choice(seeds), rng.randrange(1 << 60)


def make_apart(target: Target, valid: bytes, seed: int, path: Path) -> bool:
    """Write a damaged file; in a process of its own, as the HDF5 library may die of it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # What is damaged twice may be read whole after its size was declared huge.
            limit()
            path.write_bytes(target.damage(Random(seed), valid))
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def main() -> None:
    """Read the command line, and fuzz; the exit code is 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"), help="where findings go")
    given = parser.parse_args()
    seen = fuzz(given.target, TARGETS[given.target], given.seconds, given.seed, given.keep)
    print(f"{given.target}: {seen.pop('', 0)} cases, {len(seen)} kinds of findings", flush=True)
    for found, n in seen.most_common():
        print(f"  {n:6} × {found}")
    if seen:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
