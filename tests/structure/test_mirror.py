"""Tests mirror the source: a module's test has its path and its name."""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.structure.test_import_graph import MODULES, SOURCE, imports_of, name_of

UNIT = ROOT / "tests" / "unit"
MOST_WITHOUT_A_TEST = 126
"""May only become smaller."""

SHARED = {
    "tests/laws/test_reader_laws.py": (
        "Parts of the readers: the laws read a file of each format through them.",
        ("formats/*", "storage/base.py", "storage/blob_file.py"),
    ),
    "tests/laws/test_accumulator_laws.py": (
        "Sums and kernels: the laws cut and merge them in any order.",
        ("stats/kernels/*",
         "stats/density.py", "stats/histogram.py", "stats/moments.py"),
    ),
    "tests/laws/test_executor_laws.py": (
        "The way from an opened matrix to a summary: the laws take it with each executor.",
        ("compute/executor.py", "engine/*", "stats/boxes.py",
         "stats/values/*", "summary/*"),
    ),
    "tests/laws/test_store_laws.py": (
        "Where files are written: the laws of stores.",
        ("storage/s3/*",),
    ),
    "tests/unit/figures/test_registry.py": (
        "Figures and their elements: every figure is drawn there of summaries of all kinds.",
        ("figures/*",),
    ),
    "tests/unit/test_api.py": ("An AnnData object is read there.", ("formats/anndata.py",)),
    "tests/unit/website/test_build.py": (
        "Parts of the pages: a whole site is built there.",
        ("website/*",),
    ),
    "tests/unit/cli/test_commands.py": (
        "What the commands are made of: real processes run them there and in tests/cloud.",
        ("__main__.py", "_version.py", "model.py", "cli/*", "catalogs/*", "compute/*", "demo/*",
         "job/*", "storage/*"),
    ),
}  # fmt: skip
"""Tests that are of many modules, why, and of which."""


def path_of(name: str) -> str:
    """Return a module's path within the package."""
    return MODULES[name].relative_to(SOURCE).as_posix()


def unit_test_of(path: str) -> Path:
    """Return where the test of a module is to be."""
    module = Path(path)
    return UNIT / module.parent / f"test_{module.name}"


@cache
def reachable(name: str) -> frozenset[str]:
    """Return the modules that a module imports, at any depth."""
    found, left = set(), [name]
    while left:
        module = left.pop()
        if module not in found:
            found.add(module)
            left.extend(imports_of(module))
    return frozenset(found)


@cache
def imported_by_test(test: Path) -> set[str]:
    """Return the modules that a test imports, itself or by helpers of the tests."""
    found: set[str] = set()
    left, seen = [test], set()
    while left:
        path = left.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            for name in names:
                if name in MODULES:
                    found |= reachable(name)
                elif name.startswith("tests."):
                    left.append(ROOT / f"{name.replace('.', '/')}.py")
    return found


WITHOUT = sorted(
    path_of(name)
    for name, path in MODULES.items()
    if path.name != "__init__.py" and not unit_test_of(path_of(name)).exists()
)
"""Modules without a test of their own."""


def test_each_test_is_of_a_module() -> None:
    """The path of each unit test is that of a module or package."""
    for test in UNIT.rglob("test_*.py"):
        place = SOURCE / test.relative_to(UNIT).parent / test.stem.removeprefix("test_")
        assert place.with_suffix(".py").exists() or (place / "__init__.py").exists(), test


@pytest.mark.parametrize("path", WITHOUT)
def test_a_module_without_a_test_of_its_own_has_another(path: str) -> None:
    """A test that is of many modules names it by a pattern, and imports it at some depth."""
    tests = [
        test for test, (_, patterns) in SHARED.items() if any(fnmatch(path, p) for p in patterns)
    ]
    assert tests, f"no test_{Path(path).name}, and no reason in SHARED"
    name = name_of(SOURCE / path)
    entry = {"dpss.__main__"}  # started by name
    assert name in entry or any(name in imported_by_test(ROOT / test) for test in tests)


def test_reasons_are_of_use() -> None:
    """Each pattern fits a module, and modules without a test of their own do not become more."""
    for test, (_, patterns) in SHARED.items():
        assert (ROOT / test).exists()
        for pattern in patterns:
            assert any(fnmatch(path, pattern) for path in WITHOUT), pattern
    assert len(WITHOUT) <= MOST_WITHOUT_A_TEST
