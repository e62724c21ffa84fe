"""Annotated types as tables: ``annotations.csv`` and ``annotation_markers.csv``."""

from __future__ import annotations

from typing import Any

from dpss.stats.embedding.markers import round_digits
from dpss.summary.annotation import Annotation
from dpss.summary.embedding_tables import (
    CLUSTER_COLUMNS,
    MARKER_COLUMNS,
    csv_bytes,
    rows_of_groups,
    rows_of_markers,
)
from dpss.summary.record import GeneStatistics

ANNOTATION_COLUMNS = ("annotation", *CLUSTER_COLUMNS[1:])
"""Columns of ``annotations.csv``, in order."""
ANNOTATION_MARKER_COLUMNS = ("annotation", *MARKER_COLUMNS[1:])
"""Columns of ``annotation_markers.csv``, in order."""


def annotation_rows(annotation: Annotation) -> list[tuple[Any, ...]]:
    """Return one row per type, the largest first; ``None`` is undefined."""
    return rows_of_groups(((each.name, each) for each in annotation.types), annotation.n_cells)


def annotation_marker_rows(annotation: Annotation, genes: GeneStatistics) -> list[tuple[Any, ...]]:
    """Return one row per marker, best first within a type."""
    return rows_of_markers(annotation.markers, genes, [each.name for each in annotation.types])


def annotations_csv(annotation: Annotation) -> bytes:
    """Return the types as UTF-8 CSV; the undefined is empty."""
    return csv_bytes(ANNOTATION_COLUMNS, annotation_rows(annotation))


def annotation_markers_csv(annotation: Annotation, genes: GeneStatistics) -> bytes:
    """Return the markers of all types as UTF-8 CSV."""
    return csv_bytes(ANNOTATION_MARKER_COLUMNS, annotation_marker_rows(annotation, genes))


def annotation_document(annotation: Annotation) -> dict[str, Any]:
    """Return the object for an annotation in ``summary.json``."""
    index = annotation.adjusted_rand_index
    return {
        "column": annotation.column,
        "other_columns": list(annotation.other_columns),
        "coordinates": annotation.map.name if annotation.map else None,
        "other_coordinates": list(annotation.other_coordinates),
        "n_without_coordinates": annotation.map.n_left_out if annotation.map else None,
        "n_missing": annotation.n_missing,
        "adjusted_rand_index": None if index is None else round_digits(index),
        "no_markers_reason": annotation.no_markers_reason or None,
        "types": [
            dict(zip(ANNOTATION_COLUMNS, row, strict=True)) for row in annotation_rows(annotation)
        ],
    }
