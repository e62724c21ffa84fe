"""The figure ``annotation_clusters``."""

from __future__ import annotations

import pytest

from dpss.figures.annotation_clusters import ANNOTATION_CLUSTERS
from tests.unit.engine.test_annotation import annotated
from tests.unit.figures.embedded import bare


@pytest.mark.slow
def test_the_figure_is_drawn() -> None:
    """It is drawn of annotated cells."""
    summary = annotated()
    assert ANNOTATION_CLUSTERS.draw(summary).axes
    assert len(ANNOTATION_CLUSTERS.caption(summary)) > 40


def test_without_types_the_figure_is_left_out() -> None:
    """It has a reason to draw nothing of cells that are not annotated."""
    with pytest.raises(ValueError, match="the file has no"):
        ANNOTATION_CLUSTERS.draw(bare(annotation=None))
