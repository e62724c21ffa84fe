"""Eigenvectors of symmetric matrices, with the same bits on every processor.

LAPACK's results differ in their last bits between processors, and its threads wait for each
other on busy processors. Sources: G. Golub, C. Van Loan, "Matrix Computations",
4th edition, 2013, sections 8.3 (tridiagonalisation, implicit symmetric QR steps) and 10.3
(block Lanczos with complete orthogonalisation).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled, part
from dpss.stats.cell_hash import hash_cells
from dpss.stats.embedding.fixed import divide

_WIDTH = 16
"""Vectors that are multiplied at a time."""
_BLOCKS = 22
"""Most multiplications."""
_EPSILON = 2.0**-52
_MIN_NORM = 1e-10
"""A vector with less than this part of its length outside of the others becomes zero."""


@compiled
def orthonormalise(basis: Any, first: int, work: Any) -> None:  # noqa: PLR0912 (loops)
    """Make the next columns of a basis orthonormal to all before and each other.

    Columns that lie within the others become zero.

    Args:
        basis: ``float64``, shape ``(n, n_columns)``; changed from column ``first`` on.
        first: Number of columns that are orthonormal.
        work: ``float64``, shape ``(n_columns, width)``, as many as are changed; memory.
    """
    n, start, width = np.uint64(basis.shape[0]), np.uint64(first), np.uint64(work.shape[1])
    for j in range(start, start + width):
        total = 0.0
        for r in range(n):
            total += basis[r, j] * basis[r, j]
        work[j, 0] = total
    for j in range(width):
        norm = np.sqrt(work[start + j, 0])
        factor = divide(1.0, norm) if norm > 0.0 else 0.0
        for r in range(n):
            basis[r, start + j] *= factor
    for _ in range(2):
        for i in range(start):
            for j in range(width):
                work[i, j] = 0.0
        for r in range(n):
            for i in range(start):
                q = basis[r, i]
                for j in range(width):
                    work[i, j] += q * basis[r, start + j]
        for r in range(n):
            for i in range(start):
                q = basis[r, i]
                for j in range(width):
                    basis[r, start + j] -= q * work[i, j]
    for j in range(start, start + width):
        for _ in range(2):
            for i in range(start, j):
                total = 0.0
                for r in range(n):
                    total += basis[r, i] * basis[r, j]
                for r in range(n):
                    basis[r, j] -= total * basis[r, i]
        total = 0.0
        for r in range(n):
            total += basis[r, j] * basis[r, j]
        norm = np.sqrt(total)
        factor = divide(1.0, norm) if norm > _MIN_NORM else 0.0
        for r in range(n):
            basis[r, j] *= factor


@compiled
def multiply_transposed(a: Any, b: Any, out: Any) -> None:
    """Multiply the transpose of a matrix by another one, always in the same order.

    Args:
        a: ``float64``, shape ``(n, k)``.
        b: ``float64``, shape ``(n, m)``.
        out: ``float64``, shape ``(k, m)``; set.
    """
    for i in range(np.uint64(out.shape[0])):
        for j in range(np.uint64(out.shape[1])):
            out[i, j] = 0.0
    for r in range(np.uint64(a.shape[0])):
        for i in range(np.uint64(a.shape[1])):
            factor = a[r, i]
            for j in range(np.uint64(b.shape[1])):
                out[i, j] += factor * b[r, j]


@part()
def _diagonalise_tridiagonal(diagonal: Any, off_diagonal: Any, vectors: Any) -> Any:
    """Diagonalise a tridiagonal matrix by implicit QR steps; rotate the vectors."""
    n = len(diagonal)
    last = n - 1
    n_steps = 0
    while last > 0 and n_steps < 60 * n:
        if abs(off_diagonal[last - 1]) <= _EPSILON * (
            abs(diagonal[last - 1]) + abs(diagonal[last])
        ):
            off_diagonal[last - 1] = 0.0
            last -= 1
            continue
        first = last - 1
        while first > 0 and abs(off_diagonal[first - 1]) > _EPSILON * (
            abs(diagonal[first - 1]) + abs(diagonal[first])
        ):
            first -= 1
        n_steps += 1
        half = 0.5 * (diagonal[last - 1] - diagonal[last])
        square = off_diagonal[last - 1] * off_diagonal[last - 1]
        root = np.sqrt(half * half + square)
        shift = diagonal[last] - divide(square, half + root if half >= 0.0 else half - root)
        x, z = diagonal[first] - shift, off_diagonal[first]
        for k in range(first, last):
            r = np.sqrt(x * x + z * z)
            c = divide(x, r) if r > 0.0 else 1.0
            s = divide(z, r) if r > 0.0 else 0.0
            if k > first:
                off_diagonal[k - 1] = r
            a, b, h = diagonal[k], diagonal[k + 1], off_diagonal[k]
            diagonal[k] = c * c * a + 2.0 * c * s * h + s * s * b
            diagonal[k + 1] = s * s * a - 2.0 * c * s * h + c * c * b
            off_diagonal[k] = c * s * (b - a) + (c * c - s * s) * h
            x = off_diagonal[k]
            z = 0.0
            if k < last - 1:
                z = s * off_diagonal[k + 1]
                off_diagonal[k + 1] *= c
            for j in range(n):
                above, below = vectors[k, j], vectors[k + 1, j]
                vectors[k, j] = c * above + s * below
                vectors[k + 1, j] = c * below - s * above
    return n_steps


@compiled
def diagonalise(  # noqa: PLR0912 (loops)
    matrix: Any, vectors: Any, diagonal: Any, off_diagonal: Any, v: Any, w: Any
) -> int:
    """Find all eigenvalues and eigenvectors of a symmetric matrix.

    Args:
        matrix: ``float64``, shape ``(n, n)``; destroyed.
        vectors: ``float64``, shape ``(n, n)``; set: an eigenvector in each row.
        diagonal: ``float64``, shape ``(n,)``; set to the eigenvalues, in no order.
        off_diagonal: ``float64``, shape ``(n,)``; memory to work in.
        v: ``float64``, shape ``(n,)``; memory to work in.
        w: ``float64``, shape ``(n,)``; memory to work in.

    Returns:
        Number of steps.
    """
    n = matrix.shape[0]
    for i in range(n):
        for j in range(n):
            vectors[i, j] = 1.0 if i == j else 0.0
    # Householder reflections; row k keeps the vector of the k-th.
    for k in range(n - 2):
        total = 0.0
        for j in range(k + 1, n):
            total += matrix[k, j] * matrix[k, j]
        norm = np.sqrt(total)
        off_diagonal[k] = 0.0
        v[k] = 0.0
        if norm > 0.0:
            off_diagonal[k] = -norm if matrix[k, k + 1] > 0.0 else norm
            matrix[k, k + 1] -= off_diagonal[k]
            total = 0.0
            for j in range(k + 1, n):
                total += matrix[k, j] * matrix[k, j]
                w[j] = 0.0
            scale = divide(2.0, total)
            for i in range(k + 1, n):
                factor = scale * matrix[k, i]
                for j in range(k + 1, n):
                    w[j] += factor * matrix[i, j]
            total = 0.0
            for j in range(k + 1, n):
                total += w[j] * matrix[k, j]
            factor = 0.5 * scale * total
            for j in range(k + 1, n):
                w[j] -= factor * matrix[k, j]
            for i in range(k + 1, n):
                a, b = matrix[k, i], w[i]
                for j in range(k + 1, n):
                    matrix[i, j] -= a * w[j] + b * matrix[k, j]
            v[k] = scale
    if n > 1:
        off_diagonal[n - 2] = matrix[n - 2, n - 1]
    off_diagonal[n - 1] = 0.0
    for k in range(n):
        diagonal[k] = matrix[k, k]
    # Rows of the transposed product of all reflections.
    for k in range(n - 3, -1, -1):
        if v[k] != 0.0:
            for i in range(k + 1, n):
                total = 0.0
                for j in range(k + 1, n):
                    total += vectors[i, j] * matrix[k, j]
                factor = v[k] * total
                for j in range(k + 1, n):
                    vectors[i, j] -= factor * matrix[k, j]
    n_steps: int = _diagonalise_tridiagonal(diagonal, off_diagonal, vectors)
    return n_steps


def find_largest(
    multiply: Callable[[NDArray[np.float64]], NDArray[np.float64]], n: int, wanted: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the largest eigenvalues of a symmetric matrix with none below zero.

    Args:
        multiply: Multiplies the matrix by vectors of shape ``(n, n_vectors)``.
        n: Size of the matrix.
        wanted: Number of eigenvalues; at most 60.

    Returns:
        The eigenvalues, largest first, and the eigenvectors in columns, shape ``(n, wanted)``.
    """
    if n <= _WIDTH * _BLOCKS:
        values, rows = eigenvectors_of(multiply(np.eye(n)))
        return values[:wanted], np.ascontiguousarray(rows[:wanted].T)
    size = _WIDTH * _BLOCKS
    basis, images, work = np.zeros((n, size)), np.zeros((n, size)), np.empty((size, _WIDTH))
    random = hash_cells(np.arange(n * _WIDTH)).reshape(n, _WIDTH) / 2.0**64 - 0.5
    basis[:, :_WIDTH] = random
    for first in range(0, size, _WIDTH):
        last = first + _WIDTH
        orthonormalise(basis, first, work)
        images[:, first:last] = multiply(np.ascontiguousarray(basis[:, first:last]))
        if last < size:
            basis[:, last : last + _WIDTH] = images[:, first:last]
    projected = np.empty((size, size))
    multiply_transposed(basis, images, projected)
    values, rows = eigenvectors_of((projected + projected.T) / 2)
    vectors = np.empty((wanted, n))
    multiply_transposed(
        np.ascontiguousarray(rows[:wanted].T), np.ascontiguousarray(basis.T), vectors
    )
    return values[:wanted], np.ascontiguousarray(vectors.T)


def eigenvectors_of(
    matrix: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return all eigenvalues, largest first, and the eigenvectors in rows.

    Args:
        matrix: Symmetric, shape ``(n, n)``.
    """
    n = len(matrix)
    vectors, (values, off_diagonal, v, w) = np.empty((n, n)), np.empty((4, n))
    diagonalise(np.ascontiguousarray(matrix).copy(), vectors, values, off_diagonal, v, w)
    order = np.argsort(-values, kind="stable")
    return values[order], vectors[order]
