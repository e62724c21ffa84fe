"""One tree of exceptions: everything that the program raises on purpose derives from its root."""

import importlib
import inspect
import pickle
import pkgutil
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dpss
from dpss import errors
from dpss.errors import DpssError, LostError, agreeing, plural

APART = {
    "dpss.job.stop.Interrupted": "a signal; no `except Exception` may catch it",
    "dpss.storage.http.connections.RefusedNetworkError": (
        "passes through urllib3, which knows only its own; the client makes a RequestError of it"
    ),
}
"""Exceptions outside of the tree, each with the reason."""


def exceptions() -> Iterator[type[BaseException]]:
    """Yield every exception class that a module of the program defines."""
    for found in pkgutil.walk_packages(dpss.__path__, "dpss."):
        if found.name == "dpss.__main__":
            continue
        module = importlib.import_module(found.name)
        for kind in vars(module).values():
            defined_here = inspect.isclass(kind) and kind.__module__ == found.name
            if defined_here and issubclass(kind, BaseException):
                yield kind


def test_all_exceptions_are_of_one_tree_in_one_module() -> None:
    """A class stands in `dpss.errors` and derives from `DpssError`, or is listed as apart."""
    apart = {
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in exceptions()
        if kind.__module__ != errors.__name__ or not issubclass(kind, DpssError)
    }
    assert apart == set(APART)


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """The picture at the top of the module shows each class below its base, in any order."""
    drawn = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    ((?:[│├└ ]   ?|[├└]── )*)(\w+Error)\b", line):
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            drawn[found[2]] = path[depth - 1] if depth else None
    kinds = [kind for kind in exceptions() if issubclass(kind, DpssError)]
    bases = {kind.__name__: kind.__bases__[0].__name__ for kind in kinds}
    assert drawn == bases | {"DpssError": None}


@pytest.mark.parametrize("kind", [each for each in exceptions() if issubclass(each, DpssError)])
def test_an_error_of_a_child_process_is_the_same_in_its_parent(kind: type[DpssError]) -> None:
    """Pickling keeps class, message and attributes."""
    error = kind("no", "SIGKILL", 7) if kind is LostError else kind("no")  # type: ignore[call-arg]
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (kind, str(error), vars(error))


@pytest.mark.parametrize(
    ("count", "noun", "verb", "text"),
    [
        (1, "zero", "is", "1 zero is"),
        (0, "matrix", "has", "0 matrices have"),
        (2, "gene index", "was", "2 gene indices were"),
        (1_000, "entry", "", "1,000 entries"),
    ],
)
def test_a_count_with_its_noun(count: int, noun: str, verb: str, text: str) -> None:
    """The noun and the verb agree with the number."""
    assert plural(count, noun, verb) == text


@given(st.integers(0, 10**12), st.sampled_from(["cell", "gene name", "matrix"]))
def test_only_one_has_the_singular(count: int, noun: str) -> None:
    """Any number, with separators between thousands."""
    shown, _, words = plural(count, noun, "has").partition(" ")
    assert int(shown.replace(",", "")) == count
    assert (words == f"{noun} has") == (count == 1)
    assert agreeing(count, "has") == words.rpartition(" ")[2]
