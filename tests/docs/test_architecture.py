"""Names of modules in the architecture page, the explanations and the decisions exist."""

import ast
import dataclasses
import importlib
import io
import re
import tokenize
from itertools import repeat
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "architecture.md"
PACKAGES = "api|catalogs|cli|compute|engine|errors|figures|formats|job|model|stats|storage|summary"
NAMES = sorted(set(re.findall(rf"`((?:{PACKAGES})(?:\.(?!py`|json`)\w+)+)`", PAGE.read_text())))
PAGES = sorted((PAGE.parents[1] / "adr").glob("*.md")) + sorted(PAGE.parent.glob("*.md"))
TEXT = "\n".join(page.read_text() for page in PAGES)
NAMES_WITH_PACKAGE = sorted(set(re.findall(r"`dpss((?:\.\w+){2,})`", TEXT)))
FILES = sorted(set(re.findall(r"`(\w+(?:/\w+)*\.py)`", TEXT)))
NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER,
}  # fmt: skip
PATHS = sorted(set(re.findall(rf"`((?:{PACKAGES}|website)(?:/\w+)+(?:\.py)?)`", PAGE.read_text())))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_exists(name: str) -> None:
    """A module, or a class, function or field in one."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        module = "dpss." + ".".join(parts[:n])
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            fields = dataclasses.fields(found) if dataclasses.is_dataclass(found) else ()
            found = getattr(found, part, None) or {f.name: f for f in fields}[part]
        return
    pytest.fail(f"there is no {name}")


@pytest.mark.parametrize("name", NAMES_WITH_PACKAGE)
def test_a_name_with_its_package_exists(name: str) -> None:
    """In the explanations and the decisions, too."""
    test_a_name_exists(name[1:])


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_the_source_exists(file: str) -> None:
    """Explanations and decisions name files that are there, by their path or their name alone."""
    root = PAGE.parents[2]
    places = (root, root / "src" / "dpss", root / "tests", root / "tools", root / "tools/container")
    below = [path.as_posix() for path in (root / "src" / "dpss").rglob("*.py")]
    assert any((place / file).is_file() for place in places) or any(
        path.endswith(f"/{file}") for path in below
    )


@pytest.mark.parametrize("path", PATHS)
def test_a_path_exists(path: str) -> None:
    """A module or a package of the source."""
    source = PAGE.parents[2] / "src" / "dpss"
    assert (source / path).exists() or (source / f"{path}.py").exists()


def lines_of_code(text: str) -> int:
    """Return the number of lines that are neither empty nor a comment or a docstring."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            found.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                found.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(found)


def test_lines_of_code_are_counted() -> None:
    """Each line of a statement is one; a docstring, a comment and an empty line are none."""
    text = '"""A docstring\nof two lines."""\n\n# a comment\nx = (\n    1,\n)\n"""Of x."""\ny = 2\n'
    assert lines_of_code(text) == 4


def test_the_size_of_the_source_is_told() -> None:
    """Lines, modules and lines of code of the page are those of the source, to a twentieth."""
    sentence = r"about ([\d,]+) lines in ([\d,]+) modules, of which ([\d,]+)"
    told = re.search(sentence, PAGE.read_text())
    assert told is not None
    texts = [path.read_text() for path in (PAGE.parents[2] / "src" / "dpss").rglob("*.py")]
    found = [sum(map(str.count, texts, repeat("\n"))), len(texts), sum(map(lines_of_code, texts))]
    numbers = [int(number.replace(",", "")) for number in told.groups()]
    assert numbers == pytest.approx(found, rel=0.05)
