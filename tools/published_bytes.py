"""Record what the program publishes; compare two records: moving code changes no byte.

Record the demo and every matrix of a folder with the program of a source tree, then compare:

    python tools/published_bytes.py record --source old/src --data matrices before.json
    python tools/published_bytes.py record --source new/src --data matrices after.json
    python tools/published_bytes.py compare before.json after.json

A record has one SHA-256 checksum per published file. Files below ``runs/`` hold the time of the run
and are left out. The version in the provenance is replaced by ``VERSION`` first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = (".h5ad", ".h5", ".loom", ".zip", ".gz", ".rds", ".csv", ".tsv", ".mtx")
_VERSION = re.compile(rb'("version": ?)"[^"]*"')


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 checksum of each file below a folder by its path, without ``runs/``."""
    found = {}
    for path in sorted(folder.rglob("*")):
        key = path.relative_to(folder).as_posix()
        if path.is_file() and "runs" not in path.relative_to(folder).parts:
            data = _VERSION.sub(rb'\1"VERSION"', path.read_bytes())
            found[key] = hashlib.sha256(data).hexdigest()
    return found


def record(source: Path, data: Path | None) -> dict[str, str]:
    """Run the program of a source tree; return the checksums of what it publishes.

    Args:
        source: Folder that has the package ``dpss``.
        data: Folder with matrices; each file or folder with a known suffix is summarised alone.

    Raises:
        subprocess.CalledProcessError: The program failed with another exit code than 0 or 1.
    """
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in _commands(data):
            output = Path(folder) / name
            command = [sys.executable, "-m", "dpss", *arguments, "--output", str(output)]
            environment = os.environ | {"PYTHONPATH": str(source.resolve())}
            done = subprocess.run(command, env=environment, capture_output=True, check=False)
            if done.returncode not in (0, 1):
                sys.stderr.buffer.write(done.stderr)
                done.check_returncode()
            print(f"{name}: exit code {done.returncode}", file=sys.stderr)
            found[f"{name} exit code"] = str(done.returncode)
            found |= {f"{name}/{key}": value for key, value in checksums(output).items()}
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return one line for each file that is missing, new or different."""
    lines = []
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            lines.append(f"missing: {key}")
        elif key not in before:
            lines.append(f"new: {key}")
        elif before[key] != after[key]:
            lines.append(f"different: {key}")
    return lines


def _commands(data: Path | None) -> Iterator[tuple[str, list[str]]]:
    yield "demo", ["demo"]
    for path in sorted(data.iterdir()) if data else ():
        if path.is_dir() or path.suffix in SUFFIXES:
            yield path.name, ["summarize", str(path)]


def main() -> int:
    """Run the command line; return 1 if two records differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("record", help="run the program, write checksums to a file")
    making.add_argument("--source", type=Path, default=Path("src"))
    making.add_argument("--data", type=Path)
    making.add_argument("file", type=Path)
    comparing = commands.add_parser("compare", help="compare two files of checksums")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    options = parser.parse_args()
    if options.command == "record":
        found = record(options.source, options.data)
        options.file.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        print(f"{len(found)} checksums")
        return 0
    lines = differences(
        json.loads(options.before.read_text()), json.loads(options.after.read_text())
    )
    print("\n".join(lines) or "all files are the same")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
