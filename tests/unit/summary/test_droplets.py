"""Unfiltered droplet matrices: the knee, both groups of barcodes, and only the cells of them."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.summary.tables import summary_document
from tests.summarise import summarise

N_GENES = 2500


def depths(n: int, median: float, spread: float, seed: int) -> np.ndarray:
    """Draw total counts of cells."""
    return np.random.default_rng(seed).lognormal(np.log(median), spread, n).astype(int)


def ambient(n: int, median: float, seed: int = 9) -> np.ndarray:
    """Draw total counts of empty droplets."""
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.lognormal(np.log(median), 0.8, n))


def droplets(path: Path, n_cells: int = 300, n_empty: int = 4000) -> Path:
    """Write cells of about 1,000 genes among empty droplets, in mixed order."""
    rng = np.random.default_rng(5)
    rates = rng.lognormal(0, 1.2, N_GENES)
    rates /= rates.sum()
    totals = np.concatenate([depths(n_cells, 4000, 0.3, 6), ambient(n_empty, 12)])
    rng.shuffle(totals)
    x = np.stack([rng.multinomial(total, rates) for total in totals]).astype(np.float32)
    var = pd.DataFrame(index=[f"ZNF{i}" for i in range(N_GENES)])
    anndata.AnnData(sp.csr_matrix(x), var=var).write_h5ad(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("order", ["csr", "csc"])
def test_an_unfiltered_matrix(tmp_path: Path, order: str) -> None:
    """Both groups' medians are told with a warning; on demand only the cells are summarised."""
    path = droplets(tmp_path / "raw.h5ad")
    data = anndata.read_h5ad(path)
    if order == "csc":
        data.X = data.X.tocsc()
        data.write_h5ad(path)
    totals = np.asarray(data.X.sum(axis=1)).ravel()
    genes = np.asarray((data.X > 0).sum(axis=1)).ravel()
    summary = summarise(path)
    document = summary_document(summary, [])
    assert document["n_cells_estimated"] == 300
    knee = document["droplets"]
    above = totals >= knee["min_counts"]
    assert (knee["median_counts"], knee["median_genes"]) == (
        np.median(totals[above]), np.median(genes[above]),
    )  # fmt: skip
    assert knee["median_genes_background"] == np.median(genes[~above])
    (check,) = (check for check in summary.checks if check.name == "droplets")
    assert check.status == "warn"
    assert check.message.startswith("About 300 of 4,300 barcodes look like cells.")
    only = summarise(path, cells_above_knee=True)
    assert (only.n_cells, only.n_cells_kept) == (4300, 300)
    assert only.median_genes_per_cell == np.median(genes[above])
    assert int(only.genes.total_counts.sum()) == totals[above].sum()
    assert summary_document(only, [])["n_cells_estimated"] == 300


def test_called_cells_are_all_kept(tmp_path: Path) -> None:
    """Without a knee the option changes nothing."""
    path = droplets(tmp_path / "called.h5ad", n_empty=0)
    summary = summarise(path, cells_above_knee=True)
    assert summary.n_cells_kept == 300
    assert summary_document(summary, [])["n_cells_estimated"] is None
