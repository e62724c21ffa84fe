"""The tests run under pytest; `python -m unittest` from the project's root hands over to it."""

import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class PytestSuite(unittest.TestCase):
    """All tests as one, for a person or a program that only knows unittest."""

    def test_suite(self) -> None:
        """Pytest ends with exit code 0 for the whole suite."""
        done = subprocess.run([sys.executable, "-m", "pytest"], cwd=ROOT, check=False)
        self.assertEqual(
            done.returncode, 0, "pytest failed: see above (not installed? run `make test`)"
        )


def load_tests(
    loader: unittest.TestLoader, standard_tests: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """Unittest's hook: instead of looking for tests in this folder, run pytest once."""
    return loader.loadTestsFromTestCase(PytestSuite)
