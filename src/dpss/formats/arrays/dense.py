"""Conversion of dense slabs to sparse rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled


def sparse_rows(
    slab: NDArray[Any],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[Any]]:
    """Return the nonzero values of a dense slab as compressed sparse rows.

    Args:
        slab: Shape ``(n_rows, n_columns)``.

    Returns:
        Row pointers, shape ``(n_rows + 1,)``; column of each value and the values,
        shape ``(n_values,)``. NaN counts as a value.
    """
    slab = np.ascontiguousarray(slab)
    indptr = np.empty(len(slab) + 1, dtype=np.int64)
    n_values = _count(slab, indptr)
    indices = np.empty(n_values, dtype=np.int32)
    data = np.empty(n_values, dtype=slab.dtype)
    _gather(slab, indices, data)
    return indptr, indices, data


@compiled
def _count(slab: Any, indptr: Any) -> Any:
    indptr[0] = 0
    for row in range(slab.shape[0]):
        n = 0
        for column in range(slab.shape[1]):
            n += slab[row, column] != 0
        indptr[row + 1] = indptr[row] + n
    return indptr[slab.shape[0]]


@compiled
def _gather(slab: Any, indices: Any, data: Any) -> None:
    at = 0
    for row in range(slab.shape[0]):
        for column in range(slab.shape[1]):
            x = slab[row, column]
            if x != 0:
                indices[at] = column
                data[at] = x
                at += 1
