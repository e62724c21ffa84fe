"""The matrices of a portal as MultiQC custom content.

Three documents: columns of the table of all tools (General Statistics), a table of its own with
verdicts in words, and box plots of the cells of all matrices side by side. Source of the form:
https://docs.seqera.io/multiqc/custom_content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from dpss.storage.plain_text import strip_control
from dpss.summary.peers import Peer, describe_all
from dpss.website.documents import QUANTILES
from dpss.website.multiqc_names import sample_names
from dpss.website.records import MatrixRecord

FOLDER = "multiqc/"
"""Folder of the documents in an output."""
_STATUSES = {status: [{"s_eq": status}] for status in ("pass", "warn", "fail")}
"""Rules by which MultiQC colours a status."""
_STATUS = {
    "title": "Checks",
    "description": "Worst outcome of the checks of the matrix; `warn` also where medians stand "
    "apart from those of the project's other matrices, or something was assumed",
    "scale": False,
    "cond_formatting_rules": _STATUSES,
}
_POLICY = {
    "title": "Policy",
    "description": "Worst outcome of the rules of the policy that the matrix was judged by",
    "scale": False,
    "cond_formatting_rules": _STATUSES,
}
_EXPECTED = {
    "title": "Expected cells",
    "description": "Cells that the experiment was planned to yield, as the sample sheet states",
    "format": "{:,.0f}",
    "scale": False,
    "min": 0,
}
_ESTIMATED = {
    **_EXPECTED,
    "title": "Look like cells",
    "description": "Barcodes above the knee of a matrix of all droplets, to compare with the "
    "expected cells",
}
_TEXTS = {
    "group": {
        "title": "Group",
        "description": "Group of the sample sheet, within which medians are compared",
        "scale": False,
    },
    "chemistry": {
        "title": "Chemistry",
        "description": "Chemistry of the library, as the sample sheet states it",
        "scale": False,
    },
    "apart": {
        "title": "Apart",
        "description": "Medians far from those of the project's other matrices: by 3 + 6/n median "
        "absolute deviations among n, and by a quarter",
        "scale": False,
    },
    "cautions": {
        "title": "Cautions",
        "description": "What the checks that do not pass say",
        "scale": False,
    },
    "assumed": {
        "title": "Assumed",
        "description": "What the file neither states nor shows, and numbers depend on",
        "scale": False,
    },
}
_COLUMNS: Mapping[str, Mapping[str, Any]] = {
    "n_cells_kept": {
        "title": "Cells",
        "description": "Cells that the statistics are of",
        "format": "{:,.0f}",
        "scale": "Blues",
        "min": 0,
    },
    "n_genes": {
        "title": "Genes",
        "description": "Genes of the matrix, detected or not",
        "format": "{:,.0f}",
        "scale": "Greys",
        "min": 0,
        "hidden": True,
    },
    "median_genes_per_cell": {
        "title": "Genes per cell",
        "description": "Median number of genes detected per cell",
        "format": "{:,.0f}",
        "scale": "Greens",
        "min": 0,
    },
    "median_counts_per_cell": {
        "title": "Counts per cell",
        "description": "Median sum of counts per cell",
        "format": "{:,.0f}",
        "scale": "Purples",
        "min": 0,
    },
    "median_pct_counts_mt": {
        "title": "% mitochondrial",
        "description": "Median percentage of a cell's counts in mitochondrial genes",
        "format": "{:,.1f}",
        "suffix": "%",
        "scale": "Oranges",
        "min": 0,
        "max": 100,
    },
}
_LABELS = {
    "n_genes_by_counts": ("Genes per cell", "Genes detected"),
    "total_counts": ("Counts per cell", "Counts"),
    "pct_counts_mt": ("Mitochondrial share", "% of counts"),
}
"""Name of a measure of cells in the plot, and its unit."""


def multiqc_documents(records: Sequence[MatrixRecord]) -> dict[str, dict[str, Any]]:
    """Return the documents of a portal by key; none without matrices."""
    if not records:
        return {}
    names = {folder: _text(name) for folder, name in sample_names(records).items()}
    apart = describe_all({
        each.folder: Peer(each.project_folder, each.name, each.peers, each.numbers)
        for each in records
    })  # fmt: skip
    rows = {names[record.folder]: _row(record, apart) for record in records}
    numbers = {
        name: {column: value for column, value in row.items() if column not in _TEXTS}
        for name, row in rows.items()
    }
    statuses = {"status": dict(_STATUS)}
    if any(record.policy for record in records):
        statuses["policy"] = dict(_POLICY)
    columns = {**{name: dict(column) for name, column in _COLUMNS.items()}, **statuses}
    texts = {
        name: dict(told) for name, told in _TEXTS.items() if any(name in r for r in rows.values())
    }
    if any("n_cells_expected" in row for row in rows.values()):
        columns = {"n_cells_expected": dict(_EXPECTED), **columns}
    if any("n_cells_estimated" in row for row in rows.values()):
        columns = {"n_cells_estimated": dict(_ESTIMATED), **columns}
    documents = {
        "general": {
            "id": "dpss_general",
            "plot_type": "generalstats",
            "namespace": "Count matrices",
            "headers": columns,
            "data": numbers,
        },
        "matrices": {
            "id": "dpss",
            "section_name": "Count matrices",
            "description": "Summary statistics of single-cell count matrices.",
            "plot_type": "table",
            "pconfig": {
                "id": "dpss_table",
                "title": "Count matrices",
                "namespace": "dpss",
                "col1_header": "Matrix",
            },
            "headers": {**columns, **texts},
            "data": rows,
        },
    }
    documents |= {
        f"cells_{name}": plot for name in QUANTILES if (plot := _plot(name, records, names))
    }
    return {f"{FOLDER}{name}_mqc.json": each for name, each in documents.items()}


def _row(record: MatrixRecord, apart: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    said = apart.get(record.folder, ())
    warned = record.checks["warn"] or said or record.assumed
    texts = {
        "group": record.peers if record.name else "",
        "chemistry": ", ".join(record.strata.get("chemistry", ())),
        "apart": " ".join(said),
        "cautions": " ".join(record.cautions),
        "assumed": " ".join(record.assumed),
    }
    return {
        **{name: record.numbers[name] for name in _COLUMNS if record.numbers[name] is not None},
        **_expected(record),
        "status": "fail" if record.checks["fail"] else "warn" if warned else "pass",
        **({"policy": record.policy} if record.policy else {}),
        **{name: _text(text) for name, text in texts.items() if text},
    }


def _expected(record: MatrixRecord) -> dict[str, float]:
    """Return the expected number of cells, if any, and its estimate, if any."""
    if record.n_cells_expected is None:
        return {}
    found: dict[str, float] = {"n_cells_expected": record.n_cells_expected}
    estimated = record.numbers["n_cells_estimated"]
    return found if estimated is None else {**found, "n_cells_estimated": estimated}


def _text(said: str) -> str:
    """Return a text for MultiQC, which puts it into its page as HTML.

    An apostrophe stays as it is (``10x 3' v3``): attributes of that page have double quotes.
    """
    return escape(strip_control(said), quote=False).replace('"', "&quot;")


def _plot(
    measure: str, records: Sequence[MatrixRecord], names: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return the box plot of one measure of cells, of all matrices side by side."""
    place = QUANTILES.index(measure)
    boxes = {}
    for record in records:
        spread = record.spreads[place]
        if spread is not None:
            low, q1, middle, q3, high = spread
            boxes[names[record.folder]] = {
                "min": low, "q1": q1, "median": middle, "q3": q3, "max": high, "mean": middle
            }  # fmt: skip
    if not boxes:
        return None
    title, unit = _LABELS[measure]
    return {
        "id": f"dpss_{measure}",
        "parent_id": "dpss_cells",
        "parent_name": "Cells of count matrices",
        "parent_description": "Cells of all matrices side by side: the middle half as a box, "
        "lines to the 5 % and the 95 % quantile.",
        "section_name": title,
        "plot_type": "box",
        "pconfig": {
            "id": f"dpss_{measure}_plot",
            "title": f"Count matrices: {title}",
            "xlab": unit,
            "xmin": 0,
        },
        "data": boxes,
    }
