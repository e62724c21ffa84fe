"""Strata as a table and a document: ``strata.csv`` and ``summary.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dpss.summary.embedding_tables import csv_bytes
from dpss.summary.frames import frame_of
from dpss.summary.limits import SAMPLED
from dpss.summary.quantiles import PERCENTS, quantile_of, quantiles_of, without_noise
from dpss.summary.record import GeneStatistics, Summary
from dpss.summary.strata import COMPARED, Strata, Stratum

if TYPE_CHECKING:
    import pandas as pd

STRATUM_COLUMNS = (
    "stratum",
    "kind",
    "n_cells",
    "n_cells_kept",
    "pct_cells",
    "n_genes_detected",
    "n_nonzero",
    "n_highly_variable",
    *(f"{name}_p{q}" for name in COMPARED for q in PERCENTS),
    *(f"median_{name}" for name in SAMPLED),
    "odd",
)
"""Columns of ``strata.csv``, in order."""


def strata_rows(strata: Strata) -> list[tuple[Any, ...]]:
    """Return one row per stratum; ``None`` is undefined."""
    n_kept = sum(stratum.n_cells_kept for stratum in strata.strata)
    return [
        (
            each.name,
            str(each.kind),
            each.n_cells,
            each.n_cells_kept,
            without_noise(100 * each.n_cells_kept / n_kept) if n_kept else None,
            each.n_genes_detected,
            each.n_nonzero,
            each.n_highly_variable,
            *(quantile_of(each.measures.get(name), q) for name in COMPARED for q in PERCENTS),
            *(quantile_of(each.measures.get(name), 50) for name in SAMPLED),
            " ".join(each.odd),
        )
        for each in strata.strata
    ]


def strata_csv(strata: Strata) -> bytes:
    """Return the strata as UTF-8 CSV; the undefined is empty."""
    return csv_bytes(STRATUM_COLUMNS, strata_rows(strata))


def strata_frame(strata: Strata) -> pd.DataFrame:
    """Return the strata as a data frame."""
    return frame_of(strata_rows(strata), STRATUM_COLUMNS)


def strata_document(summary: Summary) -> dict[str, Any]:
    """Return the object for strata in ``summary.json``."""
    found = summary.strata
    if found is None:
        raise ValueError("there are no strata")
    return {
        "by": found.by,
        "n_values": found.n_values,
        "strata": [_document(each, summary.genes) for each in found.strata],
    }


def _document(stratum: Stratum, genes: GeneStatistics) -> dict[str, Any]:
    return {
        "name": stratum.name,
        "kind": str(stratum.kind),
        "n_cells": stratum.n_cells,
        "n_cells_kept": stratum.n_cells_kept,
        "n_genes_detected": stratum.n_genes_detected,
        "n_nonzero": stratum.n_nonzero,
        "n_highly_variable": stratum.n_highly_variable,
        "quantiles": {name: quantiles_of(stratum.measures.get(name)) for name in COMPARED},
        **{f"median_{name}": quantile_of(stratum.measures.get(name), 50) for name in SAMPLED},
        "highest_expr_genes": _named(genes, stratum.highest_expr),
        "genes_by_cell_count": _named(genes, stratum.cell_count),
        "highly_variable_genes": _named(genes, stratum.variable),
        "odd": list(stratum.odd),
    }


def _named(genes: GeneStatistics, indices: Any) -> list[dict[str, str]]:
    return [
        {"gene_id": str(genes.gene_id[g]), "gene_name": str(genes.gene_name[g])}
        for g in np.asarray(indices).tolist()
    ]
