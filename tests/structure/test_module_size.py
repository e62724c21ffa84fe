"""A module has one idea: at 300 lines it wants to be two."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.structure.test_import_graph import SOURCE

MOST_LINES = 300


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
