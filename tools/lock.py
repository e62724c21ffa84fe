"""Write the lock files from pyproject.toml: `make lock`.

    python tools/lock.py [--directory DIR] [--upgrade | --upgrade-package NAME]

Pins that still satisfy pyproject.toml are kept; an upgrade is asked for. The development lock is
made first and constrains the others, so that what is tested is what is installed.
Why it's done this way: docs/adr/0002-lock-files.md.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent

# One line per lock file, in the order in which they're made: what is resolved into it.
# The job of a deployment reads S3 and R's files, and `make demo` is the way into a notebook.
EXTRAS = ("--extra", "aws", "--extra", "notebook", "--extra", "r")
LOCKS = {
    "requirements-dev.lock": ("pyproject.toml", *EXTRAS, "--group", "dev"),
    "requirements.lock": ("pyproject.toml", *EXTRAS, "--constraints", "requirements-dev.lock"),
    "requirements-build.lock": ("--group", "build", "--constraints", "requirements-dev.lock"),
    "requirements-docs.lock": (
        "pyproject.toml",
        *EXTRAS,
        "--group",
        "docs",
        "--constraints",
        "requirements-dev.lock",
    ),
}

HEAD = """\
# `pip install -r requirements.txt` in the project's root, as in 2019: this package, with what the
# lock has. Made by `make lock`. `make demo` does it with hashes, into .venv.
"""

# Universal: markers cover every Python from 3.11 and the hashes every platform. No header and no
# annotation: nothing about the machine or the index it was made with.
COMMON = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--quiet",
)


def compile_locks(directory: Path, *more: str) -> None:
    """Resolve every lock file in `directory`, which holds a pyproject.toml.

    Raises:
        subprocess.CalledProcessError: uv failed; its `stderr` says why.
    """
    # The system's certificates, as pip uses them: behind a proxy uv's own would not do.
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    for name, sources in LOCKS.items():
        command = [find_uv_bin(), "pip", "compile", *sources, *COMMON, *more, "-o", name]
        subprocess.run(
            command, cwd=directory, env=environment, check=True, stderr=subprocess.PIPE, text=True
        )
    lock = (directory / "requirements.lock").read_text()
    (directory / "requirements.txt").write_text(without_hashes(lock))


def without_hashes(lock: str) -> str:
    """Return requirements.txt: the pins of requirements.lock, and this package.

    With hashes pip would refuse a package that is a folder.
    """
    pins = re.sub(r" \\\n    --hash=\S+", "", lock)
    return f"{HEAD}-e .\n{pins}"


def main() -> int:
    """Write the lock files; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the lock files from pyproject.toml.")
    parser.add_argument("--directory", type=Path, default=ROOT)
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    parser.add_argument("--upgrade-package", metavar="NAME", action="append", default=[])
    arguments = parser.parse_args()
    more = ["--upgrade"] if arguments.upgrade else []
    more += [f"--upgrade-package={name}" for name in arguments.upgrade_package]
    try:
        compile_locks(arguments.directory, *more)
    except subprocess.CalledProcessError as error:
        print(error.stderr, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
