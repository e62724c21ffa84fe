"""What the quick tests may import."""

from __future__ import annotations

import ast
import re

import pytest

from tests.conftest import ROOT

HEAVY = ("scanpy", "sklearn", "scipy.stats")
"""Modules that take seconds of processor time to import."""


def heavy_imports(text: str) -> list[str]:
    """Return the heavy modules that are imported when a module of this text is."""
    found: list[str] = []
    if not any(name in text for name in ("scanpy", "sklearn", "scipy")):
        return found
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in found if f"{name}.".startswith(tuple(f"{each}." for each in HEAVY))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import scanpy as sc", ["scanpy"]),
        ("from sklearn.metrics import f1_score", ["sklearn.metrics.f1_score"]),
        ("from scipy import stats", ["scipy.stats"]),
        ("from scipy import sparse\nimport scanpys", []),
        ("def test():\n    import scanpy", []),
    ],
)
def test_an_import_is_found(text: str, found: list[str]) -> None:
    """The rule below finds what is imported with the module, and only that."""
    assert heavy_imports(text) == found


def test_heavy_libraries_are_imported_within_tests() -> None:
    """No file of tests imports at its top what takes seconds: each process collects all files."""
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if (names := heavy_imports(path.read_text("utf-8")))
    }
    assert found == {}, "import it within the test, and mark that slow"


def test_scanpy_is_imported_in_one_place() -> None:
    """By `tests.libraries`, which lets it compile little; whoever imports it first decides."""
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if re.search(r"^ *(import scanpy|from scanpy)\b", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert found == ["tests/libraries.py"]
