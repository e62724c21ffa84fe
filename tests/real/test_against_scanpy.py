"""Real matrices: the program's numbers against scanpy's on the same counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

from dpss.summary.record import Summary
from tests.libraries import scanpy
from tests.oracle import assert_agrees, scanpy_genes, scanpy_shares
from tests.summarise import summarise


def _h5ad(path: Path) -> Any:
    return anndata.read_h5ad(path).X


def _tenx_v3(path: Path) -> Any:
    sc = scanpy()

    return sc.read_10x_h5(path, gex_only=True).X


def _tenx_v2(path: Path) -> Any:
    sc = scanpy()

    return sc.read_10x_h5(path, genome="hg19_chr21").X


def _mtx_folder(path: Path) -> Any:
    sc = scanpy()

    return sc.read_10x_mtx(path).X


def _mtx_zip(path: Path) -> Any:
    import gzip
    import zipfile

    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.endswith("matrix.mtx.gz"))
        with archive.open(name) as member, gzip.open(member) as text:
            return sp.csr_matrix(scipy.io.mmread(text).T)


CASES: dict[str, Callable[[Path], Any]] = {
    "pbmc4k_csr_gzip.h5ad": _h5ad,
    "paul15_dense.h5ad": _h5ad,
    "dentategyrus_layers.h5ad": _h5ad,
    "tenx_v3.h5": _tenx_v3,
    "tenx_v2.h5": _tenx_v2,
    "tenx_v3_mtx": _mtx_folder,
    "00000000-0000-4000-8000-000000000001.mtx.zip": _mtx_zip,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_genes_agree_with_scanpy(name: str, real_data: Path) -> None:
    """Every column of the gene table is what scanpy computes in float64."""
    counts = CASES[name](real_data / name)
    summary = summarise(real_data / name)
    assert (summary.n_cells, summary.n_genes) == counts.shape
    assert_agrees(summary.genes, scanpy_genes(counts))


@pytest.mark.parametrize("name", ["pbmc4k_csr_gzip.h5ad", "paul15_dense.h5ad"])
def test_kept_cells_agree_with_scanpy(name: str, real_data: Path) -> None:
    """Leaving out cells with few genes is the same as scanpy's filter_cells first."""
    counts = CASES[name](real_data / name)
    summary = summarise(real_data / name, min_gene_count=1200)
    kept = np.asarray((counts > 0).sum(axis=1)).ravel() >= 1200
    assert 0 < summary.n_cells_kept == np.count_nonzero(kept) < summary.n_cells
    assert_agrees(summary.genes, scanpy_genes(counts, min_gene_count=1200))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_cells_agree_with_numpy(name: str, real_data: Path) -> None:
    """Totals and medians over cells are exactly what numpy computes."""
    counts = sp.csr_matrix(CASES[name](real_data / name)).astype(np.float64)
    counts.eliminate_zeros()
    summary = summarise(real_data / name)
    totals = np.asarray(counts.sum(axis=1)).ravel()
    assert summary.total_counts == totals.sum()
    assert summary.n_nonzero == counts.nnz
    assert summary.median_counts_per_cell == np.median(totals)
    assert summary.median_genes_per_cell == np.median(np.diff(counts.indptr))
    if summary.pct_counts_mt is not None:
        mt = np.asarray(counts[:, summary.genes.mitochondrial].sum(axis=1)).ravel()
        percents = np.divide(100 * mt, totals, out=np.zeros_like(mt), where=totals > 0)
        assert summary.median_pct_counts_mt == pytest.approx(np.median(percents), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pbmc4k_csr_gzip.h5ad", "paul15_dense.h5ad", "tenx_v3.h5"])
def test_boxes_agree_with_numpy(name: str, real_data: Path) -> None:
    """Quantiles of the box plots are within 0.5 % of those of all cells."""
    shares = scanpy_shares(CASES[name](real_data / name))
    summary = summarise(real_data / name)
    for gene, box in zip(summary.top_highest_expr(), summary.highest_expr_boxes, strict=True):
        expected = np.quantile(shares[:, gene], [0.25, 0.5, 0.75])
        np.testing.assert_allclose([box.q1, box.median, box.q3], expected, rtol=5e-3)


def test_pbmc4k_by_heart(real_data: Path) -> None:
    """The numbers that the data's description states."""
    summary: Summary = summarise(real_data / "pbmc4k_csr_gzip.h5ad")
    malat1 = np.flatnonzero(summary.genes.gene_name == "MALAT1")
    assert summary.genes.total_counts[malat1].tolist() == [470_405]
    assert int((summary.genes.n_cells_by_counts == 0).sum()) == 15_326
