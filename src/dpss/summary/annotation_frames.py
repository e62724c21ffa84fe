"""Annotated types as data frames, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.summary.frames import frame_of

if TYPE_CHECKING:
    import pandas as pd

    from dpss.summary.annotation import Annotation
    from dpss.summary.record import GeneStatistics


class AnnotationFrames:
    """Data frames of a summary's annotated types."""

    annotation: Annotation | None
    genes: GeneStatistics

    def annotations_table(self) -> pd.DataFrame:
        """Return the annotated types with the columns of ``annotations.csv``.

        Raises:
            ValueError: There are none.
        """
        from dpss.summary.annotation_tables import ANNOTATION_COLUMNS, annotation_rows

        return frame_of(annotation_rows(self._annotated()), ANNOTATION_COLUMNS)

    def annotation_markers_table(self) -> pd.DataFrame:
        """Return the markers of all types with the columns of ``annotation_markers.csv``.

        Raises:
            ValueError: There are none.
        """
        from dpss.summary.annotation_tables import (
            ANNOTATION_MARKER_COLUMNS,
            annotation_marker_rows,
        )

        rows = annotation_marker_rows(self._annotated(), self.genes)
        return frame_of(rows, ANNOTATION_MARKER_COLUMNS)

    def _annotated(self) -> Annotation:
        if self.annotation is None:
            raise ValueError(
                "there is no annotation: the file has none, or embedding=False was given"
            )
        return self.annotation
