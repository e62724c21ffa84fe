"""What scanpy, run independently in float64, says of the same counts."""

from __future__ import annotations

import warnings
from typing import Any

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp

from tests.libraries import scanpy


def scanpy_genes(counts: Any, min_gene_count: int = 0) -> pd.DataFrame:
    """Return the numbers of ``genes.csv`` as scanpy computes them.

    Args:
        counts: Cells × genes, sparse or dense.
        min_gene_count: Cells with fewer genes detected are left out.
    """
    sc = scanpy()

    matrix = sp.csr_matrix(counts).astype(np.float64)
    matrix.eliminate_zeros()
    adata = anndata.AnnData(matrix)
    warnings.filterwarnings("ignore", "Some cells have zero counts", UserWarning)
    if min_gene_count:
        sc.pp.filter_cells(adata, min_genes=min_gene_count)
    _, by_gene = sc.pp.calculate_qc_metrics(adata, percent_top=None, log1p=False)
    shares = sc.pp.normalize_total(adata, target_sum=100, inplace=False)["X"]
    normal = adata.copy()
    sc.pp.normalize_total(normal, target_sum=1e4)
    sc.pp.log1p(normal)
    variable = sc.pp.highly_variable_genes(normal, flavor="seurat", n_bins=20, inplace=False)
    frame = pd.DataFrame(
        {
            "n_cells_by_counts": by_gene["n_cells_by_counts"].to_numpy(),
            "pct_dropout_by_counts": by_gene["pct_dropout_by_counts"].to_numpy(),
            "total_counts": by_gene["total_counts"].to_numpy(),
            "mean_counts": by_gene["mean_counts"].to_numpy(),
            "mean_pct_of_cell_counts": np.asarray(shares.mean(axis=0)).ravel(),
        }
    )
    for name in ("means", "dispersions", "dispersions_norm", "highly_variable"):
        frame[name] = variable[name].to_numpy()
    return frame


def scanpy_shares(counts: Any) -> np.ndarray:
    """Return every cell's percentages, dense, as ``pl.highest_expr_genes`` computes them."""
    sc = scanpy()

    adata = anndata.AnnData(sp.csr_matrix(counts).astype(np.float64))
    shares = sc.pp.normalize_total(adata, target_sum=100, inplace=False)["X"]
    return np.asarray(shares.todense())


def assert_agrees(genes: Any, expected: pd.DataFrame) -> None:
    """Check a gene table against scanpy's numbers, as the contract promises it."""
    for name in ("n_cells_by_counts", "total_counts", "highly_variable"):
        np.testing.assert_allclose(
            getattr(genes, name), expected[name], rtol=1e-9, err_msg=name, equal_nan=True
        )
    for name in (
        "pct_dropout_by_counts", "mean_counts", "mean_pct_of_cell_counts", "means", "dispersions",
        "dispersions_norm",
    ):  # fmt: skip
        np.testing.assert_allclose(
            getattr(genes, name), expected[name], rtol=1e-6, atol=1e-9, err_msg=name, equal_nan=True
        )
    assert_same_order(genes.rank_highest_expr, expected["mean_pct_of_cell_counts"].to_numpy())
    assert_same_order(genes.rank_cell_count, expected["n_cells_by_counts"].to_numpy())
    assert_same_order(genes.rank_variability, expected["dispersions_norm"].to_numpy())


def assert_same_order(ranks: np.ndarray, values: np.ndarray) -> None:
    """Check that ranks go down the values, and leave out only the undefined."""
    assert ((ranks == 0) == np.isnan(values)).all()
    order = np.argsort(np.where(ranks == 0, len(ranks) + 1, ranks), kind="stable")
    ranked = values[order][: np.count_nonzero(ranks)]
    steps = np.diff(ranked)
    assert (steps <= 1e-6 * np.abs(ranked[:-1]) + 1e-9).all()
