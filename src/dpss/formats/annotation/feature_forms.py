"""Forms of the names of features that are not genes, and the search of a list for them.

A form is a pattern whose beginning, or some part of it, is stated apart: no other name needs to be
held against the pattern. All names of a list are searched for these parts as one text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Begun:
    """A form whose names have one of a few beginnings."""

    starts: str
    """The beginnings, with a blank between two of them."""
    rest: str = ""
    """Pattern of what follows."""
    any_case: bool = False
    """Whether the case of letters has no meaning."""

    @property
    def pattern(self) -> str:
        """Pattern of a whole name."""
        starts = "|".join(map(re.escape, self.starts.split()))
        return f"(?{'i' if self.any_case else ''}:(?:{starts})(?:{self.rest}))"


@dataclass(frozen=True)
class Held:
    """A form whose names hold some part at any place."""

    core: str
    """Pattern of that part; in lower case, if the case of letters has no meaning."""
    before: str = ""
    """Pattern of what precedes it."""
    after: str = ""
    """Pattern of what follows it."""
    any_case: bool = False
    """Whether the case of letters has no meaning."""

    @property
    def pattern(self) -> str:
        """Pattern of a whole name."""
        flag = "i" if self.any_case else ""
        return f"(?{flag}:(?:{self.before})(?:{self.core})(?:{self.after}))"


class NameForms:
    """The forms of several kinds of names.

    Args:
        forms: The forms of each kind. Neither a beginning nor a part that is held may match an
            empty text or the end of a line.
    """

    def __init__(self, forms: Mapping[str, Sequence[Begun | Held]]) -> None:
        self.kinds = tuple(forms)
        """The kinds, in the order in which they are tried."""
        self.patterns = {
            kind: "|".join(form.pattern for form in each) for kind, each in forms.items()
        }
        """The pattern of each kind's names."""
        every = [form for each in forms.values() for form in each]
        self._any = re.compile("|".join(f"({each})" for each in self.patterns.values()))
        starts = {each for form in every if isinstance(form, Begun) for each in form.starts.split()}
        held = [form for form in every if isinstance(form, Held)]
        self._in_lower_case = [
            re.compile(f"\n(?:{_alternatives(start.lower() for start in starts)})"),
            *(re.compile(form.core) for form in held if form.any_case),
        ]
        self._in_any_case = [re.compile(form.core) for form in held if not form.any_case]

    def kind_of(self, name: str) -> str | None:
        """Return the first kind that has a form of the whole name."""
        match = self._any.fullmatch(name)
        return self.kinds[match.lastindex - 1] if match and match.lastindex else None

    def find(self, names: Sequence[str]) -> dict[int, str]:
        """Return the kind of each name that has a form, by its index, in increasing order."""
        candidates = self._candidates(names)
        found = ((i, self.kind_of(names[i])) for i in candidates)
        return {i: kind for i, kind in found if kind is not None}

    def _candidates(self, names: Sequence[str]) -> Sequence[int]:
        """Return the indices of the names that may have a form, in increasing order."""
        text = "\n".join(("", *names))
        if text.count("\n") != len(names):
            return range(len(names))
        lower = text.lower()
        candidates = {
            i
            for patterns, searched in ((self._in_lower_case, lower), (self._in_any_case, text))
            for pattern in patterns
            for i in _lines_with(pattern, searched)
        }
        if not text.isascii():
            # Some letters beyond ASCII are the same as one of ASCII where case has no meaning.
            candidates.update(i for i, name in enumerate(names) if not name.isascii())
        return sorted(candidates)


def _alternatives(texts: Iterator[str]) -> str:
    """Return the pattern of any of some texts, which are tried by their first letter."""
    groups = groupby(sorted(texts), key=lambda text: text[0])
    parts = (
        f"{re.escape(first)}(?:{'|'.join(re.escape(each[1:]) for each in group)})"
        for first, group in groups
    )
    return "|".join(parts)


def _lines_with(pattern: re.Pattern[str], text: str) -> Iterator[int]:
    """Yield the index of the name of each match in a text where a line end precedes each name."""
    i, position = -1, 0
    for match in pattern.finditer(text):
        i += text.count("\n", position, position := match.start() + 1)
        yield i
