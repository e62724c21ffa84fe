"""What tells the kinds of values apart, and the rule that does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpss.blocks import CellBlock, EntryBlock
from dpss.stats.accumulator import Sums
from dpss.stats.layout import N_CELLS
from dpss.stats.values import Values

LOG_CEILING = 25.0
"""No natural logarithm of a count exceeds this (exp(25) = 7e10); scanpy-made ones stay
below log1p(1e6) = 13.8. Whatever is larger is not on a log scale."""
EQUAL_TOTALS = 0.01
"""Totals per cell that differ by less than this part are the work of a normalisation."""


@dataclass(frozen=True)
class ValueTraits:
    """What tells the kinds of values apart; joins with ``+``."""

    n_values: int = 0
    n_fractional: int = 0
    n_negative: int = 0
    n_nonfinite: int = 0
    largest: float = 0.0
    total_min: float = np.inf
    """Smallest sum over a cell that is not empty."""
    total_max: float = 0.0
    """Largest sum over a cell."""
    exp_total_min: float = np.inf
    """The same of expm1 of the values."""
    exp_total_max: float = 0.0
    """The same of expm1 of the values."""

    def __add__(self, other: ValueTraits) -> ValueTraits:
        """Join what is known of two parts."""
        return ValueTraits(
            n_values=self.n_values + other.n_values,
            n_fractional=self.n_fractional + other.n_fractional,
            n_negative=self.n_negative + other.n_negative,
            n_nonfinite=self.n_nonfinite + other.n_nonfinite,
            largest=max(self.largest, other.largest),
            total_min=min(self.total_min, other.total_min),
            total_max=max(self.total_max, other.total_max),
            exp_total_min=min(self.exp_total_min, other.exp_total_min),
            exp_total_max=max(self.exp_total_max, other.exp_total_max),
        )


def traits_of(block: CellBlock | EntryBlock) -> ValueTraits:
    """Look at a block; only one of whole cells tells their totals."""
    data = block.data.astype(np.float64)
    finite = np.isfinite(data)
    data = np.where(finite, data, 0.0)
    if isinstance(block, CellBlock):
        totals = _cell_sums(data, block)
        exp_totals = _cell_sums(np.expm1(np.clip(data, 0, LOG_CEILING)), block)
    else:
        totals = exp_totals = np.empty(0)
    return ValueTraits(
        n_values=len(data),
        n_fractional=int(np.count_nonzero(np.floor(data) != data)),
        n_negative=int(np.count_nonzero(data < 0)),
        n_nonfinite=int(np.count_nonzero(~finite)),
        largest=float(data.max(initial=0.0)),
        total_min=float(totals[totals > 0].min(initial=np.inf)),
        total_max=float(totals.max(initial=0.0)),
        exp_total_min=float(exp_totals[exp_totals > 0].min(initial=np.inf)),
        exp_total_max=float(exp_totals.max(initial=0.0)),
    )


def traits_of_sums(sums: Sums, *, exponentiated: bool) -> ValueTraits:
    """Tell from a finished pass what its values were like.

    Args:
        sums: What the pass left behind.
        exponentiated: Whether the pass was over expm1 of the values.
    """
    facts = sums.facts
    totals = sums.cells.total_counts.values
    bounds = (float(totals[totals > 0].min(initial=np.inf)), float(totals.max(initial=0.0)))
    unknown = (np.inf, 0.0)
    total, exp_total = (unknown, bounds) if exponentiated else (bounds, unknown)
    return ValueTraits(
        n_values=int(sums.genes.table[:, N_CELLS].sum()) + facts.n_explicit_zeros,
        n_fractional=facts.n_fractional,
        n_negative=facts.n_negative,
        n_nonfinite=facts.n_nonfinite,
        largest=float(np.log1p(facts.largest)) if exponentiated else facts.largest,
        total_min=total[0],
        total_max=total[1],
        exp_total_min=exp_total[0],
        exp_total_max=exp_total[1],
    )


def classify(traits: ValueTraits) -> Values:
    """Say what values with these traits are."""
    if traits.n_nonfinite:
        return Values.NOT_FINITE
    if traits.n_negative:
        return Values.SCALED
    if not traits.n_fractional:
        return Values.COUNTS
    if traits.total_max > 0 and traits.total_max * (1 - EQUAL_TOTALS) <= traits.total_min:
        return Values.NORMALISED
    if traits.largest > LOG_CEILING:
        return Values.EXPECTED_COUNTS
    return Values.LOG_NORMALISED


def _cell_sums(data: np.ndarray, block: CellBlock) -> np.ndarray:
    """Sum values over each cell, shape ``(n_cells,)``."""
    ends = np.concatenate([[0.0], np.cumsum(data)])
    return ends[block.indptr[1:]] - ends[block.indptr[:-1]]
