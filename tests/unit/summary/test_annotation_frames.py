"""Data frames of annotated types."""

from __future__ import annotations

import dataclasses

import pytest

from tests.unit.engine.test_annotation import annotated


def test_without_an_annotation_the_reason_is_told() -> None:
    """Frames have a line per type and marker; without types there is an error."""
    summary = annotated()
    assert summary.annotation is not None
    assert len(summary.annotations_table()) == len(summary.annotation.types)
    assert len(summary.annotation_markers_table()) == len(summary.annotation.markers)
    bare = dataclasses.replace(summary, annotation=None)
    with pytest.raises(ValueError, match="no annotation"):
        bare.annotations_table()
