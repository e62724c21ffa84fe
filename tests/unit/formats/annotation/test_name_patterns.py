"""A list of names is searched for patterns as one text, with the same result as name by name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.formats.annotation.feature_kinds import PATTERNS
from dpss.formats.annotation.name_patterns import InfixPattern, NamePatterns, PrefixPattern

TOY = NamePatterns({
    "star": (PrefixPattern("* sum. SUM.", r"\d*"),),
    "ski": (PrefixPattern("ski k", r"[a-z]?\d", ignore_case=True),),
    "tag": (
        InfixPattern(r"[-_]AC", r".+", r"[AC]*"),
        InfixPattern("seq", after=r"\d?", ignore_case=True),
    ),
})  # fmt: skip


def _by_name(patterns: NamePatterns, names: list[str]) -> dict[int, str]:
    return {i: kind for i, name in enumerate(names) if (kind := patterns.kind_of(name)) is not None}


@pytest.mark.parametrize(("name", "kind"), [
    ("*", "star"), ("*12", "star"), ("sum.", "star"), ("SUM.3", "star"), ("Sum.3", None),
    ("sumx", None), ("SKI1", "ski"), ("Kb7", "ski"), ("\N{KELVIN SIGN}7", "ski"),
    ("\N{LATIN SMALL LETTER LONG S}ki3", "ski"), ("x-AC", "tag"), ("-AC", None), ("x-ACAA", "tag"),
    ("x-ACG", None), ("SEQ", "tag"), ("\N{LATIN SMALL LETTER LONG S}eq9", "tag"), ("xseq", None),
    ("", None), ("sum.\n", None),
])  # fmt: skip
def test_a_pattern_is_that_of_a_whole_name(name: str, kind: str | None) -> None:
    assert TOY.kind_of(name) == kind
    assert TOY.find(["ACTB", name, "", name]) == ({} if kind is None else {1: kind, 3: kind})


def test_no_names_have_no_kind() -> None:
    assert TOY.find([]) == {}
    assert TOY.find([""]) == {}


_LETTERS = "sumSUMki.K-_ACseq19*\n\N{KELVIN SIGN}\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"
_TEXTS = st.one_of(st.text(_LETTERS, max_size=8), st.sampled_from(["sum.1", "ski1", "x-AC", "seq"]))


@given(st.lists(_TEXTS, max_size=12))
def test_a_list_is_searched_as_its_names_are(names: list[str]) -> None:
    """Also names with ends of lines, which no pattern crosses, and letters beyond ASCII."""
    assert TOY.find(names) == _by_name(TOY, names)


_MEMBERS = st.one_of(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True),
    *(st.from_regex(re.compile(each), fullmatch=True) for each in PATTERNS.by_kind.values()),
    *(st.from_regex(re.compile(each, re.ASCII)) for each in PATTERNS.by_kind.values()),
)


@pytest.mark.slow
@given(
    st.lists(st.one_of(_MEMBERS, _MEMBERS.map(str.swapcase), _MEMBERS.map(str.lower)), max_size=20)
)
def test_features_are_searched_as_their_names_are(names: list[str]) -> None:
    """Names of every form of features, in any case, with letters around them or none."""
    assert PATTERNS.find(names) == _by_name(PATTERNS, names)
