"""Eigenvectors in plain loops against LAPACK's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.stats.embedding.eigen import eigenvectors_of, find_largest
from tests.examples import examples


@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 3, 30]))
@settings(deadline=None, max_examples=examples(60))
def test_whole_matrices_are_taken_apart_as_by_lapack(n: int, seed: int, rank: int) -> None:
    """Any symmetric matrix, those of low rank too: equal values, orthonormal vectors."""
    half = np.random.default_rng(seed).normal(size=(n, rank))
    matrix = half @ half.T
    values, rows = eigenvectors_of(matrix)
    scale = max(1.0, float(np.abs(matrix).max()) * n)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(matrix)[::-1], atol=1e-12 * scale)
    np.testing.assert_allclose(rows @ rows.T, np.eye(n), atol=1e-12)
    np.testing.assert_allclose(rows @ matrix, values[:, None] * rows, atol=1e-12 * scale)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01, 1.0])
def test_the_largest_of_a_large_matrix_are_found(noise: float) -> None:
    """A few strong directions in a lot of noise, or in none."""
    rng = np.random.default_rng(2)
    n, wanted = 600, 20
    cells = rng.normal(size=(900, 30)) * np.linspace(5, 1, 30) @ rng.normal(size=(30, n))
    cells = cells / np.sqrt(n) + noise * rng.normal(size=cells.shape)
    matrix = cells.T @ cells / 900
    values, vectors = find_largest(lambda some: matrix @ some, n, wanted)
    expected, others = np.linalg.eigh(matrix)
    np.testing.assert_allclose(values, expected[::-1][:wanted], rtol=1e-9)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(wanted), atol=1e-12)
    cosines = np.linalg.svd(vectors.T @ others[:, ::-1][:, :wanted])[1]
    assert np.degrees(np.arccos(min(1.0, cosines.min()))) < 0.01
