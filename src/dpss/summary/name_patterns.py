"""Names held against regular expressions, of which only those that may match are tried.

A list of 33,000 names costs 5 to 40 ms per expression, and a summary needs a dozen. A text that
every match contains is looked for first, which costs 1 ms, or in the joined names a tenth of that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def find_matches(
    pattern: re.Pattern[str], names: Sequence[str], *literals: str
) -> NDArray[np.bool_]:
    """Return which names match a pattern from end to end, shape ``(n_names,)``.

    Args:
        pattern: The pattern.
        names: The names.
        *literals: Texts of which every match contains one; in lower case if case does not count.
    """
    found = np.zeros(len(names), dtype=bool)
    ignores_case = bool(pattern.flags & re.IGNORECASE)
    joined = "\n".join(names)
    # `lower` would leave some letters as they are that such a pattern takes for k and s.
    joined = joined.casefold() if ignores_case else joined
    present = [literal for literal in literals if literal in joined]
    shown = [name.casefold() for name in names] if ignores_case and present else names
    for literal in present:
        places = [i for i, name in enumerate(shown) if literal in name]
        found[[i for i in places if pattern.fullmatch(names[i])]] = True
    return found


def count_matches(pattern: re.Pattern[str], names: Sequence[str]) -> int:
    """Return the number of names that match a pattern from end to end.

    >>> count_matches(re.compile("a+"), ["a", "aa", "ab"])
    2
    """
    return len(names) - list(map(pattern.fullmatch, names)).count(None)


class JoinedNames:
    """Names as one text, which tells whether many of them may match."""

    def __init__(self, names: Sequence[str]) -> None:
        """Join the names."""
        self._text = "\n".join(names)
        self._n_names = len(names)

    def may_hold(self, part: float, *literals: str) -> bool:
        r"""Return whether the literals occur often enough to be in a part of the names.

        >>> JoinedNames(["a1", "a2", "b", "c"]).may_hold(0.5, "a")
        True
        >>> JoinedNames(["a1", "a2", "b", "c"]).may_hold(0.5, "b", "d")
        False

        Args:
            part: Part of the names, 0 to 1.
            *literals: Texts without a line break.
        """
        return sum(map(self._text.count, literals)) >= part * self._n_names
