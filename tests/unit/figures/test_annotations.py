"""The figure ``annotations``."""

from __future__ import annotations

import dataclasses

import pytest

from dpss.figures.annotations import ANNOTATIONS
from tests.unit.engine.test_annotation import annotated


def test_the_figure_is_drawn_or_left_out() -> None:
    """It is drawn of annotated cells, and left out with a reason of others."""
    summary = annotated()
    assert ANNOTATIONS.draw(summary).axes
    assert len(ANNOTATIONS.caption(summary)) > 40
    bare = dataclasses.replace(summary, annotation=None)
    with pytest.raises(ValueError, match="the file has no"):
        ANNOTATIONS.draw(bare)
