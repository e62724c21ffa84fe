"""The language of the code: nouns as modules, plain docstrings without persons."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "dpss"
MODULES = sorted(SOURCE.rglob("*.py"))
TERMS = {"string", "paging", "reading", "smoothing", "wording", "packing", "embedding"}
"""Words in -ing that are nouns: the thing itself, not the work."""
PERSONS = re.compile(
    r"\b(somebody|someone|nobody|no one|anybody|anyone|everybody|everyone|whoever|who|whom)\b", re.I
)
NO_SUBJECT = re.compile(r"(What|Which|Who|That|It)\b")
"""A docstring that begins so does not name the thing that it describes."""


RETIRED = {
    "settle": "flush",
    "patience": "deadline, or retry policy",
    "foresee": "prefetch",
    "hold_apart": "copy to a temporary folder",
    "shown_address": "redact",
    "helper": "child process",
    "carry_all": "normalise",
    "silentprogress": "NullProgress",
    "watchful": "changed_keys",
}
"""Words that the code had for a thing besides its term, and the term."""


_PLURAL_NOUNS = (
    "axes|barcodes|bytes|cells|characters|chunks|clusters|columns|components|counts|elements|"
    "entries|features|fields|files|genes|indices|items|layers|lines|matrices|members|names|"
    "numbers|objects|pointers|projects|readings|rows|samples|strata|types|values"
)
_COUNTED = re.compile(rf"^ (?!of )(?:[a-z]+ ){{0,2}}?(?:{_PLURAL_NOUNS})\b")
_A_NUMBER = re.compile(r"^len\(|(?:^|[._])n(?:_\w+)?$")
_A_LIMIT = re.compile(r"^(?:\w+\.)*_?[A-Z][A-Z0-9_]*$")
"""A limit is a constant: larger than one."""


def docstrings_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of all docstrings, those of attributes and constants included."""
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            match statement:
                case ast.Expr(value=ast.Constant(value=str() as said)):
                    yield statement.lineno, said


def comments_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of all comments."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def persons_in(text: str) -> list[str]:
    """Return the lines of docstrings and comments in which a person acts."""
    found = []
    for line, said in [*docstrings_of(text), *comments_of(text)]:
        for number, part in enumerate(said.splitlines(), line):
            if PERSONS.search(part):
                found.append(f"line {number}: {part.strip()}")
    return found


def without_subject(text: str) -> list[str]:
    """Return the docstrings that begin with a pronoun."""
    return [
        f"line {line}: {said.splitlines()[0]}"
        for line, said in docstrings_of(text)
        if NO_SUBJECT.match(said)
    ]


def gerunds_in(name: str) -> list[str]:
    """Return the gerunds in a module's name."""
    return [word for word in name.split("_") if word.endswith("ing") and word not in TERMS]


def found_by(look: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """Return the findings of a rule in all modules, by module."""
    found = {path.relative_to(SOURCE).as_posix(): look(path.read_text()) for path in MODULES}
    return {name: lines for name, lines in found.items() if lines}


def test_modules_are_nouns() -> None:
    """No module or package is called by a gerund, unless it is the field's term."""
    names = {part for path in MODULES for part in path.relative_to(SOURCE).with_suffix("").parts}
    assert len(names) > 100
    assert [name for name in sorted(names) if gerunds_in(name)] == []


@pytest.mark.slow
def test_there_are_no_persons() -> None:
    """Docstrings and comments tell what the code does, not what somebody does."""
    assert found_by(persons_in) == {}


@pytest.mark.slow
def test_docstrings_begin_with_the_thing() -> None:
    """They name the thing, instead of "what is …" or "which …"."""
    assert found_by(without_subject) == {}


def retired_in(text: str) -> list[str]:
    """Return the lines of code, docstrings and comments with a word for which there is a term."""
    return [
        f"line {number}: {line.strip()} (say: {term})"
        for number, line in enumerate(text.splitlines(), 1)
        for word, term in RETIRED.items()
        if re.search(rf"(?<![a-z]){word}", line.lower())
    ]


@pytest.mark.slow
def test_a_thing_has_one_term() -> None:
    """Names, docstrings and comments use the term of `dpss`, and no other word for it."""
    assert found_by(retired_in) == {}


def unagreeing_in(text: str) -> list[str]:
    """Return the texts in which a number, that may be 1, stands before a noun in the plural."""
    return [
        f"line {value.lineno}: {{{ast.unparse(value.value)}}}{after.value[:30]}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.JoinedStr)
        for value, after in pairwise(node.values)
        if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant)
        if _COUNTED.match(after.value) and _may_be_one(value)
    ]


def _may_be_one(value: ast.FormattedValue) -> bool:
    expression = ast.unparse(value.value)
    has_separators = value.format_spec is not None and ast.unparse(value.format_spec) == "f','"
    is_number = has_separators or _A_NUMBER.search(expression) is not None
    return is_number and not _A_LIMIT.match(expression)


@pytest.mark.slow
def test_a_noun_agrees_with_its_number() -> None:
    """A text with a number of things is made by `dpss.errors.plural`: "1 gene", not "1 genes"."""
    assert found_by(unagreeing_in) == {}


@pytest.mark.parametrize("words", ["", "distinct ", "such other "])
@pytest.mark.parametrize("number", ["n:,", "len(rows)", "self.n_cells", "sizes[1]:,"])
def test_a_plural_for_any_number_is_found(number: str, words: str) -> None:
    """Of any noun, with words before it; not for a limit, a name, a part or `plural`."""
    for noun in _PLURAL_NOUNS.split("|"):
        (found,) = unagreeing_in(f'f"there are {{{number}}} " "{words}{noun}"')
        assert found.startswith("line 1: {")
        for other in ("MOST:,", "self.MOST:,", "name", "plural(n, 'cell')"):
            assert unagreeing_in(f'f"there are {{{other}}} {words}{noun}"') == []
        assert unagreeing_in(f'f"{{{number}}} of its {words}{noun}"') == []


@pytest.mark.parametrize(
    "line", ["def _settle(self):", "# As helpers do.", "class ForeseeingBlob:"]
)
def test_a_retired_word_is_found(line: str) -> None:
    """In a name, in a comment, in another case; in no line without one."""
    assert len(retired_in(f"x = 1\n{line}\n")) == 1
    assert retired_in("def flush(self):\n") == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("fetching", ["fetching"]),
        ("drawing_pages", ["drawing"]),
        ("file_choosing", ["choosing"]),
        ("string_paging", []),
    ],
)
def test_a_gerund_is_found(name: str, found: list[str]) -> None:
    """At any place of a name, and no term of the field is one."""
    assert gerunds_in(name) == found


EXAMPLE = '''\
"""{module}"""

# {comment}
LIMIT = 3
"""{constant}"""


class Reader:
    """{of_class}"""

    def read(self):
        """Read.

        Args:
            progress: {argument}
        """
'''
PLAIN = dict.fromkeys(("module", "comment", "constant", "of_class", "argument"), "The reader.")


@pytest.mark.parametrize("place", PLAIN)
@pytest.mark.parametrize("said", ["Who is told.", "Nobody reads it.", "For those who know."])
def test_a_person_is_found(place: str, said: str) -> None:
    """In the docstring of a module, a constant, a class or an argument, and in a comment."""
    assert persons_in(EXAMPLE.format(**PLAIN)) == []
    (found,) = persons_in(EXAMPLE.format(**PLAIN | {place: said}))
    assert said in found


@pytest.mark.parametrize("place", ["module", "constant", "of_class"])
@pytest.mark.parametrize("said", ["What is kept.", "Which cells are read.", "It reads."])
def test_a_docstring_without_a_subject_is_found(place: str, said: str) -> None:
    """Of a module, a constant or a class."""
    assert without_subject(EXAMPLE.format(**PLAIN)) == []
    (found,) = without_subject(EXAMPLE.format(**PLAIN | {place: said}))
    assert said in found
