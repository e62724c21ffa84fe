"""What tells the kinds of values apart, and the rule that does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dpss.blocks import CellBlock, EntryBlock
from dpss.stats.accumulator import Sums
from dpss.stats.layout import N_CELLS
from dpss.stats.transform import Transform, is_noisy
from dpss.stats.values import Values

LOG_CEILING = 25.0
"""No natural logarithm of a count exceeds this (exp(25) = 7e10); scanpy-made ones stay
below log1p(1e6) = 13.8. Whatever is larger is not on a log scale."""
EQUAL_TOTALS = 0.01
"""Totals per cell that differ by less than this part are the work of a normalisation."""


MOSTLY = 0.9
"""Part of a sample that must agree before it is taken for a rule."""
FEW_WHOLE = 0.01
"""Among logarithms practically none is a whole number; among expected counts many are."""
_MAX_RATIO = 50
_RATIO_TOLERANCE = 1e-3


@dataclass(frozen=True)
class ValueTraits:
    """What tells the kinds of values apart; joins with ``+``."""

    n_values: int = 0
    """Values that are not zero."""
    n_fractional: int = 0
    """Values that are not whole, rounding noise aside."""
    n_noisy: int = 0
    """Values that are whole but for rounding noise."""
    n_negative: int = 0
    n_nonfinite: int = 0
    largest: float = 0.0
    total_min: float = np.inf
    """Smallest sum over a cell that is not empty."""
    total_max: float = 0.0
    """Largest sum over a cell; 0 if sums are not known."""
    exp_total_min: float = np.inf
    """The same of expm1 of the values."""
    exp_total_max: float = 0.0
    """The same of expm1 of the values."""
    n_ratios: int = 0
    """Values that were compared with their cell's smallest."""
    n_whole_ratios: int = 0
    """Those that are a whole multiple of it, as scaled counts are."""
    n_whole_exp_ratios: int = 0
    """The same of expm1 of the values, as logarithms of scaled counts are."""

    def __add__(self, other: ValueTraits) -> ValueTraits:
        """Join what is known of two parts."""
        return ValueTraits(
            n_values=self.n_values + other.n_values,
            n_fractional=self.n_fractional + other.n_fractional,
            n_noisy=self.n_noisy + other.n_noisy,
            n_negative=self.n_negative + other.n_negative,
            n_nonfinite=self.n_nonfinite + other.n_nonfinite,
            largest=max(self.largest, other.largest),
            total_min=min(self.total_min, other.total_min),
            total_max=max(self.total_max, other.total_max),
            exp_total_min=min(self.exp_total_min, other.exp_total_min),
            exp_total_max=max(self.exp_total_max, other.exp_total_max),
            n_ratios=self.n_ratios + other.n_ratios,
            n_whole_ratios=self.n_whole_ratios + other.n_whole_ratios,
            n_whole_exp_ratios=self.n_whole_exp_ratios + other.n_whole_exp_ratios,
        )

    def after_pass(self, sums: Sums, transform: Transform) -> ValueTraits:
        """Return what is known once a pass over all values has been made.

        What was known stays known: no fraction or negative value is ever forgotten. Where the
        first fractions turn up in a pass, they are held to be rounding noise until a pass over
        rounded values shows which are not.

        Args:
            sums: What the pass left behind.
            transform: What was done to the values before the pass.
        """
        facts = sums.facts
        totals = sums.cells.total_counts.values
        low, high = float(totals[totals > 0].min(initial=np.inf)), float(totals.max(initial=0.0))
        seen = replace(
            self,
            n_values=max(self.n_values, int(sums.genes.table[:, N_CELLS].sum())),
            n_negative=max(self.n_negative, facts.n_negative),
            n_nonfinite=max(self.n_nonfinite, facts.n_nonfinite),
        )
        if transform.exponentiate:
            largest = max(self.largest, float(np.log1p(facts.largest)))
            return replace(seen, largest=largest, exp_total_min=low, exp_total_max=high)
        if not (self.n_fractional or self.n_noisy or transform.rounded):
            seen = replace(seen, n_noisy=facts.n_fractional)
        else:
            seen = replace(seen, n_fractional=max(self.n_fractional, facts.n_fractional))
        return replace(
            seen,
            largest=max(self.largest, facts.largest),
            total_min=low,
            total_max=high,
        )


def traits_of(block: CellBlock | EntryBlock) -> ValueTraits:
    """Look at a block; only one of whole cells tells their totals."""
    noisy = is_noisy(block.data)
    data = block.data.astype(np.float64)
    finite = np.isfinite(data)
    data = np.where(finite, data, 0.0)
    traits = ValueTraits(
        n_values=int(np.count_nonzero(data)),
        n_fractional=int(np.count_nonzero((np.floor(data) != data) & ~noisy)),
        n_noisy=int(np.count_nonzero(noisy)),
        n_negative=int(np.count_nonzero(data < 0)),
        n_nonfinite=int(np.count_nonzero(~finite)),
        largest=float(data.max(initial=0.0)),
    )
    if isinstance(block, EntryBlock):
        return traits
    exponentials = np.expm1(np.clip(data, 0, LOG_CEILING))
    totals, exp_totals = _cell_sums(data, block), _cell_sums(exponentials, block)
    n_ratios, n_whole = _whole_ratios(data, block)
    _, n_whole_exp = _whole_ratios(exponentials, block)
    return replace(
        traits,
        total_min=float(totals[totals > 0].min(initial=np.inf)),
        total_max=float(totals.max(initial=0.0)),
        exp_total_min=float(exp_totals[exp_totals > 0].min(initial=np.inf)),
        exp_total_max=float(exp_totals.max(initial=0.0)),
        n_ratios=n_ratios,
        n_whole_ratios=n_whole,
        n_whole_exp_ratios=n_whole_exp,
    )


def classify(traits: ValueTraits) -> Values:  # noqa: PLR0911 (a decision, case by case)
    """Say what values with these traits are.

    Fractions on a scale that could be logarithmic are told apart by what undoing the
    logarithm would bring to light: equal totals in all cells, or whole multiples of
    each cell's smallest value.
    """
    if traits.n_nonfinite:
        return Values.NOT_FINITE
    if traits.n_negative:
        return Values.SCALED
    if not traits.n_fractional:
        return Values.COUNTS
    if _equal(traits.total_min, traits.total_max):
        return Values.NORMALISED
    if traits.largest > LOG_CEILING:
        return Values.EXPECTED_COUNTS
    if _equal(traits.exp_total_min, traits.exp_total_max):
        return Values.LOG_NORMALISED
    if traits.n_ratios and traits.n_whole_exp_ratios >= MOSTLY * traits.n_ratios:
        return Values.LOG_NORMALISED
    if traits.n_ratios and traits.n_whole_ratios >= MOSTLY * traits.n_ratios:
        return Values.EXPECTED_COUNTS
    if traits.n_fractional < (1 - FEW_WHOLE) * traits.n_values:
        return Values.EXPECTED_COUNTS
    return Values.LOG_NORMALISED


def _equal(low: float, high: float) -> bool:
    """Return whether known totals are equal in all cells."""
    return high > 0 and high * (1 - EQUAL_TOTALS) <= low


def _cell_sums(data: NDArray[np.float64], block: CellBlock) -> NDArray[np.float64]:
    """Sum values over each cell, shape ``(n_cells,)``."""
    cells = np.repeat(np.arange(block.n_cells), np.diff(block.indptr))
    return np.bincount(cells, weights=data, minlength=block.n_cells).astype(np.float64)


def _whole_ratios(data: NDArray[np.float64], block: CellBlock) -> tuple[int, int]:
    """Return how many values were compared with their cell's smallest, and how many fit."""
    cells = np.repeat(np.arange(block.n_cells), np.diff(block.indptr))
    smallest = np.full(block.n_cells, np.inf)
    positive = data > 0
    np.minimum.at(smallest, cells[positive], data[positive])
    ratios = data[positive] / smallest[cells[positive]]
    ratios = ratios[(ratios > 1 + _RATIO_TOLERANCE) & (ratios < _MAX_RATIO)]
    fits = np.abs(ratios - np.rint(ratios)) <= _RATIO_TOLERANCE * ratios
    return len(ratios), int(np.count_nonzero(fits))
