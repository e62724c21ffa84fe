"""The base of logarithms, found by undoing them with each base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

BASES = (float(np.e), 2.0, 10.0)
"""Bases that are recognised, the most frequent first."""
LOG_CEILING = 25.0
"""No natural logarithm of a count exceeds this (exp(25) = 7e10); scanpy-made ones stay
below log1p(1e6) = 13.8. Larger values are not on a log scale."""
EQUAL_TOTALS = 0.01
"""Totals per cell that differ by less than this part, 0 to 1, come from a normalisation."""
MOSTLY = 0.9
"""Part of a sample, 0 to 1, that must agree for a conclusion."""
MIN_EVIDENCE = 20
"""Least compared values for a conclusion about the base."""
_MAX_RATIO = 50
_RATIO_TOLERANCE = 1e-3
_EPSILON = 2.0**-22
"""Relative rounding of a logarithm in 32 bits, with a margin."""
_MAX_DISTANCE = 0.05


class BaseEvidence(StrEnum):
    """Evidence for the base of logarithms."""

    EQUAL_TOTALS = "every sampled cell then has the same total"
    WHOLE_VALUES = "the values then are whole numbers"
    WHOLE_RATIOS = "the values then are whole multiples of their cell's smallest"
    NOTHING = "no base gives equal totals, whole numbers or whole multiples"


@dataclass(frozen=True)
class ScaleTraits:
    """Traits of values as stored or without logarithms; joins with ``+``."""

    total_min: float = np.inf
    """Smallest sum over a cell that is not empty."""
    total_max: float = 0.0
    """Largest sum over a cell; 0 if sums are not known."""
    n_ratios: int = 0
    """Values that were compared with their cell's smallest."""
    n_whole_ratios: int = 0
    """Of these, whole multiples of the smallest, as multiplied counts are."""
    n_compared: int = 0
    """Fractional logarithms that are exact enough to recognise those of whole numbers."""
    n_whole: int = 0
    """Of these, logarithms of whole numbers."""

    def __add__(self, other: ScaleTraits) -> ScaleTraits:
        """Join the traits of two parts of the values."""
        return ScaleTraits(
            min(self.total_min, other.total_min),
            max(self.total_max, other.total_max),
            self.n_ratios + other.n_ratios,
            self.n_whole_ratios + other.n_whole_ratios,
            self.n_compared + other.n_compared,
            self.n_whole + other.n_whole,
        )

    @property
    def spread(self) -> float:
        """Relative difference of the largest and the smallest total; infinite if unknown."""
        return 1 - self.total_min / self.total_max if self.total_max > 0 else np.inf

    @property
    def evidence(self) -> BaseEvidence:
        """The evidence that the values on this scale were the original ones."""
        if self.spread <= EQUAL_TOTALS:
            return BaseEvidence.EQUAL_TOTALS
        if self.n_compared >= MIN_EVIDENCE and self.n_whole >= MOSTLY * self.n_compared:
            return BaseEvidence.WHOLE_VALUES
        if self.n_ratios >= MIN_EVIDENCE and self.n_whole_ratios >= MOSTLY * self.n_ratios:
            return BaseEvidence.WHOLE_RATIOS
        return BaseEvidence.NOTHING


def find_base(traits: Sequence[ScaleTraits]) -> tuple[float, BaseEvidence]:
    """Return the base of logarithms and the evidence for it; e where there is none.

    Args:
        traits: Traits after undoing logarithms to each of `BASES`; empty if not known.
    """
    order = list(BaseEvidence)
    found = sorted(
        (order.index(each.evidence), each.spread, place) for place, each in enumerate(traits)
    )
    if not found or order[found[0][0]] is BaseEvidence.NOTHING:
        return BASES[0], BaseEvidence.NOTHING
    rank, _, place = found[0]
    return BASES[place], order[rank]


def undo_logarithm(data: NDArray[np.generic], base: float) -> NDArray[np.float64]:
    """Return ``base**data - 1``, shape ``(n_values,)``; exact for small values."""
    values = data.astype(np.float64)
    if base == BASES[0]:
        return np.asarray(np.expm1(values))
    return np.asarray(np.expm1(values * np.log(base)))


def name_base(base: float) -> str:
    """Return the name of a base."""
    return "e" if base == BASES[0] else f"{base:g}"


def base_traits_of(
    data: NDArray[np.float64], cells: NDArray[np.int64], n_cells: int
) -> tuple[ScaleTraits, ...]:
    """Return the traits of values after undoing logarithms to each of `BASES`.

    Args:
        data: Finite values, shape ``(n_values,)``.
        cells: Cell of each value, shape ``(n_values,)``.
        n_cells: Number of cells.
    """
    clipped = np.clip(data, 0, LOG_CEILING)
    fractional = np.floor(data) != data
    return tuple(_traits_of_base(clipped, fractional, cells, n_cells, base) for base in BASES)


def _traits_of_base(
    data: NDArray[np.float64],
    fractional: NDArray[np.bool_],
    cells: NDArray[np.int64],
    n_cells: int,
    base: float,
) -> ScaleTraits:
    values = undo_logarithm(data, base)
    totals = total_by_cell(values, cells, n_cells)
    n_ratios, n_whole_ratios = count_whole_ratios(values, cells, n_cells, fractional)
    with np.errstate(over="ignore"):
        distance = np.minimum((data * np.log(base) + 1) * (values + 1) * _EPSILON, np.inf)
    exact = fractional & (distance < _MAX_DISTANCE) & (values > 1 / 2)
    whole = np.abs(values - np.rint(values)) <= distance
    return ScaleTraits(
        total_min=float(totals[totals > 0].min(initial=np.inf)),
        total_max=float(totals.max(initial=0.0)),
        n_ratios=n_ratios,
        n_whole_ratios=n_whole_ratios,
        n_compared=int(np.count_nonzero(fractional & (data > 0) & (distance < _MAX_DISTANCE))),
        n_whole=int(np.count_nonzero(exact & whole)),
    )


def total_by_cell(
    data: NDArray[np.float64], cells: NDArray[np.int64], n_cells: int
) -> NDArray[np.float64]:
    """Return the sum of each cell's values, shape ``(n_cells,)``.

    Args:
        data: Values, shape ``(n_values,)``; there may be none.
        cells: Cell of each value, shape ``(n_values,)``.
        n_cells: Number of cells.
    """
    # Without values, numpy's result would be whole numbers.
    return np.bincount(cells, weights=data, minlength=n_cells).astype(np.float64, copy=False)


def count_whole_ratios(
    data: NDArray[np.float64],
    cells: NDArray[np.int64],
    n_cells: int,
    which: NDArray[np.bool_] | None = None,
) -> tuple[int, int]:
    """Return the numbers of values compared with their cell's smallest, and fitting.

    Args:
        data: Values, shape ``(n_values,)``; those above 0 are looked at.
        cells: Cell of each value, shape ``(n_values,)``.
        n_cells: Number of cells.
        which: Values that are compared, shape ``(n_values,)``; all by default.
    """
    positive = data > 0
    compared = positive if which is None else positive & which
    if not compared.any():
        return 0, 0
    smallest = np.full(n_cells, np.inf)
    np.minimum.at(smallest, cells[positive], data[positive])
    ratios = data[compared] / smallest[cells[compared]]
    ratios = ratios[(ratios > 1 + _RATIO_TOLERANCE) & (ratios < _MAX_RATIO)]
    fits = np.abs(ratios - np.rint(ratios)) <= _RATIO_TOLERANCE * ratios
    return len(ratios), int(np.count_nonzero(fits))
