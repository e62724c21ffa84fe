"""Data frames of annotated types."""

from __future__ import annotations

import pytest

from dpss.summary.annotation_frames import AnnotationFrames
from tests.unit.engine.test_annotation import annotated


@pytest.mark.slow
def test_there_is_a_line_per_type_and_marker() -> None:
    """Frames have a line per type and marker."""
    summary = annotated()
    assert summary.annotation is not None
    assert len(summary.annotations_table()) == len(summary.annotation.types)
    assert len(summary.annotation_markers_table()) == len(summary.annotation.markers)


def test_without_an_annotation_the_reason_is_told() -> None:
    """Without types there is an error."""
    frames = AnnotationFrames()
    frames.annotation = None
    for table in (frames.annotations_table, frames.annotation_markers_table):
        with pytest.raises(ValueError, match="no annotation"):
            table()
