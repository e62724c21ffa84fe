"""The structure of the program: no import circle, few packages, unique class names."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "dpss"
MAX_PACKAGES, MAX_MODULES_AT_ROOT = 13, 6


def name_of(path: Path) -> str:
    """Return a module's name."""
    parts = ("dpss", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in SOURCE.rglob("*.py")}


@cache
def imports_of(name: str) -> frozenset[str]:
    """Return the modules that a module imports, inside functions and for types included."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else node.module)
    return frozenset(each for each in found if each in MODULES and each != name)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one node (Tarjan 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in order:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == order[node]:
            part = [stack.pop()]
            while part[-1] != node:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(sorted(part))

    for node in graph:
        if node not in order:
            visit(node)
    return found


def graph(depth: int) -> dict[str, set[str]]:
    """Return who imports whom, of packages so deep. The front door imports on demand."""
    found: dict[str, set[str]] = {}
    for name in MODULES:
        source = ".".join(name.split(".")[:depth])
        targets = frozenset() if name == "dpss" else imports_of(name)
        cut = {".".join(each.split(".")[:depth]) for each in targets} - {source}
        found.setdefault(source, set()).update(cut)
    return found


def test_the_search_finds_a_circle() -> None:
    """One of three nodes, among others."""
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [["a", "b", "c"]]


@pytest.mark.slow
@pytest.mark.parametrize("depth", [2, 3, 9])
def test_there_is_no_circle(depth: int) -> None:
    """Neither between packages nor subpackages nor modules."""
    assert circles(graph(depth)) == []


def test_there_are_few_packages_and_modules_at_the_root() -> None:
    """A newcomer sees the whole at a glance."""
    packages = [path for path in SOURCE.iterdir() if (path / "__init__.py").exists()]
    assert len(packages) <= MAX_PACKAGES
    assert len(list(SOURCE.glob("*.py"))) <= MAX_MODULES_AT_ROOT + 1  # __main__ apart


@pytest.mark.slow
def test_a_class_name_is_defined_once() -> None:
    """One term for each thing: no two modules define classes of the same name."""
    found: dict[str, list[str]] = {}
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(name)
    assert {each: names for each, names in found.items() if len(names) > 1} == {}
