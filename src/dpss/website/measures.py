"""Measures of cells in words: suggested limits, and further medians."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dpss.summary.numerals import number, percent

MEASURES = {
    "n_genes_by_counts": "Genes detected",
    "total_counts": "Counts",
    "pct_counts_mt": "Mitochondrial share",
    "pct_counts_in_top_50_genes": "Share of the top 50 genes",
    "complexity": "Complexity",
    "all together": "All together",
}
"""Names of the measures of cells on pages."""


def thresholds(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the suggested limits in words, with the cells that each keeps.

    Args:
        document: The matrix's summary; those of earlier versions have no limits.
    """
    n = document["n_cells_kept"]
    rows = []
    for each in document.get("thresholds", ()):
        name, limit = each["measure"], each["limit"]
        shown = percent(limit) if name.startswith("pct_") else number(limit)
        rows.append(
            {
                "measure": MEASURES.get(name, name),
                "limit": f"{each['side']} {shown}" if limit is not None else "",
                "source": each["source"],
                "n_kept": each["n_cells_kept"],
                "share": percent(100 * each["n_cells_kept"] / n) if n else "–",
            }
        )
    return rows


def further_medians(document: Mapping[str, Any]) -> str:
    """Return a sentence on further medians, and on why one is missing.

    Args:
        document: The matrix's summary; for those of earlier versions the sentence is empty.
    """
    if not document["n_cells_kept"] or not document.get("thresholds"):
        return ""
    haemoglobin, top = (document[f"median_pct_counts_{name}"] for name in ("hb", "in_top_50_genes"))
    complexity = document["median_complexity"]
    said = [
        f"haemoglobin {percent(haemoglobin)} of a cell’s counts"
        if haemoglobin is not None
        else "haemoglobin not measured (too few of its genes)",
        f"the top 50 genes {percent(top)}"
        if top is not None
        else "the top 50 genes not measured (the file is stored gene by gene)",
        f"complexity {number(complexity)}"
        if complexity is not None
        else "complexity not measured (too few counts)",
    ]
    return f"Further medians: {', '.join(said)}."
