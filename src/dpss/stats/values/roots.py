"""Recognition of square roots of counts, by their squares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dpss.stats.values.logarithms import (
    EQUAL_TOTALS,
    MIN_EVIDENCE,
    MOSTLY,
    count_whole_ratios,
    total_by_cell,
)

_MIN_CELLS = 10
"""Least cells whose sums of squares are compared."""
_ROUNDING = 5e-4
"""Largest error of a root that was written with three decimals."""
_MAX_ROOT = 100.0
"""Roots of whole numbers beyond it are closer to each other than 0.005."""


class RootEvidence(StrEnum):
    """Evidence that values are square roots."""

    WHOLE_SQUARES = "the squares are whole numbers"
    WHOLE_RATIOS = "the squares are whole multiples of their cell's smallest"
    EQUAL_SQUARES = "the squares of every sampled cell have the same sum"
    NOTHING = "the squares tell nothing"


@dataclass(frozen=True)
class RootTraits:
    """Traits of the squares of values; joins with ``+``."""

    n_compared: int = 0
    """Fractional values whose squares were looked at."""
    n_whole: int = 0
    """Of these, values with whole squares; 0 where the values are whole multiples themselves."""
    n_ratios: int = 0
    """Values whose squares were compared with their cell's smallest."""
    n_whole_ratios: int = 0
    """Of these, values whose squares are whole multiples; 0 in the same case."""
    n_cells: int = 0
    """Whole cells with a value above 0; 0 where cells are not known to be whole."""
    square_min: float = np.inf
    """Smallest sum of squares over such a cell."""
    square_max: float = 0.0
    """Largest sum of squares over a cell."""

    def __add__(self, other: RootTraits) -> RootTraits:
        """Join the traits of two parts of the values."""
        return RootTraits(
            self.n_compared + other.n_compared,
            self.n_whole + other.n_whole,
            self.n_ratios + other.n_ratios,
            self.n_whole_ratios + other.n_whole_ratios,
            self.n_cells + other.n_cells,
            min(self.square_min, other.square_min),
            max(self.square_max, other.square_max),
        )

    @property
    def evidence(self) -> RootEvidence:
        """The evidence that the values are square roots."""
        if self.n_compared >= MIN_EVIDENCE and self.n_whole >= MOSTLY * self.n_compared:
            return RootEvidence.WHOLE_SQUARES
        if self.n_ratios >= MIN_EVIDENCE and self.n_whole_ratios >= MOSTLY * self.n_ratios:
            return RootEvidence.WHOLE_RATIOS
        equal = self.square_min >= (1 - EQUAL_TOTALS) * self.square_max
        if self.n_cells >= _MIN_CELLS and equal:
            return RootEvidence.EQUAL_SQUARES
        return RootEvidence.NOTHING


def root_traits_of(
    data: NDArray[np.float64], cells: NDArray[np.int64], n_cells: int, *, whole_cells: bool
) -> RootTraits:
    """Return the traits of the squares of values.

    Args:
        data: Finite values, shape ``(n_values,)``.
        cells: Cell of each value, shape ``(n_values,)``.
        n_cells: Number of cells.
        whole_cells: Whether all values of each cell are given.
    """
    squares = data**2
    n_compared, n_whole = _count_whole_squares(data)
    n_ratios, n_whole_ratios = count_whole_ratios(squares, cells, n_cells)
    n_plain, n_whole_plain = count_whole_ratios(data, cells, n_cells)
    if n_whole_plain >= MOSTLY * n_plain:
        n_whole = n_whole_ratios = 0
    traits = RootTraits(n_compared, n_whole, n_ratios, n_whole_ratios)
    if not whole_cells:
        return traits
    sums = total_by_cell(squares, cells, n_cells)
    found = sums[sums > 0]
    low, high = float(found.min(initial=np.inf)), float(found.max(initial=0.0))
    return traits + RootTraits(n_cells=len(found), square_min=low, square_max=high)


def _count_whole_squares(data: NDArray[np.float64]) -> tuple[int, int]:
    """Return the number of fractional values, and of those with whole squares."""
    # A value that is nearly whole is a whole number with an error, not a root.
    fractional = np.abs(data - np.rint(data)) > 2 * _ROUNDING
    values = data[fractional & (data > 0) & (data < _MAX_ROOT)]
    squares = values**2
    # The square of a value that is off by d is off by 2 x d. Below 1 no square is whole.
    whole = np.abs(squares - np.rint(squares)) <= 2 * _ROUNDING * values
    return len(values), int(np.count_nonzero(whole & (squares > 1 / 2)))
