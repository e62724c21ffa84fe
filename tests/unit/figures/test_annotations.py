"""The figure ``annotations``."""

from __future__ import annotations

import pytest

from dpss.figures.annotations import ANNOTATIONS
from tests.unit.engine.test_annotation import annotated
from tests.unit.figures.embedded import bare


@pytest.mark.slow
def test_the_figure_is_drawn() -> None:
    """It is drawn of annotated cells."""
    summary = annotated()
    assert ANNOTATIONS.draw(summary).axes
    assert len(ANNOTATIONS.caption(summary)) > 40


def test_without_types_the_figure_is_left_out() -> None:
    """It has a reason to draw nothing of cells that are not annotated."""
    with pytest.raises(ValueError, match="the file has no"):
        ANNOTATIONS.draw(bare(annotation=None))
