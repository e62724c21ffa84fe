"""Documents of matrices, checked against the schema and completed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dpss.storage.json_text import parse_json
from dpss.website.schemas import schema
from dpss.website.validation import fault

LATER = (
    "n_cells_estimated",
    "median_pct_counts_ribo",
    "median_pct_counts_hb",
    "median_pct_counts_in_top_50_genes",
    "median_complexity",
)
"""Names of header numbers that summaries of earlier versions do not have."""
QUANTILES = ("n_genes_by_counts", "total_counts", "pct_counts_mt")
"""Measures of cells whose quantiles are in ``summary.json``."""
ADDED: Mapping[str, Any] = {
    "reading": [],
    "quantiles": dict.fromkeys(QUANTILES),
    **dict.fromkeys(LATER),
    "droplets": None,
    "thresholds": [],
    "policy": [],
}
"""Required fields of ``summary.json`` that earlier versions did not write, each with the value that
stands for a missing one."""


def parse_summary(data: bytes) -> dict[str, Any]:
    """Return a ``summary.json`` as a document of the schema.

    A document of an earlier version gets the fields of `ADDED` that it lacks.

    Raises:
        ValueError: The bytes are not such a document; the message says why.
    """
    try:
        document = parse_json(data)
    except ValueError as error:
        raise ValueError(f"is not JSON ({error})") from error
    if isinstance(document, dict):
        document = {**ADDED, **document}
    reason = fault(document, schema("summary"))
    if reason:
        raise ValueError(f"is no summary of this program: {reason}")
    checked: dict[str, Any] = document
    return checked
