"""The files of a summary that are not drawn: tables, and the summary itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dpss.errors import CorruptMatrixError
from dpss.job import publication
from dpss.summary.manifest import NOTHING, Manifest, manifest_of, sha256_of

if TYPE_CHECKING:
    from dpss.summary.record import Summary

Files = dict[str, bytes]
"""Files by name."""


def tables_of(summary: Summary) -> Files:
    """Return the tables of a summary by file name, those for pages included."""
    from dpss.summary.tables import genes_csv
    from dpss.website.genes.lookup import gene_files
    from dpss.website.plots import plots_json

    table = genes_csv(summary.genes, summary.strata)
    more: dict[str, bytes] = {}
    if summary.embedding is not None:
        from dpss.summary.embedding_tables import clusters_csv, markers_csv

        more[publication.CLUSTERS] = clusters_csv(summary.embedding)
        more[publication.MARKERS] = markers_csv(summary.embedding, summary.genes)
    if summary.annotation is not None:
        from dpss.summary.annotation_tables import annotation_markers_csv, annotations_csv

        more[publication.ANNOTATIONS] = annotations_csv(summary.annotation)
        if summary.annotation.markers:
            more[publication.ANNOTATION_MARKERS] = annotation_markers_csv(
                summary.annotation, summary.genes
            )
    if summary.strata is not None:
        from dpss.summary.strata_tables import strata_csv

        more[publication.STRATA] = strata_csv(summary.strata)
    return {
        publication.GENES: table,
        **more,
        **gene_files(summary.genes, sha256_of(table)),
        publication.PLOTS: plots_json(summary),
    }


def with_summary(summary: Summary, files: Mapping[str, bytes], more: Manifest = NOTHING) -> Files:
    """Return a matrix's files by name with ``summary.json``, which lists them, last.

    Args:
        summary: The summary.
        files: All other files.
        more: Files that are made elsewhere.

    Raises:
        CorruptMatrixError: The summary does not match its schema.
    """
    from dpss.figures.registry import figure_infos
    from dpss.summary.tables import json_bytes, summary_document
    from dpss.website.schemas import schema
    from dpss.website.validation import fault

    document = summary_document(summary, figure_infos(summary), manifest_of(files, more))
    if found := fault(document, schema("summary")):
        raise CorruptMatrixError(f"summary.json would break its schema: {found}")
    return {**files, publication.SUMMARY: json_bytes(document)}
