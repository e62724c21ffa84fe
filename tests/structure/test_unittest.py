"""`python -m unittest`, for a person or a program that only knows that."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tests

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "test_fine.py": "def test_a(): pass\ndef test_b(): pass\n",
    "test_bad.py": "def test_a(): assert 0\ndef test_b(): pass\n",
    "test_broken.py": "import no_such_module\n",
    "test_empty.py": "",
    "test_skipped.py": "import pytest\n@pytest.mark.skip(reason='r')\ndef test(): pass\n",
    "test_whole.py": "import pytest\npytest.skip('r', allow_module_level=True)\n",
    "test_z_late.py": "def test(): pass\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a small project with the same hook."""
    folder = tmp_path / "tests"
    folder.mkdir()
    for name in ("__init__.py", "by_file.py"):
        shutil.copyfile(ROOT / "tests" / name, folder / name)
    return tmp_path


def run(project: Path, python: str = sys.executable, *options: str) -> tuple[int, str]:
    """Run unittest there."""
    done = subprocess.run(
        [python, *options, "-m", "unittest", "-v"], cwd=project, text=True, check=False,
        capture_output=True, timeout=600,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "DPSS"))},
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.slow
def test_each_file_is_a_test_of_its_own(project: Path) -> None:
    """Named when it is through, with what failed in it; a file that breaks is no end of the run."""
    for name, text in FILES.items():
        (project / "tests" / name).write_text(text)
    code, said = run(project)
    assert code == 1
    found = dict(re.findall(r"^tests_(\w+) \(.*\) \.\.\. (\w+)", said, re.M))
    assert found["test_fine"] == "ok"
    assert found["test_bad"] == found["test_broken"] == "FAIL"
    assert found["test_skipped"] == found["test_whole"] == "skipped"
    assert found["test_z_late"] == "ok"
    assert "tests/test_bad.py: 1 failed: test_a" in said
    assert len(found) == len(FILES)


@pytest.mark.slow
def test_a_python_without_the_tools_names_make_test(project: Path) -> None:
    """One line that says what is missing and what to do, in no time."""
    (project / "tests/test_fine.py").write_text(FILES["test_fine.py"])
    code, said = run(project, sys.executable, "-IS", "-X", "utf8")
    assert code == 1
    (line,) = [line for line in said.splitlines() if "this Python lacks" in line]
    assert "make test" in line
    assert "pytest" in line
    assert "Ran 1 test" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_what_is_needed_is_what_there_is_here() -> None:
    """No name of the list is misspelt."""
    assert tests.missing() == []
    assert tests.missing(("json", "no_such_module")) == ["no_such_module"]
