"""Words that checks have in common."""

from __future__ import annotations

import pytest

from dpss.summary.checks.kind import listed


@pytest.mark.parametrize(
    ("items", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")],
)
def test_lists_are_phrases(items: list[str], text: str) -> None:
    """Of none, one or several words."""
    assert listed(items) == text
