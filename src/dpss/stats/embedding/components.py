"""Principal components from integer products.

The loadings are rounded to multiples of 2**-16, so that scores are exact integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled
from dpss.stats.embedding.covariance import Covariances, SparseCells
from dpss.stats.embedding.eigen import find_largest
from dpss.stats.embedding.fixed import UNIT
from dpss.stats.embedding.kernels import project_cells

N_COMPONENTS = 50
LOADING_UNIT = 1 << 16
_TOLERANCE = 1e-9
"""A component with less than this part of the variance comes from rounding."""


@compiled
def multiply_packed(products: Any, vectors: Any, out: Any) -> None:
    """Multiply a symmetric matrix by vectors, always in the same order.

    Args:
        products: ``int64``, upper triangle row by row, shape ``(n * (n + 1) / 2,)``.
        vectors: ``float64``, shape ``(n, n_vectors)``.
        out: ``float64``, shape ``(n, n_vectors)``; set.
    """
    n, width = np.uint64(out.shape[0]), np.uint64(out.shape[1])
    for i in range(n):
        for k in range(width):
            out[i, k] = 0.0
    at = np.uint64(0)
    for i in range(n):
        value = np.float64(products[at])
        at += np.uint64(1)
        for k in range(width):
            out[i, k] += value * vectors[i, k]
        for j in range(i + np.uint64(1), n):
            value = np.float64(products[at])
            at += np.uint64(1)
            if value != 0.0:
                for k in range(width):
                    out[i, k] += value * vectors[j, k]
                for k in range(width):
                    out[j, k] += value * vectors[i, k]


@dataclass(frozen=True)
class Components:
    """Principal components of the log-normalised variable genes."""

    variances: NDArray[np.float64]
    """Variance along each, largest first, shape ``(n_components,)``."""
    total_variance: float
    """Sum of the variances of all variable genes."""
    loadings: NDArray[np.float64]
    """Weight of each gene in units of 1 / `LOADING_UNIT`, whole numbers, shape
    ``(n_genes, n_components)``; the largest of a component is positive."""
    offsets: NDArray[np.float64]
    """Score of the mean cell in fixed point, whole numbers, shape ``(n_components,)``."""

    def project(self, cells: SparseCells) -> NDArray[np.float64]:
        """Return scores in units of 1 / (`UNIT` * `LOADING_UNIT`), whole numbers.

        Returns:
            Shape ``(n_cells, n_components)``.
        """
        scores = np.empty((cells.n_cells, len(self.variances)))
        project_cells(
            cells.indptr, cells.columns, cells.values, self.loadings, self.offsets, scores
        )
        return scores


def find_components(covariances: Covariances, n_components: int = N_COMPONENTS) -> Components:
    """Find the components with the largest variances.

    Args:
        covariances: Sums over two cells at least.
        n_components: Most components; there are fewer where the genes or cells are few or some
            have no variance.
    """
    n_genes = len(covariances.sums)
    diagonal = _diagonal(covariances.products, n_genes)
    means = covariances.sums / (UNIT * covariances.n_cells)
    spread = np.maximum(diagonal / UNIT**2 - covariances.n_cells * means**2, 0.0) / (
        covariances.n_cells - 1
    )
    total = float(np.add.accumulate(spread)[-1]) if n_genes else 0.0
    wanted = min(n_components, n_genes, covariances.n_cells - 1)
    variances, vectors = find_largest(
        partial(_covariance_times, covariances, means), n_genes, wanted
    )
    real = variances > _TOLERANCE * max(total, np.finfo(float).tiny)
    vectors = vectors[:, real]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
    loadings = np.ascontiguousarray(np.rint(vectors * LOADING_UNIT))
    return Components(variances[real], total, loadings, _offsets(covariances, loadings))


def _diagonal(products: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    rows = np.arange(n)
    return products[rows * n - rows * (rows - 1) // 2]


def _offsets(covariances: Covariances, loadings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the score of the mean cell, in Python's integers, rounded once."""
    sums = covariances.sums.tolist()
    offsets = [
        sum(a * b for a, b in zip(sums, column, strict=True)) // covariances.n_cells
        for column in loadings.T.astype(np.int64).tolist()
    ]
    return np.array(offsets, dtype=np.float64)


def _covariance_times(
    covariances: Covariances, means: NDArray[np.float64], vectors: NDArray[np.float64]
) -> NDArray[np.float64]:
    out = np.empty_like(vectors)
    multiply_packed(covariances.products, np.ascontiguousarray(vectors), out)
    out /= float(UNIT) ** 2
    out -= np.outer(means * covariances.n_cells, _weighted_sum(means, vectors))
    out /= covariances.n_cells - 1
    return out


def _weighted_sum(
    weights: NDArray[np.float64], vectors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the product of a vector and a matrix, added up in the order of the rows."""
    return np.asarray(np.add.accumulate(weights[:, None] * vectors, axis=0)[-1])
