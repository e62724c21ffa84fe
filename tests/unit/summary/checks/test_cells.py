"""Checks of the cells: shares beyond limits, medians, and what is not measured."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.summary.record import Check
from tests.summarise import summarise

N_GENES = 3000
MITOCHONDRIAL = [f"MT-ND{i}" for i in range(1, 11)]


def write(path: Path, x: np.ndarray, n_mitochondrial: int = 10) -> Path:
    """Write counts whose first genes are mitochondrial."""
    names = [*MITOCHONDRIAL[:n_mitochondrial], *(f"ZNF{i}" for i in range(x.shape[1]))]
    var = pd.DataFrame(index=names[: x.shape[1]])
    anndata.AnnData(sp.csr_matrix(x.astype(np.float32)), var=var).write_h5ad(path)
    return path


def counts(n_cells: int = 500, share: float = 0.03, seed: int = 1) -> np.ndarray:
    """Return cells of about 1,200 genes with this share of counts in ten mitochondrial genes."""
    return draw(n_cells, share, seed).astype(np.float64)


@cache
def draw(n_cells: int, share: float, seed: int) -> np.ndarray:
    """Draw the cells of `counts` once."""
    rng = np.random.default_rng(seed)
    rates = rng.lognormal(-0.8, 1, N_GENES)
    rates[:10] = share / (1 - share) * rates[10:].sum() / 10
    depth = rng.lognormal(0, 0.35, n_cells)
    return rng.poisson(rates * depth[:, None])


def dying(part: float, share: float = 0.5) -> np.ndarray:
    """Draw 500 cells, a part of which has this share of mitochondrial counts."""
    x = counts()
    n = round(part * len(x))
    x[:n] = counts(n, share, seed=2)
    return x


def checks_of(path: Path) -> dict[str, Check]:
    """Return the checks by name."""
    return {check.name: check for check in summarise(path).checks}


def test_good_cells_pass(tmp_path: Path) -> None:
    """Cells as they should be pass all checks of cells."""
    found = checks_of(write(tmp_path / "x.h5ad", counts()))
    for name in ("cells", "depth", "outliers", "mitochondrial_genes", "mitochondrial_share"):
        assert found[name].status == "pass", found[name]


@pytest.mark.slow
@pytest.mark.parametrize("part", [0.15, 0.34, 0.4])
def test_dying_cells_are_seen_below_the_median(tmp_path: Path, part: float) -> None:
    """Where 40 % of the cells have half of their counts in mitochondria, the median is fine."""
    found = checks_of(write(tmp_path / "dying.h5ad", dying(part)))["mitochondrial_share"]
    assert found.status == "warn"
    assert found.message.startswith(f"{part:.0%}"[:-1] + " % of cells are above 20 % mitochondrial")


def test_few_dying_cells_are_no_warning(tmp_path: Path) -> None:
    """Five per cent of the cells are told of, and pass."""
    found = checks_of(write(tmp_path / "x.h5ad", dying(0.05)))["mitochondrial_share"]
    assert (found.status, found.message[:15]) == ("pass", "5 % of cells ar")


@pytest.mark.parametrize("n_genes", [40, N_GENES])
def test_one_gene_per_cell_is_no_depth(tmp_path: Path, n_genes: int) -> None:
    """Neither of a whole genome nor of a panel, however many counts that gene has."""
    x = np.zeros((200, n_genes))
    x[np.arange(200), np.arange(200) % n_genes] = 50
    found = checks_of(write(tmp_path / "x.h5ad", x))
    assert found["depth"].status == "warn"
    assert found["depth"].message.startswith("100 % of cells have ")


@pytest.mark.parametrize(("rate", "status"), [(0.01, "warn"), (0.5, "pass")])
def test_panels_need_ten_counts(tmp_path: Path, rate: float, status: str) -> None:
    """A cell of a panel of 200 genes needs no 200 genes."""
    x = np.random.default_rng(3).poisson(rate, (300, 200))
    assert checks_of(write(tmp_path / "x.h5ad", x))["depth"].status == status


@pytest.mark.parametrize("n", [0, 1, 4])
def test_a_percentage_needs_five_genes(tmp_path: Path, n: int) -> None:
    """No percentage is given of fewer; the check is not passed but not measured."""
    summary = summarise(write(tmp_path / "x.h5ad", counts(200), n))
    assert summary.median_pct_counts_mt is None
    assert int(summary.genes.mitochondrial.sum()) == n
    found = {check.name: check for check in summary.checks}
    assert found["mitochondrial_share"].status == "not measured"
    assert found["mitochondrial_genes"].status == "warn"


def test_mitochondrial_genes_without_a_count(tmp_path: Path) -> None:
    """Where the genes are named and were left out, 0 % is no finding."""
    x = counts(200)
    x[:, :10] = 0
    found = checks_of(write(tmp_path / "x.h5ad", x))["mitochondrial_share"]
    assert found.status == "not measured"


def test_cells_that_are_all_the_same(tmp_path: Path) -> None:
    """Their deviation is 0, which tells nothing."""
    x = np.tile(counts(1), (150, 1))
    assert checks_of(write(tmp_path / "x.h5ad", x))["outliers"].status == "not measured"


def test_two_depths_are_outliers(tmp_path: Path) -> None:
    """A fifth of the cells with a twentieth of the counts is far from the median."""
    x = counts()
    x[:100] = np.random.default_rng(4).binomial(x[:100].astype(int), 0.05)
    found = checks_of(write(tmp_path / "x.h5ad", x))["outliers"]
    assert found.status == "warn"
    assert "20 % of cells have far fewer" in found.message
