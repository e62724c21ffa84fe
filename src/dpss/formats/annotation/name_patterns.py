"""Patterns of names of features that are no genes, and search for them.

Each pattern has a literal prefix or a short infix. A list is searched for these as one text, and
only names that have one of them are matched against the whole patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class PrefixPattern:
    """A pattern of names that begin with one of a few prefixes."""

    prefixes: str
    """The prefixes, separated by blanks."""
    rest: str = ""
    """Pattern of the text after the prefix."""
    ignore_case: bool = False

    @property
    def pattern(self) -> str:
        """Pattern of a whole name."""
        prefixes = "|".join(map(re.escape, self.prefixes.split()))
        return f"(?{'i' if self.ignore_case else ''}:(?:{prefixes})(?:{self.rest}))"


@dataclass(frozen=True)
class InfixPattern:
    """A pattern of names that contain an infix at any position."""

    infix: str
    """Pattern of the infix; in lower case where case is ignored."""
    before: str = ""
    """Pattern of the text before it."""
    after: str = ""
    """Pattern of the text after it."""
    ignore_case: bool = False

    @property
    def pattern(self) -> str:
        """Pattern of a whole name."""
        flag = "i" if self.ignore_case else ""
        return f"(?{flag}:(?:{self.before})(?:{self.infix})(?:{self.after}))"


class NamePatterns:
    """The patterns of several kinds of names.

    Args:
        patterns: The patterns of each kind. Neither a prefix nor an infix may match an empty text
            or the end of a line.
    """

    def __init__(self, patterns: Mapping[str, Sequence[PrefixPattern | InfixPattern]]) -> None:
        self.kinds = tuple(patterns)
        """The kinds, in the order in which they are tried."""
        self.by_kind = {
            kind: "|".join(each.pattern for each in group) for kind, group in patterns.items()
        }
        """One pattern of a whole name for each kind."""
        self._any = re.compile("|".join(f"({each})" for each in self.by_kind.values()))
        every = [each for group in patterns.values() for each in group]
        prefixes = {
            prefix.lower()
            for each in every
            if isinstance(each, PrefixPattern)
            for prefix in each.prefixes.split()
        }
        infixes = [each for each in every if isinstance(each, InfixPattern)]
        self._in_lower_case = [
            re.compile(f"\n(?:{_alternatives(prefixes)})"),
            *(re.compile(each.infix) for each in infixes if each.ignore_case),
        ]
        self._in_any_case = [re.compile(each.infix) for each in infixes if not each.ignore_case]

    def kind_of(self, name: str) -> str | None:
        """Return the first kind whose pattern matches a whole name, if any."""
        match = self._any.fullmatch(name)
        return self.kinds[match.lastindex - 1] if match and match.lastindex else None

    def find(self, names: Sequence[str]) -> dict[int, str]:
        """Return the kind of each name that has one, by index, in increasing order."""
        found = ((i, self.kind_of(names[i])) for i in self._candidates(names))
        return {i: kind for i, kind in found if kind is not None}

    def _candidates(self, names: Sequence[str]) -> Sequence[int]:
        """Return the ascending indices of names that have a prefix or infix."""
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
            # Some letters beyond ASCII equal one of ASCII where case is ignored.
            candidates.update(i for i, name in enumerate(names) if not name.isascii())
        return sorted(candidates)


def _alternatives(texts: set[str]) -> str:
    """Return the pattern of any of some texts, which are tried by their first letter."""
    groups = groupby(sorted(texts), key=lambda text: text[0])
    parts = (
        f"{re.escape(first)}(?:{'|'.join(re.escape(each[1:]) for each in group)})"
        for first, group in groups
    )
    return "|".join(parts)


def _lines_with(pattern: re.Pattern[str], text: str) -> Iterator[int]:
    """Yield the line, from 0, of each match; an end of line precedes each name."""
    i, position = -1, 0
    for match in pattern.finditer(text):
        i += text.count("\n", position, position := match.start() + 1)
        yield i
