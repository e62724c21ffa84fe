"""Metrics that a pipeline wrote beside its matrix, and the matrix of all barcodes.

Files of Cell Ranger (``count`` and ``multi``), STARsolo, alevin-fry, kb, Parse and BD's Rhapsody
pipeline, with the names that their documentation gives them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

MAX_BYTES = 1 << 26
"""Largest file of metrics that is read, in bytes; one of alevin-fry has a line per cell."""

TITLES = {
    "estimated_cells": "Cells",
    "median_genes_per_cell": "Median genes per cell",
    "median_counts_per_cell": "Median counts per cell",
    "n_genes_detected": "Genes detected",
    "sequencing_saturation": "Sequencing saturation",
    "mean_reads_per_cell": "Mean reads per cell",
    "n_reads": "Reads",
    "pct_valid_barcodes": "Reads with a valid barcode",
    "pct_reads_mapped": "Reads mapped",
    "pct_reads_in_cells": "Reads in cells",
}
"""Names of the metrics that are shown, with their titles, in order."""
PERCENTAGES = frozenset(
    {"sequencing_saturation", "pct_valid_barcodes", "pct_reads_mapped", "pct_reads_in_cells"}
)
"""Names of the metrics that are percentages, from 0 to 100."""
_NAMES = {
    "estimated number of cells": "estimated_cells",
    "cells": "estimated_cells",
    "number_of_cells": "estimated_cells",
    "num_quantified_cells": "estimated_cells",
    "median genes per cell": "median_genes_per_cell",
    "median gene per cell": "median_genes_per_cell",
    "median genefull per cell": "median_genes_per_cell",
    "median umi counts per cell": "median_counts_per_cell",
    "median umi per cell": "median_counts_per_cell",
    "total genes detected": "n_genes_detected",
    "total gene detected": "n_genes_detected",
    "total genefull detected": "n_genes_detected",
    "sequencing saturation": "sequencing_saturation",
    "sequencing_saturation": "sequencing_saturation",
    "mean reads per cell": "mean_reads_per_cell",
    "mean_reads_per_cell": "mean_reads_per_cell",
    "number of reads": "n_reads",
    "number_of_reads": "n_reads",
    "n_processed": "n_reads",
    "reads mapped to genome": "pct_reads_mapped",
    "reads mapped to genome: unique+multiple": "pct_reads_mapped",
    "p_pseudoaligned": "pct_reads_mapped",
    "valid barcodes": "pct_valid_barcodes",
    "reads with valid barcodes": "pct_valid_barcodes",
    "percentagereadsononlist": "pct_valid_barcodes",
    "putative_cell_count": "estimated_cells",
    "median_targets_per_cell": "median_genes_per_cell",
    "median_bioproducts_per_cell": "median_genes_per_cell",
    "median_molecules_per_cell": "median_counts_per_cell",
    "total_targets_detected": "n_genes_detected",
    "total_bioproducts_detected": "n_genes_detected",
    "total_reads_in_fastq": "n_reads",
    "pct_reads_from_putative_cells": "pct_reads_in_cells",
    "fraction reads in cells": "pct_reads_in_cells",
    "fraction of unique reads in cells": "pct_reads_in_cells",
}
"""Names of the metrics by those in the files, in lower case; the first of a file counts."""


@dataclass(frozen=True)
class Unfiltered:
    """The matrix of all barcodes, from which the cells of the matrix were called."""

    url: str
    """Its published address."""
    n_barcodes: int
    """Barcodes of the matrix, with counts or without."""
    n_cells_estimated: int | None
    """Barcodes above the knee; ``None`` where there is none."""
    total_counts: float
    """Sum of all counts."""
    pct_counts_in_cells: float | None
    """Percentage of these counts that the filtered matrix has; ``None`` without counts."""


@dataclass(frozen=True)
class PipelineReport:
    """Facts that a pipeline wrote beside a matrix, as it wrote them."""

    name: str
    """Name of the pipeline."""
    files: tuple[str, ...] = ()
    """Published addresses of the files of metrics."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Metrics by the names in `TITLES`."""
    unfiltered: Unfiltered | None = None
    """The matrix of all barcodes; ``None`` where there is none, or it can't be read."""


def pipeline_document(report: PipelineReport) -> dict[str, Any]:
    """Return a report as an object of ``summary.json``."""
    return {
        "name": report.name,
        "files": list(report.files),
        "metrics": {name: report.metrics[name] for name in TITLES if name in report.metrics},
        "unfiltered": asdict(report.unfiltered) if report.unfiltered else None,
    }


def parse_metrics(file_name: str, data: bytes) -> dict[str, float]:
    r"""Return the metrics that a file has, by the names in `TITLES`.

    >>> parse_metrics("Summary.csv", b"Number of Reads,1200\nSequencing Saturation,0.25\n")
    {'n_reads': 1200.0, 'sequencing_saturation': 25.0}

    Args:
        file_name: Name of the file.
        data: Its content.

    Raises:
        ValueError: The content does not have the form that the name states.
    """
    text = data.decode("utf-8-sig")
    if file_name.endswith("featureDump.txt"):
        return _of_feature_dump(text)
    if file_name.endswith("_Metrics_Summary.csv"):
        pairs = _of_sections(text)
    else:
        pairs = _of_json(text) if file_name.endswith(".json") else _of_csv(text)
    found: dict[str, float] = {}
    for name, raw in pairs:
        key = _NAMES.get(name.strip().lower())
        value = _number(raw)
        if key is None or value is None or key in found:
            continue
        share = key in PERCENTAGES and not raw.strip().endswith("%") and value <= 1
        # STARsolo and Parse write shares from 0 to 1; kb and Cell Ranger percentages.
        found[key] = 100 * value if share else value
    return found


def _of_csv(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of a table in one of three layouts."""
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if not rows:
        raise ValueError("an empty file")
    titles = [title.strip() for title in rows[0]]
    if "Metric Name" in titles and "Metric Value" in titles:
        yield from _of_multi(titles, rows[1:])
    elif len(titles) > 2 and len(rows) == 2:
        yield from zip(titles, rows[1], strict=False)
    else:
        yield from ((row[0], row[1]) for row in rows if len(row) > 1)


def _of_multi(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield the gene metrics of Cell Ranger multi, cells before the library."""
    entries = [dict(zip(titles, row, strict=False)) for row in rows]
    ours = [e for e in entries if e.get("Library Type", "Gene Expression") == "Gene Expression"]
    for category in ("Cells", "Library"):
        for entry in ours:
            grouped = entry.get("Grouped By", "")
            if entry.get("Category") == category and grouped in ("", "Physical library ID"):
                yield entry.get("Metric Name", ""), entry.get("Metric Value", "")


def _of_json(text: str) -> Iterator[tuple[str, str]]:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("no object")
    for name, value in document.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            # kb's percentages are from 0 to 100, those below 1 % as well.
            yield name, f"{value}%" if name.startswith("p_") else str(value)
    reads, unique = document.get("numReads"), document.get("numBarcodeUMIs")
    if isinstance(reads, int) and isinstance(unique, int) and reads > 0:
        # kb's `inspect.json` has the reads and their distinct pairs of barcode and UMI.
        yield "sequencing_saturation", f"{100 * (1 - unique / reads)}%"


def _of_sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield the metrics of BD's file: sections of a title, a header and lines.

    Of lines for several libraries the combined one is taken, of those for several kinds of
    molecules mRNA's. The first section counts where several have a metric: RSEC before DBEC.
    """
    sections: list[list[list[str]]] = []
    for row in csv.reader(io.StringIO(text)):
        filled = [field.strip() for field in row]
        if filled and filled[0].startswith("#"):
            sections.append([])
        elif any(filled) and sections:
            sections[-1].append(filled)
    if not any(sections):
        raise ValueError("sections are missing")
    for section in filter(None, sections):
        titles, *lines = section
        entries = [dict(zip(titles, line, strict=False)) for line in lines]
        best = max(entries, key=_priority_of_line, default={})
        for name, value in best.items():
            share = name.startswith("Pct_") or name == "Sequencing_Saturation"
            yield name, f"{value.removesuffix('%')}%" if share else value


def _priority_of_line(entry: Mapping[str, str]) -> tuple[bool, bool]:
    """Return the priority of a line of BD's file; the highest is taken."""
    kind = entry.get("Target_Type", entry.get("Bioproduct_Type", ""))
    return kind.lower() == "mrna", entry.get("Library", "").lower() == "combined_stats"


def _of_feature_dump(text: str) -> dict[str, float]:
    """Return saturation and reads per cell of alevin-fry's table of cells."""
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    if not rows or not {"CorrectedReads", "MappedReads", "DeduplicatedReads"} <= rows[0].keys():
        raise ValueError("columns are missing")
    reads, mapped, unique = (
        sum(float(row[name] or 0) for row in rows)
        for name in ("CorrectedReads", "MappedReads", "DeduplicatedReads")
    )
    found = {"mean_reads_per_cell": reads / len(rows)}
    if mapped:
        found["sequencing_saturation"] = 100 * (1 - unique / mapped)
    return {name: value for name, value in found.items() if _is_valid(value)}


def _number(raw: str) -> float | None:
    """Return a number such as ``1,234`` or ``97.4%``; ``None`` for other texts."""
    try:
        value = float(raw.strip().removesuffix("%").replace(",", ""))
    except ValueError:
        return None
    return value if _is_valid(value) else None


def _is_valid(value: float) -> bool:
    """Return whether a metric is a number of at least 0, not NaN and not infinite."""
    return 0 <= value < float("inf")
