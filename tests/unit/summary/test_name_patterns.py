"""Names held against patterns: no match is lost by looking for a text in it first."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.summary.name_patterns import JoinedNames, count_matches, find_matches

PARTS = st.sampled_from(
    ["RPL", "rps", "HB", "hb", "MT", "mt", "-", "_", ".", "1", "27", "A", "\u017f", "\u212a", "\n"]
)
NAMES = st.lists(st.lists(PARTS, max_size=6).map("".join), max_size=8)


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (re.compile("A+1"), ("A",)),
        (re.compile("rp[ls].*", re.IGNORECASE), ("rp",)),
        (re.compile("k?s1.*", re.IGNORECASE), ("s",)),
        (re.compile("(MT|mt)-.*"), ("MT-", "mt-")),
    ],
)
@given(names=NAMES)
def test_as_the_pattern_alone(
    pattern: re.Pattern[str], literals: tuple[str, ...], names: list[str]
) -> None:
    """The same names match as without the texts; with letters that fold to others, too."""
    expected = [pattern.fullmatch(name) is not None for name in names]
    assert find_matches(pattern, names, *literals).tolist() == expected
    assert count_matches(pattern, names) == sum(expected)


@given(names=NAMES, part=st.floats(0, 1))
def test_joined_names_hold_what_the_names_hold(names: list[str], part: float) -> None:
    """The joined names may hold a text wherever so many names do."""
    n = sum("A" in name for name in names)
    if n >= part * len(names):
        assert JoinedNames(names).may_hold(part, "A")


def test_nothing_is_found_in_no_names() -> None:
    """An empty list has no match."""
    assert find_matches(re.compile("A"), [], "A").shape == (0,)
    assert count_matches(re.compile("A"), []) == 0
