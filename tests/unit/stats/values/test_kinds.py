"""What values are and how they become counts, against numpy on the same numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.errors import CorruptMatrixError, NoCountsError
from dpss.model import CellBlock
from dpss.stats.values.kinds import ValueKind
from dpss.stats.values.traits import traits_of
from dpss.summary.record import Summary
from tests.summarise import summarise

CASES = Path(__file__).resolve().parents[3] / "cases"


def counts(seed: int = 1, n_cells: int = 150, n_genes: int = 40, most: int = 2000) -> np.ndarray:
    """Draw counts of very different sizes, without an empty cell."""
    rng = np.random.default_rng(seed)
    means = rng.uniform(0.2, 3, n_genes)
    means[:3] = (most / 20, most / 4, most / 2)
    drawn = rng.poisson(means, (n_cells, n_genes)).astype(np.float64)
    drawn[:, 0] += 1
    return drawn


def write(path: Path, x: Any, **parts: Any) -> Path:
    """Write an h5ad file."""
    names = [f"GENE{i}" for i in range(x.shape[1])]
    anndata.AnnData(x, var=pd.DataFrame(index=names), **parts).write_h5ad(path)
    return path


def said(summary: Summary, name: str) -> str:
    """Return status and message of a check, in one string."""
    return next(f"{c.status}: {c.message}" for c in summary.checks if c.name == name)


def assert_equal_to(summary: Summary, expected: np.ndarray) -> None:
    """Check the numbers against the true counts, cells × genes."""
    assert summary.n_nonzero == np.count_nonzero(expected)
    assert summary.total_counts == pytest.approx(expected.sum(), rel=1e-12)
    assert (summary.genes.n_cells_by_counts == np.count_nonzero(expected, axis=0)).all()
    np.testing.assert_allclose(summary.genes.total_counts, expected.sum(axis=0), rtol=1e-12)
    assert summary.median_counts_per_cell == np.median(expected.sum(axis=1))


def test_counts_of_a_table_with_noise() -> None:
    """The case: 0.999999999999999 is 1."""
    summary = summarise(CASES / "rounding-noise" / "noise.csv")
    assert summary.values is ValueKind.COUNTS
    assert (summary.n_cells, summary.n_genes, summary.n_nonzero) == (130, 30, 2534)
    assert summary.total_counts == 20287
    assert (summary.median_genes_per_cell, summary.median_counts_per_cell) == (20, 154)
    assert "rounded to whole numbers" in said(summary, "values")
    assert said(summary, "values").startswith("warn")


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("layout", [np.asarray, sp.csr_matrix, sp.csc_matrix])
def test_counts_recovered_from_shares(tmp_path: Path, dtype: str, layout: Any) -> None:
    """Counts divided by the cell's total and multiplied again are the counts."""
    true = counts()
    totals = true.sum(axis=1, keepdims=True).astype(dtype)
    noisy = (true.astype(dtype) / totals * np.dtype(dtype).type(1e4)) / 1e4 * totals
    noisy = noisy.astype(dtype)
    assert (noisy != true).any()
    summary = summarise(write(tmp_path / "x.h5ad", layout(noisy)))
    assert summary.values is ValueKind.COUNTS
    assert_equal_to(summary, true)
    assert "rounded" in said(summary, "values")


@pytest.mark.parametrize("seed", range(4))
def test_noise_of_any_size_within_the_limit(tmp_path: Path, seed: int) -> None:
    """Random relative noise up to 1e-9 in 64 bits; what is noisier is no count."""
    rng = np.random.default_rng(seed)
    true = counts(seed, most=10 ** (2 + seed))
    noise = rng.uniform(-1, 1, true.shape) * 10.0 ** rng.uniform(-15, -9.1, true.shape)
    summary = summarise(write(tmp_path / "x.h5ad", true * (1 + noise)))
    assert summary.values is ValueKind.COUNTS
    assert_equal_to(summary, true)
    beyond = true * (1 + 3e-9 * np.sign(noise))
    assert summarise(write(tmp_path / "y.h5ad", beyond)).values is not ValueKind.COUNTS


@pytest.mark.slow
def test_noise_that_no_sample_shows(tmp_path: Path) -> None:
    """A single noisy value, or a fraction, far from the places that are looked at."""
    n_cells, n_genes = 40_000, 120
    x = sp.random(n_cells, n_genes, density=0.3, format="csr", random_state=3)
    x.data = np.ceil(x.data * 5)
    at = x.indptr[n_cells // 4]
    noisy, mixed = x.copy(), x.copy()
    noisy.data[at] *= 1 - 1e-12
    summary = summarise(write(tmp_path / "x.h5ad", noisy))
    assert summary.values is ValueKind.COUNTS
    assert summary.total_counts == x.sum()
    assert "rounded" in said(summary, "values")
    mixed.data[at] = noisy.data[at]
    mixed.data[at + 1] = 2.5
    summary = summarise(write(tmp_path / "y.h5ad", mixed))
    assert summary.values is ValueKind.EXPECTED_COUNTS
    assert summary.total_counts == pytest.approx(mixed.sum(), rel=1e-12)
    assert "rounded" not in said(summary, "values")


def test_medians_are_free_of_noise(tmp_path: Path) -> None:
    """Totals of tenths are printed as tenths."""
    x = np.tile([0.1, 0.2, 0.7, 0.3, 0.4, 2.0, 30.1], (5, 1))
    x[0, 0] = 7.1
    summary = summarise(write(tmp_path / "x.h5ad", x))
    assert str(summary.median_counts_per_cell) == "33.8"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "dtype"),
    [(2**63, "u8"), (2**64 - 1, "u8"), (2**63 - 1, "i8"), (2**45, "f4"), (1e300, "f8")],
)
@pytest.mark.parametrize("layout", [np.asarray, sp.csr_matrix, sp.csc_matrix])
@pytest.mark.parametrize("at", [0, 30_000])
def test_values_that_are_too_large_are_named(
    tmp_path: Path, value: float, dtype: str, layout: Any, at: int
) -> None:
    """They are neither negative nor infinite; also where no sample shows them."""
    x = np.ones((max(2 * at, 100), 30), dtype=dtype)
    x[:, 1] = 2
    x[at, 3] = value
    with pytest.raises(CorruptMatrixError, match=r"holds values of .* and more"):
        summarise(write(tmp_path / "x.h5ad", layout(x)))


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i2", "f4"])
def test_unsigned_values(tmp_path: Path, dtype: str) -> None:
    """Integers of every type are the same counts."""
    x = np.minimum(counts(), 100).astype(dtype)
    summary = summarise(write(tmp_path / "x.h5ad", x))
    assert_equal_to(summary, x.astype(np.int64))


def test_nothing_but_zero_and_one_is_said(tmp_path: Path) -> None:
    """Presence is no count."""
    x = (counts() > 1).astype("f4")
    x[:, 0] = 1
    for layout in (np.asarray, sp.csr_matrix, sp.csc_matrix):
        summary = summarise(write(tmp_path / "x.h5ad", layout(x)))
        assert summary.values is ValueKind.COUNTS
        assert said(summary, "values").startswith("warn")
        assert "All are 0 or 1" in said(summary, "values")


@pytest.mark.parametrize("n_cells", [0, 1, 7])
def test_a_block_of_no_values_says_nothing(n_cells: int) -> None:
    """The first cells of a matrix may all be empty."""
    nothing = np.zeros(0, dtype=np.int32)
    block = CellBlock(0, np.zeros(n_cells + 1, dtype=np.int64), nothing, np.zeros(0, np.float32))
    traits = traits_of(block)
    assert (traits.n_values, traits.stored.total_max) == (0, 0.0)
    assert traits.stored.total_min == np.inf


@pytest.mark.parametrize("scale", [1e-12, 3.7e-9, 1e-6])
@pytest.mark.parametrize("layout", [np.asarray, sp.csr_matrix, sp.csc_matrix])
def test_small_fractions_keep_their_digits(tmp_path: Path, scale: float, layout: Any) -> None:
    """Shares of a sample's reads are tiny; their sums are as exact as those of counts."""
    x = counts() * scale
    summary = summarise(write(tmp_path / "x.h5ad", layout(x)))
    genes = summary.genes
    np.testing.assert_allclose(genes.total_counts, [math.fsum(g) for g in x.T], rtol=1e-9)
    np.testing.assert_allclose(summary.median_counts_per_cell, np.median(x.sum(axis=1)), rtol=1e-9)
    shares = 100 * (x / x.sum(axis=1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(genes.mean_pct_of_cell_counts, shares, rtol=1e-9)
    assert (genes.n_cells_by_counts == np.count_nonzero(x, axis=0)).all()
    assert summary.total_counts == pytest.approx(x.sum(), rel=1e-9)


@pytest.mark.parametrize("scale", [1e-16, 1e-300, 5e-324])
@pytest.mark.parametrize("layout", [np.asarray, sp.csr_matrix, sp.csc_matrix])
def test_values_that_are_too_small_are_named(tmp_path: Path, scale: float, layout: Any) -> None:
    """Sums that would lose digits are not made."""
    with pytest.raises(NoCountsError, match="holds only values below 1e-12"):
        summarise(write(tmp_path / "x.h5ad", layout(counts(most=9) * scale)))
