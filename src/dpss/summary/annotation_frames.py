"""Annotated types as data frames, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        from dpss.summary.annotation_tables import annotations_frame

        return annotations_frame(self._annotated())

    def annotation_markers_table(self) -> pd.DataFrame:
        """Return the markers of all types with the columns of ``annotation_markers.csv``.

        Raises:
            ValueError: There are none.
        """
        from dpss.summary.annotation_tables import annotation_markers_frame

        return annotation_markers_frame(self._annotated(), self.genes)

    def _annotated(self) -> Annotation:
        if self.annotation is None:
            raise ValueError(
                "there is no annotation: the file has none, or embedding=False was given"
            )
        return self.annotation
