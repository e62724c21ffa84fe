"""The figure ``annotation_markers``."""

from __future__ import annotations

import dataclasses

import pytest

from dpss.figures.annotation_markers import ANNOTATION_MARKERS
from tests.unit.engine.test_annotation import annotated


def test_the_figure_is_drawn_or_left_out() -> None:
    """It is drawn of annotated cells, and left out with a reason of others."""
    summary = annotated()
    assert ANNOTATION_MARKERS.draw(summary).axes
    assert len(ANNOTATION_MARKERS.caption(summary)) > 40
    bare = dataclasses.replace(summary, annotation=None)
    with pytest.raises(ValueError, match="the file has no"):
        ANNOTATION_MARKERS.draw(bare)
