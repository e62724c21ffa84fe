"""The versions of the documentation's site."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.site import list_of_versions, sorted_versions, write_entrance

VERSION = st.lists(st.integers(0, 30), min_size=2, max_size=3).map(lambda x: ".".join(map(str, x)))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["dev"], ["dev"]),
        (["0.9.0", "dev", "0.10.0"], ["0.10.0", "0.9.0", "dev"]),
        (["dev", "1.0.0", "0.1.0"], ["1.0.0", "0.1.0", "dev"]),
    ],
)
def test_the_newest_comes_first(names: list[str], expected: list[str]) -> None:
    """Versions are compared by number, not as text; the state of development comes last."""
    assert sorted_versions(names) == expected


@given(st.lists(VERSION, min_size=1, unique=True))
def test_order_does_not_depend_on_that_of_the_folders(names: list[str]) -> None:
    """Any order of the same folders gives the same list, whose first entry alone is preferred."""
    entries = list_of_versions(names)
    assert [entry["version"] for entry in entries] == sorted_versions(names[::-1])
    assert [entry["preferred"] for entry in entries] == [True, *[False] * (len(names) - 1)]


def test_a_second_version_is_added(tmp_path: Path) -> None:
    """The first page leads to the newest of the folders that are there."""
    for name in ("0.2.0", "dev", "0.10.0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text("")
        write_entrance(tmp_path)
    assert 'href="0.10.0/index.html"' in (tmp_path / "index.html").read_text()
