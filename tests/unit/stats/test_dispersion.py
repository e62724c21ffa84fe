"""Normalised dispersion against scanpy, also where it is undefined."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from dpss.model import CellBlock
from dpss.stats.accumulator import CellAccumulator, Features
from dpss.stats.dispersion import normalise_dispersions
from dpss.stats.moments import share_means, share_variances
from tests.oracle import scanpy_genes

COLUMNS = ("means", "dispersions", "dispersions_norm")


def moments(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of the shares as the program sums them."""
    n_genes = counts.shape[1]
    matrix = sp.csr_matrix(counts)
    accumulator = CellAccumulator(
        Features(np.ones(n_genes, bool), np.zeros(n_genes, bool), np.empty(0, dtype=np.int64))
    )
    accumulator.add(CellBlock(0, matrix.indptr.astype(np.int64), matrix.indices, matrix.data))
    sums = accumulator.result().genes
    return share_means(sums, len(counts)), share_variances(sums, len(counts))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scanpy(seed: int) -> None:
    """OpenOptions, dispersions and their normalisation are scanpy's to 1e-6, NaN included."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.lognormal(-1, 2, 300), (200, 300)).astype(float)
    counts[:, :10] = 0
    counts[:3] = 0
    found = normalise_dispersions(*moments(counts))
    expected = scanpy_genes(counts)
    for name in COLUMNS:
        np.testing.assert_allclose(
            getattr(found, name), expected[name], rtol=1e-6, atol=1e-9, err_msg=name
        )
    assert (found.highly_variable == expected["highly_variable"]).all()


@pytest.mark.slow
def test_a_bin_with_one_gene_gives_it_one() -> None:
    """scanpy's rule for a gene that is alone in its bin of means."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(1, (100, 30)).astype(float)
    counts[:, 0] = rng.poisson(500, 100)
    found = normalise_dispersions(*moments(counts))
    expected = scanpy_genes(counts)
    assert found.dispersions_norm[0] == 1.0
    np.testing.assert_allclose(found.dispersions_norm, expected["dispersions_norm"], rtol=1e-6)


def test_rare_genes_in_deep_cells_keep_their_precision() -> None:
    """A gene with one count in ten million is summed as precisely as float64 allows."""
    rng = np.random.default_rng(3)
    counts = np.zeros((50, 4))
    counts[:, 0] = rng.integers(9_000_000, 11_000_000, 50)
    counts[:, 1] = rng.integers(0, 2, 50)
    counts[:, 2] = 1
    counts[7, 3] = 1
    shares = counts / counts.sum(axis=1, keepdims=True)
    means, variances = moments(counts)
    np.testing.assert_allclose(means, shares.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(variances[[1, 3]], shares.var(axis=0, ddof=1)[[1, 3]], rtol=1e-7)


def test_no_variance_is_lost_to_cancellation() -> None:
    """A tiny spread on a large share survives, where E[x²] - E[x]² in doubles would not."""
    counts = np.zeros((1000, 2))
    counts[:, 0] = 99_999_000 + np.arange(1000) % 7 * 100
    counts[:, 1] = 100_000_000 - counts[:, 0]
    shares = counts / 1e8
    _, variances = moments(counts)
    expected = np.array([np.var(shares[:, g] - shares[0, g], ddof=1) for g in (0, 1)])
    np.testing.assert_allclose(variances, expected, rtol=1e-3)


def test_constant_genes_have_no_dispersion() -> None:
    """A gene with the same share in each cell has variance zero, hence no dispersion."""
    counts = np.tile([1.0, 2.0, 4.0], (10, 1))
    found = normalise_dispersions(*moments(counts))
    assert np.isnan(found.dispersions).all()
    assert np.isnan(found.dispersions_norm).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_one_cell_or_one_gene(shape: tuple[int, int]) -> None:
    """The smallest matrices give columns of the right length, undefined where they must be."""
    found = normalise_dispersions(*moments(np.ones(shape)))
    assert len(found.means) == shape[1]
    assert not found.highly_variable.any()
