"""The figure ``authors_embedding``."""

from __future__ import annotations

import pytest

from dpss.figures.authors_embedding import AUTHORS_EMBEDDING
from tests.unit.engine.test_annotation import annotated
from tests.unit.figures.embedded import bare


@pytest.mark.slow
def test_the_figure_is_drawn() -> None:
    """It is drawn of annotated cells."""
    summary = annotated()
    assert AUTHORS_EMBEDDING.draw(summary).axes
    assert len(AUTHORS_EMBEDDING.caption(summary)) > 40


def test_without_types_the_figure_is_left_out() -> None:
    """It has a reason to draw nothing of cells that are not annotated."""
    with pytest.raises(ValueError, match="the file has no"):
        AUTHORS_EMBEDDING.draw(bare(annotation=None))
