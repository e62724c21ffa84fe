"""Blocks: the only currency between the readers and the statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BLOCK_CELLS = 1 << 15
"""Most cells in one block: what is measured of each cell stays small."""


@dataclass(frozen=True)
class CellBlock:
    """Consecutive whole cells of a matrix as compressed sparse rows.

    The arrays may be views of memory that the reader uses again: whoever wants to
    keep a block beyond the next one copies it.
    """

    start: int
    """Index of the first cell in the matrix."""
    indptr: NDArray[np.int64]
    """Where each cell begins in the two other arrays, shape ``(n_cells + 1,)``, from 0."""
    indices: NDArray[np.signedinteger[Any]]
    """Gene index of each stored value, ``int32`` or ``int64``, shape ``(n_values,)``."""
    data: NDArray[Any]
    """The stored values, float or int of 32 or 64 bits, shape ``(n_values,)``."""

    @property
    def n_cells(self) -> int:
        """Number of cells in the block."""
        return len(self.indptr) - 1


@dataclass(frozen=True)
class EntryBlock:
    """Stored values of a matrix in any order: for sources that are not cell-major.

    A cell or a gene may go on in a later block; no entry occurs twice.
    """

    cells: NDArray[np.signedinteger[Any]]
    """Cell index of each stored value, ``int32`` or ``int64``, shape ``(n_values,)``."""
    genes: NDArray[np.signedinteger[Any]]
    """Gene index of each stored value, ``int32`` or ``int64``, shape ``(n_values,)``."""
    data: NDArray[Any]
    """The stored values, float or int of 32 or 64 bits, shape ``(n_values,)``."""


def check_cell_block(block: CellBlock, stop: int) -> None:
    """Check the invariants of a block that cost nothing to check.

    Gene indices and values are looked at where they are used, in the kernels.

    Args:
        block: The block.
        stop: The cell after the last one that was asked for.

    Raises:
        ValueError: The block's arrays contradict each other or lie outside the matrix.
    """
    if block.start < 0 or block.start + block.n_cells > stop:
        raise ValueError(
            f"cells {block.start}..{block.start + block.n_cells}, but they end before {stop}"
        )
    if block.n_cells > MAX_BLOCK_CELLS:
        raise ValueError(f"{block.n_cells} cells in a block; at most {MAX_BLOCK_CELLS} are allowed")
    if len(block.indices) != len(block.data):
        raise ValueError(f"{len(block.indices)} gene indices for {len(block.data)} values")
    if block.indptr[0] != 0 or block.indptr[-1] != len(block.data):
        raise ValueError("the cell pointers do not span the block's values")
    if len(block.indptr) > 1 and int(np.diff(block.indptr).min()) < 0:
        raise ValueError("the cell pointers decrease")
