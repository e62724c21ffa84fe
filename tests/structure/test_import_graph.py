"""The structure of the program: no import circle, few packages, unique class names."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "dpss"
MAX_PACKAGES, MAX_MODULES_AT_ROOT = 12, 6


def name_of(path: Path) -> str:
    """Return a module's name."""
    parts = ("dpss", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in SOURCE.rglob("*.py")}


def imported_in(name: str, text: str) -> set[str]:
    """Return the modules that the text of a module imports.

    Imports inside functions and for types count, relative ones, and modules that a text constant
    names, as for ``import_module`` or what a child process imports first. Only the package that
    the module is in does not count so: its name finds files beside the module.
    """
    package = name.split(".") if MODULES[name].name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import():
                found.update(alias.name for alias in node.names)
            case ast.ImportFrom():
                above = package[: len(package) + 1 - node.level] if node.level else []
                source = ".".join([*above, *([node.module] if node.module else [])])
                for alias in node.names:
                    inner = f"{source}.{alias.name}"
                    found.add(inner if inner in MODULES else source)
            case ast.Constant(value=str() as said) if not name.startswith(f"{said}."):
                found.add(said)
    return {each for each in found if each in MODULES and each != name}


@cache
def imports_of(name: str) -> frozenset[str]:
    """Return the modules that a module imports."""
    return frozenset(imported_in(name, MODULES[name].read_text()))


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
    """Return who imports whom, of packages so deep."""
    found: dict[str, set[str]] = {}
    for name in MODULES:
        source = ".".join(name.split(".")[:depth])
        cut = {".".join(each.split(".")[:depth]) for each in imports_of(name)} - {source}
        found.setdefault(source, set()).update(cut)
    return found


def test_the_search_finds_a_circle() -> None:
    """One of three nodes, among others."""
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [["a", "b", "c"]]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import dpss.stats.ranks", "dpss.stats.ranks"),
        ("from dpss.stats import ranks", "dpss.stats.ranks"),
        ("from dpss.stats.ranks import order", "dpss.stats.ranks"),
        ("from dpss import summarize", "dpss"),
        ("from . import record", "dpss.summary.record"),
        ("from .record import Summary", "dpss.summary.record"),
        ("from ..stats.ranks import order", "dpss.stats.ranks"),
        ("from .. import api", "dpss.api"),
        ("import_module('dpss.api')", "dpss.api"),
    ],
)
@pytest.mark.parametrize("where", ["{}", "def read():\n    {}", "if TYPE_CHECKING:\n    {}"])
def test_an_import_is_found(where: str, line: str, found: str) -> None:
    """In all its forms, at the top, inside a function and for types."""
    assert imported_in("dpss.summary.builder", where.format(line)) == {found}


def test_a_package_imports_its_own_modules_relatively() -> None:
    """One dot is the package itself in its ``__init__``."""
    assert imported_in("dpss.summary", "from .record import Summary") == {"dpss.summary.record"}


@pytest.mark.slow
@pytest.mark.parametrize("depth", [2, 3, 9])
def test_there_is_no_circle(depth: int) -> None:
    """Neither between packages nor subpackages nor modules."""
    assert circles(graph(depth)) == []


SHARED_BY_FORMATS = {"dpss.formats.arrays", "dpss.formats.annotation"}


def families_of(package: str) -> list[str]:
    """Return the subpackages of a package that are a family each: of formats, or of backends."""
    found = {name.rpartition(".")[0] for name in MODULES if name.startswith(f"{package}.")}
    return sorted(found - SHARED_BY_FORMATS - {package})


@pytest.mark.slow
@pytest.mark.parametrize("family", [*families_of("dpss.formats"), *families_of("dpss.storage")])
def test_a_family_is_private(family: str) -> None:
    """Of a family, a new one too, others import only its ``__init__``; formats not even that."""
    package = family.rpartition(".")[0]
    relatives = families_of(package) if package == "dpss.formats" else []
    for name in MODULES:
        if not f"{name}.".startswith(f"{family}."):
            imported = imports_of(name)
            assert [each for each in imported if each.startswith(f"{family}.")] == [], name
            if any(name.startswith(f"{other}.") for other in relatives):
                assert family not in imported, name


def test_there_are_few_packages_and_modules_at_the_root() -> None:
    """A newcomer sees the whole at a glance."""
    packages = [path for path in SOURCE.iterdir() if (path / "__init__.py").exists()]
    assert len(packages) <= MAX_PACKAGES
    assert len(list(SOURCE.glob("*.py"))) <= MAX_MODULES_AT_ROOT


@pytest.mark.slow
def test_a_class_name_is_defined_once() -> None:
    """One term for each thing: no two modules define classes of the same name."""
    found: dict[str, list[str]] = {}
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(name)
    assert {each: names for each, names in found.items() if len(names) > 1} == {}


def classes_asked_for(name: str) -> set[str]:
    """Return the classes that a module imports and asks objects for with ``isinstance``."""
    tree = ast.parse(MODULES[name].read_text())
    origin = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return {
        origin[each.id]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance"
        for each in ast.walk(node.args[1])
        if isinstance(each, ast.Name) and each.id in origin
    }


@pytest.mark.slow
def test_readers_ask_for_a_capability() -> None:
    """What reads names no class of a blob, tree or layer, only what `base` says of them."""
    apart = {"dpss.storage", *families_of("dpss.formats"), *families_of("dpss.storage")}
    for name in MODULES:
        if name.startswith(("dpss.formats.", "dpss.engine.")):
            for asked in classes_asked_for(name):
                module = asked.rpartition(".")[0]
                package = module.rpartition(".")[0]
                foreign = {module, package} & apart and not name.startswith(f"{package}.")
                assert not foreign or module == "dpss.storage.base", (name, asked)
