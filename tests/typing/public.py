"""The public interface as a user's type checker sees it: `make types` runs pyright on this file."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import matplotlib.figure
import pandas as pd

import dpss
from dpss import Summary, summarize
from dpss.engine.call_options import Modalities
from dpss.errors import DpssError, MatrixError
from dpss.summary.cellxgene import SchemaReport
from dpss.summary.record import Check


def use(path: Path) -> int:
    """Use every public name; nothing of it is run."""
    try:
        summary = summarize(path, min_gene_count=200, by="donor_id", memory="8GB")
    except MatrixError as error:
        raise DpssError(str(error)) from error
    assert_type(summary, Summary)
    assert_type(dpss.__version__, str)
    assert_type(summary.title, str)
    assert_type(summary.n_cells, int)
    assert_type(summary.median_genes_per_cell, float | None)
    assert_type(summary.checks, tuple[Check, ...])
    assert_type(summary.cellxgene, SchemaReport | None)
    assert_type(summary.genes_table(), pd.DataFrame)
    assert_type(summary.clusters_table(), pd.DataFrame)
    assert_type(summary.markers_table(), pd.DataFrame)
    assert_type(summary.strata_table(), pd.DataFrame)
    assert_type(summary.cells_table(), pd.DataFrame)
    assert_type(summary.figures(), dict[str, matplotlib.figure.Figure])
    assert_type(summary.gene_labels(summary.top_variable()), list[str])
    return summary.n_cells_kept


def use_several(path: Path, paths: list[Path], both: Modalities, many: list[Modalities]) -> None:
    """What is returned follows from the source and from the name of the matrix."""
    assert_type(summarize(paths), list[Summary])
    assert_type(summarize(paths, matrix="mm10"), list[Summary])
    assert_type(summarize(paths, matrix="*"), list[dict[str, Summary]])
    assert_type(summarize(path, matrix="*"), dict[str, Summary])
    assert_type(summarize(both), dict[str, Summary])
    assert_type(summarize(both, matrix="*"), dict[str, Summary])
    assert_type(summarize(both, matrix="rna"), Summary)
    assert_type(summarize(many), list[dict[str, Summary]])
    assert_type(summarize(many, matrix="*"), list[dict[str, Summary]])
    assert_type(summarize(many, matrix="rna"), list[Summary])
