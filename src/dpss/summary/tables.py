"""Summaries as ``genes.csv``, ``summary.json`` and data frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from dpss.stats.ranks import UNRANKED
from dpss.storage.plain_text import indented_json
from dpss.summary.csv_fields import csv_fields
from dpss.summary.frames import frame_of
from dpss.summary.limits import SAMPLED
from dpss.summary.manifest import Manifest, manifest_document
from dpss.summary.quantiles import quantiles_of
from dpss.summary.record import GeneStatistics, Summary

if TYPE_CHECKING:
    import pandas as pd

    from dpss.model import Decision
    from dpss.summary.droplets import Droplets
    from dpss.summary.strata import Strata

SCHEMA = 1
"""Version of the layout of ``summary.json``; its schema is in `dpss/website/schemas`."""

N_VARIABLE_IN = "highly_variable_nbatches"
"""Column of ``genes.csv``: scanpy's name for the number of strata in which a gene is variable."""

_GENES_AT_A_TIME = 1 << 11
"""Genes whose fields are converted to text at a time, about a kilobyte each: more cost memory, and
time, as the texts leave the processor's cache."""

GENE_COLUMNS = tuple(field.name for field in fields(GeneStatistics))
"""Columns of ``genes.csv``, in order."""


@dataclass(frozen=True)
class FigureInfo:
    """Title, caption and state of a figure, for ``summary.json``."""

    slug: str
    title: str
    caption: str
    left_out: str | None
    """Reason why the figure is left out; ``None`` if it is drawn."""


def genes_csv(genes: GeneStatistics, strata: Strata | None = None) -> bytes:
    """Return the gene table as UTF-8 CSV, one line per gene; the undefined is empty.

    Columns are converted to text one by one, which is twice as fast as row by row.

    Args:
        genes: The gene table.
        strata: Strata, which add a last column: the number of strata in which a gene is variable.
    """
    titles = GENE_COLUMNS if strata is None else (*GENE_COLUMNS, N_VARIABLE_IN)
    text = [",".join(titles).encode()]
    for first in range(0, len(genes), _GENES_AT_A_TIME):
        part = slice(first, first + _GENES_AT_A_TIME)
        columns = [csv_fields(getattr(genes, name)[part], name) for name in GENE_COLUMNS]
        if strata is not None:
            columns.append(map(str, strata.n_variable_in[part].tolist()))
        text.append("\n".join(map(",".join, zip(*columns, strict=True))).encode())
    return b"\n".join((*text, b""))


def genes_frame(genes: GeneStatistics) -> pd.DataFrame:
    """Return the gene table as a data frame; ranks are nullable integers."""
    frame = frame_of({name: getattr(genes, name) for name in GENE_COLUMNS})
    for name in GENE_COLUMNS:
        if name.startswith("rank_"):
            frame[name] = frame[name].astype("Int64").mask(frame[name] == UNRANKED)
    return frame


_BOX = ("q1", "median", "q3", "whisker_low", "whisker_high", "n_outliers")


def summary_document(
    summary: Summary, figures: Sequence[FigureInfo], files: Manifest = MappingProxyType({})
) -> dict[str, Any]:
    """Return the content of ``summary.json``.

    Args:
        summary: The summary.
        figures: All figures of the program in order, also those left out.
        files: Size and checksum of every other file of the publication.
    """
    matrix, expected = summary.matrix, summary.n_cells_expected
    return {
        "schema": SCHEMA,
        "project": {"id": summary.project_id, "title": summary.project_title},
        "matrix": {
            "name": matrix.name,
            "url": matrix.url,
            "format": matrix.format,
            "layer": matrix.layer,
            "fingerprint": matrix.fingerprint,
            "strata": {name: list(values) for name, values in sorted(matrix.strata.items())},
            **({"peers": matrix.peers} if matrix.peers else {}),
        },
        "simulated": summary.demo,
        "values": str(summary.values),
        "n_cells": summary.n_cells,
        "n_cells_kept": summary.n_cells_kept,
        "n_cells_estimated": summary.droplets.knee.n_cells if summary.droplets else None,
        **({} if expected is None else {"n_cells_expected": expected}),
        "droplets": _droplets_document(summary.droplets),
        "n_genes": summary.n_genes,
        "n_nonzero": summary.n_nonzero,
        "total_counts": summary.total_counts,
        "median_genes_per_cell": summary.median_genes_per_cell,
        "median_counts_per_cell": summary.median_counts_per_cell,
        "median_pct_counts_mt": summary.median_pct_counts_mt,
        "quantiles": quantiles_document(summary),
        **{f"median_{name}": summary.median_of(name) for name in SAMPLED},
        "highest_expr_genes": _highest_expr(summary),
        "genes_by_cell_count": _entries(
            summary, summary.top_cell_count(), ("n_cells_by_counts", "pct_dropout_by_counts")
        ),
        "highly_variable_genes": _entries(
            summary,
            summary.top_variable(),
            ("means", "dispersions", "dispersions_norm", "highly_variable"),
        ),
        **_optional_sections(summary),
        "checks": [asdict(each) for each in summary.checks],
        "thresholds": [asdict(each) for each in summary.thresholds],
        "policy": [asdict(each) for each in summary.policy],
        "reading": reading_document(summary.reading),
        "figures": [asdict(each) for each in figures],
        "provenance": {
            "version": summary.provenance.version,
            "settings": dict(summary.provenance.settings),
        },
        "files": manifest_document(files),
    }


def quantiles_document(summary: Summary) -> dict[str, dict[str, float | None] | None]:
    """Return quantiles over the kept cells by measure; ``None`` without observations."""
    return {
        "n_genes_by_counts": quantiles_of(summary.n_genes_by_counts),
        "total_counts": quantiles_of(summary.counts_per_cell),
        "pct_counts_mt": quantiles_of(summary.pct_counts_mt),
    }


def _optional_sections(summary: Summary) -> dict[str, Any]:
    """Return the objects of ``summary.json`` that not every matrix has."""
    found: dict[str, Any] = {}
    if summary.embedding is not None or summary.no_embedding_reason:
        from dpss.summary.embedding_tables import embedding_document

        found["embedding"] = embedding_document(summary.embedding, summary.no_embedding_reason)
    if summary.annotation is not None:
        from dpss.summary.annotation_tables import annotation_document

        found["annotation"] = annotation_document(summary.annotation)
    if summary.strata is not None:
        from dpss.summary.strata_tables import strata_document

        found["strata"] = strata_document(summary)
    if summary.pipeline is not None:
        from dpss.summary.pipeline import pipeline_document

        found["pipeline"] = pipeline_document(summary.pipeline)
    if summary.cellxgene is not None:
        from dpss.summary.cellxgene import schema_document

        found["cellxgene"] = schema_document(summary.cellxgene)
    return found


def _droplets_document(droplets: Droplets | None) -> dict[str, float] | None:
    if droplets is None:
        return None
    knee = droplets.knee
    return {
        "min_counts": knee.min_counts,
        "n_background": knee.n_background,
        "median_counts": knee.median_counts,
        "median_genes": droplets.median_genes,
        "median_counts_background": knee.median_counts_background,
        "median_genes_background": droplets.median_genes_background,
    }


def reading_document(reading: Sequence[Decision]) -> list[dict[str, Any]]:
    """Return decisions about a file as objects of ``summary.json``."""
    return [{**asdict(each), "certainty": str(each.certainty)} for each in reading]


def json_bytes(document: Any) -> bytes:
    """Return a document as indented UTF-8 JSON; equal documents give equal bytes.

    Raises:
        ValueError: The document holds NaN or an infinite number.
    """
    return (indented_json(document, allow_nan=False) + "\n").encode()


def _number(value: Any) -> Any:
    """Return a numpy scalar as a Python value; ``None`` for NaN."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _entries(summary: Summary, indices: Any, columns: Sequence[str]) -> list[dict[str, Any]]:
    genes = summary.genes
    return [
        {
            "gene_id": str(genes.gene_id[g]),
            "gene_name": str(genes.gene_name[g]),
            **{name: _number(getattr(genes, name)[g]) for name in columns},
        }
        for g in indices
    ]


def _highest_expr(summary: Summary) -> list[dict[str, Any]]:
    entries = _entries(summary, summary.top_highest_expr(), ("mean_pct_of_cell_counts",))
    for entry, box in zip(entries, summary.highest_expr_boxes, strict=True):
        entry["box"] = {name: getattr(box, name) for name in _BOX}
    return entries
