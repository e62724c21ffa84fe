"""Tables of annotated types."""

from __future__ import annotations

import pytest

from dpss.summary.annotation_tables import (
    ANNOTATION_COLUMNS,
    annotation_document,
    annotation_marker_rows,
    annotation_rows,
)
from tests.unit.engine.test_annotation import annotated


@pytest.mark.slow
def test_the_document_has_the_lines_of_the_table() -> None:
    """Types in summary.json are those of annotations.csv; ranks begin at 1."""
    found = annotated().annotation
    assert found is not None
    document = annotation_document(found)
    assert [tuple(each[name] for name in ANNOTATION_COLUMNS) for each in document["types"]] == (
        annotation_rows(found)
    )
    rows = annotation_marker_rows(found, annotated().genes)
    for row, before in zip(rows[1:], rows, strict=False):
        assert row[1] == (before[1] + 1 if row[0] == before[0] else 1)
