"""Code that occurs twice has a reason, which the architecture page gives; all else goes."""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator, Mapping

import pytest

from tests.conftest import ROOT
from tests.structure.test_import_graph import SOURCE

MOST_LINES = 8
"""So many lines may be alike without a reason."""
IGNORED = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
SHAPES = {tokenize.NAME: "name", tokenize.NUMBER: "…", tokenize.STRING: "…", tokenize.ENDMARKER: ""}
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
REASONS = re.compile(r"^\| `([\w/.]+)` \| `([\w/.]+)` \| (.{12,}) \|$", re.MULTILINE)

Line = tuple[int, str]
"""Number of a line, and its shape: all names, numbers and strings are alike."""


def passed_over(tree: ast.Module) -> set[int]:
    """Return the lines of imports, docstrings, arguments, and names given to constants."""
    found: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.Import()
                | ast.ImportFrom()
                | ast.Expr(value=ast.Constant(value=str()))
                | ast.Assign(value=ast.Constant())
                | ast.AnnAssign(value=ast.Constant() | None)
                | ast.arg()
            ):
                found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def lines_of(text: str) -> list[Line]:
    """Return the lines of code with their shapes, without those of brackets and constants alone."""
    left_out = passed_over(ast.parse(text))
    found: dict[int, list[str]] = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.start[0] in left_out or token.type in IGNORED:
            continue
        is_word = token.type == tokenize.NAME and keyword.iskeyword(token.string)
        shape = token.string if is_word or token.type == tokenize.OP else SHAPES[token.type]
        found.setdefault(token.start[0], []).append(shape)
    shapes = ((line, " ".join(tokens)) for line, tokens in found.items())
    return [(line, shape) for line, shape in shapes if any(map(str.isalpha, shape))]


def repeats_in(texts: Mapping[str, str]) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Return pairs of modules that share more than `MOST_LINES` lines, and where each begins."""
    seen: dict[tuple[str, ...], tuple[str, int, int]] = {}
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for name, text in texts.items():
        lines = lines_of(text)
        for at in range(len(lines) - MOST_LINES):
            window = lines[at : at + MOST_LINES + 1]
            shape = tuple(each for _, each in window)
            first, place, line = seen.setdefault(shape, (name, at, window[0][0]))
            if (first, place) != (name, at) and (first != name or at - place > MOST_LINES):
                found.setdefault((first, name), []).append((line, window[0][0]))
    return found


def reasons() -> dict[tuple[str, str], str]:
    """Return the reasons of the architecture page by the two modules."""
    return {(first, second): why for first, second, why in REASONS.findall(PAGE.read_text())}


def modules() -> Iterator[tuple[str, str]]:
    """Yield path and text of each module."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), path.read_text()


@pytest.mark.slow
def test_each_repeated_piece_has_a_reason() -> None:
    """A pair without one is written once, or its reason goes into the table; no reason is idle."""
    assert repeats_in(dict(modules())).keys() == reasons().keys()


LOOP = """
def sums(values):
    total = 0
    for each in values:
        if each > 3:
            total += each
        elif each < -3:
            total -= each
        else:
            total += 1
    check(total)
    return total
"""


@pytest.mark.parametrize(
    ("change", "n"),
    [
        ({}, 1),
        ({"total": "amount", "each": "one", "sums": "add"}, 1),
        ({"3": "17", "0": "'a'"}, 1),
        ({"return total": "return total, 1"}, 0),
        ({"elif each": "elif not each"}, 0),
        ({"+= 1": "-= 1"}, 0),
        ({"    for": "    # So far.\n\n    for"}, 1),
    ],
)
def test_a_repeated_piece_is_found(change: dict[str, str], n: int) -> None:
    """Under other names, numbers and comments, but not where something else is done."""
    other = LOOP
    for old, new in change.items():
        other = other.replace(old, new)
    assert len(repeats_in({"a.py": LOOP, "b.py": other})) == n


def test_fields_imports_and_docstrings_are_passed_over() -> None:
    """Records have fields, and modules imports, that look alike: nothing could be saved."""
    fields = "".join(f'    field_{n}: int\n    """The {n}th."""\n' for n in range(20))
    text = "from typing import (\n" + "    Any,\n" * 20 + ")\nclass Record:\n" + fields
    assert repeats_in({"a.py": text, "b.py": text}) == {}


def test_a_piece_within_one_module_is_found() -> None:
    """Twice, one after the other."""
    assert repeats_in({"a.py": LOOP + LOOP}).keys() == {("a.py", "a.py")}
