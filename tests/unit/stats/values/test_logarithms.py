"""Logarithms to the bases e, 2 and 10 are undone in the base that the values show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.model import EntryBlock
from dpss.stats.values.kinds import ValueKind
from dpss.stats.values.sample_cells import GatheredCells
from dpss.summary.record import Summary
from tests.oracle import assert_agrees, scanpy_genes
from tests.summarise import summarise

CASE = Path(__file__).resolve().parents[3] / "cases" / "log-base" / "log2_cp10k.h5ad"
BASES = {"e": np.e, "2": 2.0, "10": 10.0}
LAYOUTS = (np.asarray, sp.csr_matrix, sp.csc_matrix)


def counts(seed: int = 1, n_cells: int = 200, n_genes: int = 60) -> np.ndarray:
    """Draw counts of cells of very different depth."""
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.3, 6, (n_cells, 1))
    drawn = rng.poisson(depth * rng.gamma(0.7, 2, n_genes)).astype(np.float64)
    drawn[:, 0] += 1
    return drawn


def log(x: np.ndarray, base: str) -> np.ndarray:
    """Return log(x + 1) to a base, in 32 bits."""
    return (np.log1p(x) / np.log(BASES[base])).astype("f4")


def per_cell(x: np.ndarray, total: float) -> np.ndarray:
    """Bring every cell to the same total."""
    return x / x.sum(axis=1, keepdims=True) * total


def write(path: Path, x: Any) -> Path:
    """Write an h5ad file."""
    names = [f"GENE{i}" for i in range(x.shape[1])]
    anndata.AnnData(x, var=pd.DataFrame(index=names)).write_h5ad(path)
    return path


def values_check(summary: Summary) -> str:
    """Return what the check of values says."""
    return next(c.message for c in summary.checks if c.name == "values")


def assert_undone(summary: Summary, true: np.ndarray, base: str) -> None:
    """Check that a summary is that of the values before the logarithm was taken."""
    assert summary.values is ValueKind.LOG_NORMALISED
    assert f"the base of the logarithm is {base}:" in values_check(summary)
    assert summary.total_counts == pytest.approx(true.sum(), rel=1e-5)
    np.testing.assert_allclose(summary.genes.total_counts, true.sum(axis=0), rtol=1e-4, atol=1e-4)


def test_the_case() -> None:
    """log2(CP10k + 1): every cell has 10,000."""
    summary = summarise(CASE)
    totals = summary.counts_per_cell.values
    np.testing.assert_allclose(totals[totals > 0], 10_000, rtol=1e-6)
    assert summary.median_pct_counts_mt == pytest.approx(10.43, abs=0.005)
    best = summary.top_highest_expr()[0]
    assert summary.genes.gene_name[best] == "GAPDH"
    assert summary.genes.mean_pct_of_cell_counts[best] == pytest.approx(7.707, abs=0.0005)
    assert "2^x - 1" in values_check(summary)


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("total", [1e4, 1e6, 543.0])
def test_equal_totals(tmp_path: Path, base: str, layout: Any, total: float) -> None:
    """Also where the file is stored gene by gene, and whatever the total is."""
    true = per_cell(counts(), total)
    summary = summarise(write(tmp_path / "x.h5ad", layout(log(true, base))))
    assert_undone(summary, true, base)
    assert "same total" in values_check(summary)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_whole_values(tmp_path: Path, base: str, layout: Any) -> None:
    """log(counts + 1) without a normalisation."""
    true = counts()
    summary = summarise(write(tmp_path / "x.h5ad", layout(log(true, base))))
    assert_undone(summary, true, base)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_part_of_the_genes(tmp_path: Path, base: str, layout: Any) -> None:
    """Normalised on all genes, then cut to some: totals differ, multiples stay whole."""
    true = per_cell(counts(), 1e4)[:, 20:]
    summary = summarise(write(tmp_path / "x.h5ad", layout(log(true, base))))
    assert_undone(summary, true, base)
    assert "whole multiples" in values_check(summary)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_random_writers(tmp_path: Path, seed: int) -> None:
    """Whatever base, layout, total, pseudo depth: the numbers of scanpy on the true values."""
    rng = np.random.default_rng(seed)
    base = str(rng.choice(list(BASES)))
    true = per_cell(counts(seed, int(rng.integers(20, 300)), int(rng.integers(15, 200))),
                    float(10 ** rng.uniform(2.5, 6)))  # fmt: skip
    layout = LAYOUTS[seed % 3]
    stored = np.log1p(true) / np.log(BASES[base])
    summary = summarise(write(tmp_path / "x.h5ad", layout(stored)))
    assert f"the base of the logarithm is {base}:" in values_check(summary)
    assert_agrees(summary.genes, scanpy_genes(true))


def test_an_unknown_base_is_said(tmp_path: Path) -> None:
    """Values that no base makes equal or whole: e is assumed, and the word is said."""
    rng = np.random.default_rng(5)
    x = rng.gamma(2, 1, (100, 40)) * (rng.random((100, 40)) < 0.6)
    for layout in LAYOUTS:
        summary = summarise(write(tmp_path / "x.h5ad", layout(x)))
        message = values_check(summary)
        assert "base of the logarithm is not known" in message
        assert "e was assumed" in message


def test_expected_counts_are_no_logarithms(tmp_path: Path) -> None:
    """Mostly whole numbers, which 2^x - 1 and 10^x - 1 leave whole."""
    x = np.minimum(counts(), 12)
    x[::7, ::3] += 0.31
    for layout in LAYOUTS:
        summary = summarise(write(tmp_path / "x.h5ad", layout(x)))
        assert summary.values is ValueKind.EXPECTED_COUNTS
        assert summary.total_counts == pytest.approx(x.sum(), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_cells_are_put_together_from_entries(seed: int) -> None:
    """Gathered in any order and any parts, the chosen cells are the matrix's."""
    rng = np.random.default_rng(seed)
    n_cells = int(rng.integers(1, 500))
    x = sp.random(n_cells, 30, density=0.3, format="coo", random_state=seed)
    order = rng.permutation(x.nnz)
    parts = []
    for piece in np.array_split(order, 5):
        part = GatheredCells(n_cells)
        part.add(EntryBlock(x.row[piece], x.col[piece], x.data[piece]))
        parts.append(part)
    for other in parts[1:]:
        parts[0].merge(other)
    block = parts[0].block()
    chosen = np.arange(min(n_cells, 64)) * n_cells // min(n_cells, 64)
    made = sp.csr_matrix((block.data, block.indices, block.indptr), shape=(len(chosen), 30))
    assert (made != x.tocsr()[chosen]).nnz == 0
