"""Columns of an AnnData object, held against scanpy's own."""

from __future__ import annotations

from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import dpss
from dpss.demo.cells import Tissue, simulate
from dpss.stats.cell_records import RECORD
from dpss.stats.cell_tallies import percentages
from dpss.summary.object_annotation import cell_columns
from tests.examples import examples
from tests.libraries import scanpy
from tests.unit.small import counts

OBS = ("n_genes_by_counts", "total_counts", "pct_counts_mt")
VAR = ("n_cells_by_counts", "mean_counts", "pct_dropout_by_counts", "total_counts")
KINDS: dict[str, Any] = {
    "csr": sp.csr_matrix,
    "csc": sp.csc_matrix,
    "dense": lambda matrix: matrix,
}


def adata_of(matrix: Any) -> anndata.AnnData:
    """Return an object with names."""
    drawn = counts(3, n_cells=60)
    return anndata.AnnData(
        matrix,
        obs=pd.DataFrame(index=list(drawn.barcodes)),
        var=pd.DataFrame({"gene_ids": list(drawn.ids)}, index=list(drawn.symbols)),
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_columns_are_scanpys(kind: str) -> None:
    """The same names and numbers as of `calculate_qc_metrics`, of each kind of matrix."""
    sc = scanpy()
    drawn = simulate(Tissue(("T cell", "B cell"), 60, 300, 2000, 0.1), 3)
    matrix = drawn.matrix.astype(np.float32)
    ours, theirs = (
        anndata.AnnData(
            made,
            obs=pd.DataFrame(index=list(drawn.barcodes)),
            var=pd.DataFrame(index=list(drawn.symbols)),
        )
        for made in (KINDS[kind](matrix), sp.csr_matrix(matrix))
    )
    dpss.summarize(ours, embedding=False).annotate(ours)
    theirs.var["mt"] = ours.var["mt"]
    sc.pp.calculate_qc_metrics(theirs, qc_vars=["mt"], percent_top=None, inplace=True)
    for frame, expected, names in ((ours.obs, theirs.obs, OBS), (ours.var, theirs.var, VAR)):
        for name in names:
            np.testing.assert_allclose(frame[name], expected[name], rtol=1e-6)
    assert "dpss_cluster" not in ours.obs


def test_cells_that_were_left_out_have_no_value() -> None:
    """Theirs are NaN, all others stand in the object's order."""
    matrix = counts(3, n_cells=60).matrix.astype(np.float32)
    matrix[7] = 0
    adata = adata_of(sp.csr_matrix(matrix))
    dpss.summarize(adata, embedding=False, min_gene_count=1).annotate(adata)
    assert np.flatnonzero(adata.obs["n_genes_by_counts"].isna()).tolist() == [7]
    kept = np.arange(60) != 7
    np.testing.assert_array_equal(adata.obs["total_counts"][kept], matrix.sum(axis=1)[kept])


def test_a_feature_that_is_no_gene_has_no_value() -> None:
    """A tag is left out of the genes; the others are found by their names."""
    matrix = counts(3, n_cells=60).matrix.astype(np.float32)
    adata = adata_of(matrix)
    adata.var["feature_types"] = ["Antibody Capture", *["Gene Expression"] * (matrix.shape[1] - 1)]
    dpss.summarize(adata, embedding=False).annotate(adata)
    assert np.flatnonzero(adata.var["total_counts"].isna()).tolist() == [0]
    np.testing.assert_array_equal(adata.var["total_counts"][1:], matrix.sum(axis=0)[1:])
    assert not adata.var["highly_variable"].iloc[0]


@pytest.mark.parametrize("what", ["cells", "genes", "twice"])
def test_another_object_stays_as_it_was(what: str) -> None:
    """Other cells or genes are refused before anything is written."""
    adata = adata_of(counts(3, n_cells=60).matrix.astype(np.float32))
    summary = dpss.summarize(adata, embedding=False)
    other = adata[:50].copy() if what == "cells" else adata.copy()
    if what == "genes":
        other.var_names = [f"x{name}" for name in other.var_names]
    if what == "twice":
        other = other[:, [0, 0, *range(2, other.n_vars)]].copy()
    with pytest.raises(ValueError, match="give the"):
        summary.annotate(other)
    assert "total_counts" not in other.obs
    assert "total_counts" not in other.var


@settings(max_examples=examples(60))
@given(st.lists(st.tuples(st.integers(-1, 9), st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_columns_of_any_records(drawn: list[tuple[int, int, int]]) -> None:
    """Percentages are those of cells.csv, from 0 to 100; only cells that are not kept are NaN."""
    records = np.array([(n, m + t, m) for n, t, m in drawn], dtype=RECORD)
    columns = cell_columns(records, mt=True)
    for values in columns.values():
        assert np.isnan(values.astype(float)).tolist() == [n < 0 for n, _, _ in drawn]
    share = columns["pct_counts_mt"]
    assert ((share[~np.isnan(share)] >= 0) & (share[~np.isnan(share)] <= 100)).all()
    expected = percentages(records["total_mt"], records["total"])
    np.testing.assert_array_equal(share, np.where(records["n_genes"] >= 0, expected, np.nan))
    assert list(cell_columns(records, mt=False)) == ["n_genes_by_counts", "total_counts"]
