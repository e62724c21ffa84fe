"""The table of a pipeline's own numbers beside those of this program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dpss.summary.numerals import number, percent
from dpss.summary.pipeline import PERCENTAGES, TITLES

_OURS = {
    "estimated_cells": "n_cells",
    "median_genes_per_cell": "median_genes_per_cell",
    "median_counts_per_cell": "median_counts_per_cell",
}
"""Numbers of ``summary.json`` that mean the same as a metric."""


def pipeline_table(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return name, caption and rows of the table; ``None`` without a pipeline.

    Args:
        document: The matrix's summary.
    """
    report = document.get("pipeline")
    if not report:
        return None
    rows = [
        {
            "title": TITLES[name],
            "theirs": percent(value) if name in PERCENTAGES else number(value),
            "ours": number(document[_OURS[name]]) if name in _OURS else "–",
        }
        for name, value in report["metrics"].items()
        if name in TITLES
    ]
    rows += _of_barcodes(report["unfiltered"])
    if not rows:
        return None
    files = [path.rpartition("/")[2] for path in report["files"]]
    caption = f"As in {' and '.join(files)}" if files else "Of all barcodes"
    return {"name": report["name"], "caption": caption, "rows": rows}


def _of_barcodes(unfiltered: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """Return the rows of the matrix of all barcodes, from which the cells were called."""
    if unfiltered is None:
        return []
    shown = {
        "All barcodes of the unfiltered matrix": number(unfiltered["n_barcodes"]),
        "Of these above the knee": number(unfiltered["n_cells_estimated"]),
        "Share of their counts in cells": percent(unfiltered["pct_counts_in_cells"]),
    }
    return [{"title": title, "theirs": "–", "ours": text} for title, text in shown.items()]
