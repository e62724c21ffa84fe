"""The documentation's diagrams are drawn, and none is stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.diagrams import IMAGES, blocks_of, description_of, diagrams, mark_of

DRAWN = diagrams()


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_each_image_is_of_its_text(path: Path) -> None:
    """`make diagrams` was run since the text has changed; a reader who sees no image is told."""
    assert mark_of(DRAWN[path]) in path.read_text("utf-8"), "run `make diagrams`"
    assert len(description_of(DRAWN[path])) > 40, "the diagram needs a line accDescr"


def test_no_image_is_left_over() -> None:
    """Every image belongs to a diagram, and loads nothing."""
    images = set(IMAGES.glob("*.svg"))
    assert images == set(DRAWN)
    for path in images:
        text = path.read_text("utf-8")
        assert "<script" not in text and "<foreignObject" not in text and "@import" not in text
        assert str(ROOT) not in text


def test_blocks_of_a_page() -> None:
    """Other blocks of code are none, and each diagram is its own."""
    page = "# A\n\n```mermaid\na-->b\n```\n\n```console\n$ x\n```\n\n```mermaid\nc\n```\n"
    assert blocks_of(page) == ["a-->b\n", "c\n"]
    assert blocks_of("```text\nmermaid\n```\n") == []
    assert description_of("flowchart TB\n    accDescr: From a to b.\n") == "From a to b."
    assert description_of("flowchart TB\n") == ""
