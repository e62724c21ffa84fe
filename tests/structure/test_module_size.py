"""A module has one idea: at 300 lines it wants to be two; so does a folder of 13 files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.structure.test_import_graph import SOURCE

MOST_LINES = 300
MOST_FILES = 12
FOLDERS = re.compile(r"^\| `([\w/]+)` \| [^|]{12,} \|$", re.MULTILINE)


def too_long(folder: Path) -> dict[str, int]:
    """Return the modules below a folder with more than `MOST_LINES` lines, and their lines."""
    lines = {
        path.relative_to(folder).as_posix(): len(path.read_text().splitlines())
        for path in sorted(folder.rglob("*.py"))
    }
    return {name: n_lines for name, n_lines in lines.items() if n_lines > MOST_LINES}


def test_no_module_is_too_long() -> None:
    """Comments, docstrings and empty lines count, too."""
    assert too_long(SOURCE) == {}


@pytest.mark.parametrize(("n_lines", "found"), [(0, {}), (300, {}), (301, {"a/b.py": 301})])
def test_a_long_module_is_found(n_lines: int, found: dict[str, int], tmp_path: Path) -> None:
    """At any depth, from one line more than allowed."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.py").write_text("x = 1\n" * n_lines)
    assert too_long(tmp_path) == found


def test_a_full_folder_has_a_reason() -> None:
    """The architecture page names each folder of more than 12 files, and no other."""
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
    found = {
        folder.relative_to(SOURCE).as_posix(): len(list(folder.glob("*.py")))
        for folder in SOURCE.rglob("*")
        if folder.is_dir()
    }
    full = {name for name, n_files in found.items() if n_files > MOST_FILES}
    assert full == set(FOLDERS.findall(page.partition("Folders of more than twelve")[2]))
