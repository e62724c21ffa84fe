"""The figure ``authors_embedding``."""

from __future__ import annotations

import dataclasses

import pytest

from dpss.figures.authors_embedding import AUTHORS_EMBEDDING
from tests.unit.engine.test_annotation import annotated


def test_the_figure_is_drawn_or_left_out() -> None:
    """It is drawn of annotated cells, and left out with a reason of others."""
    summary = annotated()
    assert AUTHORS_EMBEDDING.draw(summary).axes
    assert len(AUTHORS_EMBEDDING.caption(summary)) > 40
    bare = dataclasses.replace(summary, annotation=None)
    with pytest.raises(ValueError, match="the file has no"):
        AUTHORS_EMBEDDING.draw(bare)
