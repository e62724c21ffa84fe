"""Values of R's objects: factors, logical values and what is not available."""

from __future__ import annotations

import pytest

from dpss.formats.r.objects import parse_objects
from dpss.formats.r.values import labels_of

_FACTOR = (
    "781\n4\n1\nNA\n2\n1\n1026\n1\n262153\n6\nlevels\n16\n2\n262153\n1\na\n262153\n1\nb\n"
    "1026\n1\n262153\n5\nclass\n16\n1\n262153\n6\nfactor\n254\n"
)


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (_FACTOR, ["a", None, "b", "a"]),
        ("10\n3\n1\nNA\n0\n", ["TRUE", None, "FALSE"]),
        ("14\n2\n0.5\nNA\n", ["0.5", None]),
        ("13\n2\n7\nNA\n", ["7", None]),
        ("16\n2\n262153\n1\nx\n9\n-1\n", ["x", None]),
    ],
)
def test_labels(thing: str, expected: list[str | None]) -> None:
    """A vector of any kind as text, NA as None."""
    parsed = parse_objects(f"A\n2\n197636\n131840\n{thing}".encode(), "a.rds", 1000)
    assert labels_of(parsed).tolist() == expected
