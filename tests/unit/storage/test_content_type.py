"""The content type of each published file."""

from __future__ import annotations

from importlib import resources

import pytest

from dpss.storage.content_type import CONTENT_TYPES, content_type

UNKNOWN = "application/octet-stream"
PUBLISHED = (
    "index.html",
    "index.json",
    "runs/feed.xml",
    "p/genes.csv",
    "p/cells.csv.gz",
    "p/violin.png",
    "p/violin.svg",
)


@pytest.mark.parametrize("key", PUBLISHED)
def test_a_published_file_has_a_type(key: str) -> None:
    """Of tables, figures, pages and the feed, so that a browser shows them from a bucket."""
    assert content_type(key) != UNKNOWN


def test_files_of_pages_have_a_type() -> None:
    """Each script, style and icon that pages share, and each page made from a template."""
    website = resources.files("dpss.website")
    names = [file.name for file in website.joinpath("static").iterdir() if file.is_file()]
    names += [
        file.name.removesuffix(".j2")
        for file in website.joinpath("templates").iterdir()
        if file.name.endswith(".j2")
    ]
    assert len(names) > 15
    assert [name for name in names if content_type(name) == UNKNOWN] == []


def test_the_feed_is_one() -> None:
    """Feed readers ask for this type (RFC 4287, section 7)."""
    assert content_type("runs/feed.xml").startswith("application/atom+xml")


@pytest.mark.parametrize("ending", sorted(CONTENT_TYPES))
def test_an_ending_is_told_in_any_case(ending: str) -> None:
    """Upper and lower case of the ending mean the same."""
    assert content_type(f"A.{ending.upper()}") == CONTENT_TYPES[ending]
