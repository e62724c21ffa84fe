"""The memory of the kernel of cells for the sums of the latest cells."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from dpss.stats.kernels import layout


def _aligned_zeros(n_rows: int, n_columns: int) -> NDArray[np.int64]:
    """Return rows of zeros aligned to 64 bytes, so that no row lies in two cache lines."""
    memory = np.zeros(n_rows * n_columns + 8, dtype=np.int64)
    first = -memory.ctypes.data // 8 % 8
    return memory[first : first + n_rows * n_columns].reshape(n_rows, n_columns)


class WriteBuffer(NamedTuple):
    """Sums of the latest cells, in a form that makes `kernels.add_cells` fast.

    The sums are added to the table every 1,024 cells, and before the table is read.
    """

    rows: NDArray[np.int64]
    """Sums of each feature, shape ``(n_features, N_RECENT_COLUMNS)``."""
    sums: NDArray[np.int64]
    """Terms of each count in the current cell, shape ``(N_TABULATED + 2, N_RECENT_COLUMNS)``."""
    picked: NDArray[np.int64]
    """Indices of a cell's values with a role or a large count, shape ``(n_features + 1,)``."""
    special: NDArray[np.uint8]
    """Whether a feature has a role, shape ``(n_features,)``."""
    n_cells: NDArray[np.int64]
    """Number of cells in the sums, shape ``(1,)``."""
    highest: NDArray[np.float64]
    """The highest counts of a cell that is not plain, shape ``(N_TOP_COUNTS,)``."""
    terms: NDArray[np.int64]
    """Terms of some values that have fractions, shape ``(N_TERMS * TERMS_OF,)``."""

    @classmethod
    def for_roles(cls, roles: NDArray[np.int64]) -> Self:
        """Return a buffer for features with these roles, shape ``(n_features,)``."""
        n_features, n_columns = len(roles), layout.N_RECENT_COLUMNS
        return cls(
            _aligned_zeros(n_features, n_columns),
            np.zeros((layout.N_TABULATED + 2, n_columns), dtype=np.int64),
            np.empty(n_features + 1, dtype=np.int64),
            (roles != 0).astype(np.uint8),
            np.zeros(1, dtype=np.int64),
            np.empty(layout.N_TOP_COUNTS, dtype=np.float64),
            np.empty(layout.N_TERMS * layout.TERMS_OF, dtype=np.int64),
        )
