"""The table of what a file states by CELLxGENE's schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dpss.errors import plural
from dpss.summary.cellxgene import TERM_FIELDS
from dpss.summary.numerals import percent

_MOST_SHOWN = 5
"""Most terms of a field in the table."""


def schema_table(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return name, caption and rows of the table; ``None`` without the schema.

    Args:
        document: The matrix's summary.

    Returns:
        Each row has ``title``, ``terms`` (label, id and share of the cells) and ``more``, a
        sentence on what is not listed.
    """
    report = document.get("cellxgene")
    if report is None:
        return None
    n_cells = document["n_cells"]
    known = [each for each in report["terms"] if each["field"] in TERM_FIELDS]
    rows = [_row_of_field(each, n_cells) for each in known]
    if report["n_primary_data"] is not None:
        said = f"{plural(report['n_primary_data'], 'cell')} of this data set's own"
        share = _share(report["n_primary_data"], n_cells)
        entry = {"label": said, "id": "", "share": share}
        # Documents of earlier versions do not have the number.
        more = _without(report.get("n_primary_missing"))
        rows.insert(0, {"title": "Primary data", "terms": [entry], "more": more})
    version = report["schema_version"]
    return {
        "name": f"CELLxGENE schema {version}" if version else "CELLxGENE schema",
        "caption": f"As the file states it, of {plural(n_cells, 'cell')}"
        + ("" if report["title"] is None else f": {report['title']}"),
        "rows": rows,
        "missing": ", ".join(report["missing_fields"]),
    }


def _row_of_field(found: Mapping[str, Any], n_cells: int) -> dict[str, Any]:
    terms: Sequence[Mapping[str, Any]] = found["terms"][:_MOST_SHOWN]
    entries = [
        {
            "label": each["label"] or each["ontology_term_id"],
            # "unknown" and "na" are labels and identifiers of themselves.
            "id": (each["ontology_term_id"] or "")
            if each["label"] not in (None, "", each["ontology_term_id"])
            else "",
            "share": _share(each["n_cells"], n_cells),
        }
        for each in terms
    ]
    n_more = found["n_terms"] - len(terms)
    more = [f"{n_more:,} more"] if n_more else []
    more += [_without(found["n_missing"])] if found["n_missing"] else []
    return {"title": TERM_FIELDS[found["field"]], "terms": entries, "more": ", ".join(more)}


def _share(n: int, n_cells: int) -> str:
    return percent(100 * n / n_cells) if n_cells else "–"


def _without(n: int | None) -> str:
    return f"{plural(n, 'cell')} without" if n else ""
