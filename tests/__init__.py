"""The tests run under pytest; `python -m unittest` from the project's root shows them file by file.

Where this Python lacks what they need, one line says so and names `make test`, which installs it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import IO

__unittest = True
"""unittest shows no lines of this file when a test fails: what it says is enough."""
ROOT = Path(__file__).resolve().parent.parent
NEEDED = (
    "dpss", "numpy", "h5py", "numba", "botocore", "pytest", "pytest_benchmark", "hypothesis",
    "anndata", "scanpy", "scipy", "zarr", "boto3", "moto", "packaging",
)  # fmt: skip
"""Modules without which many tests fail; what only some want, those skip for."""


def missing(names: tuple[str, ...] = NEEDED) -> list[str]:
    """Return the modules that this Python does not have."""
    return [name for name in names if importlib.util.find_spec(name) is None]


class Run:
    """One run of pytest over some files, whose ends are heard of as they come."""

    def __init__(self, files: list[str]) -> None:
        """Nothing is started yet."""
        self._files = files
        self._heard: dict[str, dict[str, list[str]]] = {}
        self._said: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Run:
        """Start it."""
        read, write = os.pipe()
        self._said = os.fdopen(read)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors",
             "-p", "tests.by_file", *self._files],
            cwd=ROOT, pass_fds=[write],
            env={**os.environ, "DPSS_BY_FILE": str(write)}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write)
        return self

    def __exit__(self, *error: object) -> None:
        """End it."""
        assert self._process
        assert self._said
        self._process.terminate()
        self._process.wait()
        self._said.close()

    def outcome_of(self, file: str) -> dict[str, list[str]]:
        """Wait for a file's end; return the names of its tests by their outcome.

        A run that ends before makes it an error.
        """
        assert self._said
        while file not in self._heard:
            line = self._said.readline()
            if not line:
                return {"error": ["(pytest ended before: see above)"]}
            found = json.loads(line)
            self._heard[found["file"]] = found["outcomes"]
        return self._heard[file]


def case_of(run: Run, file: str) -> unittest.TestCase:
    """Return a file of tests as one test."""

    def test(self: unittest.TestCase) -> None:
        outcomes = run.outcome_of(file)
        bad = outcomes.get("failed", []) + outcomes.get("error", [])
        if bad:
            self.fail(f"{file}: {len(bad)} failed: {', '.join(bad[:5])}")
        if set(outcomes) == {"skipped"}:
            self.skipTest("all of its tests: see above")

    name = re.sub(r"\W", "_", file.removesuffix(".py"))
    return type("PytestFile", (unittest.TestCase,), {name: test, "__qualname__": "PytestFile"})(
        name
    )


class Lacking(unittest.TestCase):
    """What is said instead, where the tests can't run."""

    def test_suite(self) -> None:
        """This Python has what the tests need."""
        lacks = missing()
        if lacks:
            self.fail(
                f"this Python lacks {', '.join(lacks)}: run `make test`, which installs what the "
                "tests need into .venv; then .venv/bin/python -m unittest works, too"
            )


class Suite(unittest.TestSuite):
    """Files of tests, for which pytest runs once."""

    def __init__(self, files: list[str]) -> None:
        """As one test per file."""
        self._pytest = Run(files)
        super().__init__(case_of(self._pytest, file) for file in files)

    def run(self, result: unittest.TestResult, debug: bool = False) -> unittest.TestResult:
        """Run them all."""
        with self._pytest:
            return super().run(result, debug)


def load_tests(
    loader: unittest.TestLoader, standard_tests: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """Unittest's hook: instead of looking for tests in this folder, run pytest once."""
    if missing():
        return loader.loadTestsFromTestCase(Lacking)
    folder = Path(__file__).parent
    return Suite(sorted(str(path.relative_to(ROOT)) for path in folder.rglob("test_*.py")))
