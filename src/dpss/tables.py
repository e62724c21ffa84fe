"""Summaries as tables and documents: ``genes.csv``, ``summary.json`` and data frames."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from dpss.stats.ranks import UNRANKED
from dpss.summary import GeneStatistics, Summary

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
"""Number of the layout of ``summary.json``; `dpss/schemas/summary.schema.json` is it."""

GENE_COLUMNS = tuple(field.name for field in fields(GeneStatistics))
"""Columns of ``genes.csv``, in order."""


@dataclass(frozen=True)
class FigureInfo:
    """What is said of a figure beside it."""

    slug: str
    title: str
    caption: str
    left_out: str | None
    """Why there is no such figure, or ``None`` if there is."""


def genes_csv(genes: GeneStatistics) -> bytes:
    """Return the gene table as UTF-8 CSV, one line per gene; the undefined is empty."""
    out = _Lines()
    # Told of both characters that end a line, the writer quotes a name that holds either.
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(GENE_COLUMNS)
    writer.writerows(zip(*(_cells(genes, name) for name in GENE_COLUMNS), strict=True))
    return out.getvalue().encode()


class _Lines(io.StringIO):
    """Takes lines that end in CR LF, and ends them in LF."""

    def __init__(self) -> None:
        super().__init__(newline="")

    def write(self, line: str) -> int:
        return super().write(line.removesuffix("\r\n") + "\n")


def genes_frame(genes: GeneStatistics) -> pd.DataFrame:
    """Return the gene table as a data frame; ranks are nullable integers."""
    import pandas as pd

    frame = pd.DataFrame({name: getattr(genes, name) for name in GENE_COLUMNS})
    for name in GENE_COLUMNS:
        if name.startswith("rank_"):
            frame[name] = frame[name].astype("Int64").mask(frame[name] == UNRANKED)
    return frame


def summary_document(summary: Summary, figures: Sequence[FigureInfo]) -> dict[str, Any]:
    """Return the content of ``summary.json``.

    Args:
        summary: What is to be told.
        figures: All figures of the program in order, those left out too.
    """
    matrix = summary.matrix
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
        },
        "simulated": summary.demo,
        "values": str(summary.values),
        "n_cells": summary.n_cells,
        "n_cells_kept": summary.n_cells_kept,
        "n_genes": summary.n_genes,
        "n_nonzero": summary.n_nonzero,
        "total_counts": summary.total_counts,
        "median_genes_per_cell": summary.median_genes_per_cell,
        "median_counts_per_cell": summary.median_counts_per_cell,
        "median_pct_counts_mt": summary.median_pct_counts_mt,
        "highest_expr_genes": _highest_expr(summary),
        "genes_by_cell_count": _entries(
            summary, summary.top_cell_count(), ("n_cells_by_counts", "pct_dropout_by_counts")
        ),
        "highly_variable_genes": _entries(
            summary,
            summary.top_variable(),
            ("means", "dispersions", "dispersions_norm", "highly_variable"),
        ),
        "checks": [
            {"name": check.name, "status": check.status, "message": check.message}
            for check in summary.checks
        ],
        "figures": [
            {
                "slug": figure.slug,
                "title": figure.title,
                "caption": figure.caption,
                "left_out": figure.left_out,
            }
            for figure in figures
        ],
        "provenance": {
            "version": summary.provenance.version,
            "settings": dict(summary.provenance.settings),
        },
    }


def json_bytes(document: Any) -> bytes:
    """Return a document as UTF-8 JSON, laid out for people, always the same way.

    Raises:
        ValueError: The document holds NaN or an infinite number.
    """
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    return (text + "\n").encode()


def _cells(genes: GeneStatistics, name: str) -> list[Any]:
    """Return one column as Python values, `None` for the undefined."""
    column = getattr(genes, name)
    values = column.tolist()
    if name.startswith("rank_"):
        return [None if value == UNRANKED else value for value in values]
    if column.dtype.kind == "f":
        return [None if math.isnan(value) else value for value in values]
    return list(values)


def _number(value: Any) -> Any:
    """Return a numpy scalar as a Python value, `None` for NaN."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _entries(summary: Summary, which: Any, columns: Sequence[str]) -> list[dict[str, Any]]:
    genes = summary.genes
    return [
        {
            "gene_id": str(genes.gene_id[g]),
            "gene_name": str(genes.gene_name[g]),
            **{name: _number(getattr(genes, name)[g]) for name in columns},
        }
        for g in which
    ]


def _highest_expr(summary: Summary) -> list[dict[str, Any]]:
    entries = _entries(summary, summary.top_highest_expr(), ("mean_pct_of_cell_counts",))
    for entry, box in zip(entries, summary.highest_expr_boxes, strict=True):
        entry["box"] = {
            "q1": box.q1,
            "median": box.median,
            "q3": box.q3,
            "whisker_low": box.whisker_low,
            "whisker_high": box.whisker_high,
            "n_outliers": box.n_outliers,
        }
    return entries
