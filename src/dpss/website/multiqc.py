"""The header numbers as MultiQC custom content (https://docs.seqera.io/multiqc/custom_content)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dpss.storage.plain_text import strip_control
from dpss.website.records import MatrixRecord

_ASSUMED = {
    "title": "Assumed",
    "description": "What the file neither states nor shows, and numbers depend on",
    "scale": False,
}
_POLICY = {
    "title": "Policy",
    "description": "Worst outcome of the rules of the policy that the matrix was judged by",
    "scale": False,
    "cond_formatting_rules": {status: [{"s_eq": status}] for status in ("pass", "warn", "fail")},
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


def multiqc_document(record: MatrixRecord) -> dict[str, Any]:
    """Return the content of a matrix's ``summary_mqc.json``.

    All matrices of a portal have the same section id, so that MultiQC shows them in one
    table.
    """
    sample = strip_control(record.folder).replace("/", " | ")
    return {
        "id": "dpss",
        "section_name": "Count matrices",
        "description": "Summary statistics of single-cell count matrices as they were uploaded.",
        "plot_type": "table",
        "pconfig": {
            "id": "dpss_table",
            "title": "Count matrices",
            "namespace": "dpss",
            "col1_header": "Matrix",
        },
        "headers": {
            **{name: dict(column) for name, column in _COLUMNS.items()},
            **({"policy": dict(_POLICY)} if record.policy else {}),
            **({"assumed": dict(_ASSUMED)} if record.assumed else {}),
        },
        "data": {
            sample: {
                **{
                    name: record.numbers[name]
                    for name in _COLUMNS
                    if record.numbers[name] is not None
                },
                **({"policy": record.policy} if record.policy else {}),
                **({"assumed": strip_control(" ".join(record.assumed))} if record.assumed else {}),
            }
        },
    }
