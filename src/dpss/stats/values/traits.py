"""Traits that distinguish the kinds of values, and the rule that uses them."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace

import numpy as np

from dpss.model import CellBlock, EntryBlock
from dpss.stats.accumulator import Sums
from dpss.stats.kernels.layout import N_CELLS, NOT_A_GENE, ROLE
from dpss.stats.kernels.rows import TOO_LARGE, TOO_SMALL
from dpss.stats.values.kinds import ValueKind
from dpss.stats.values.logarithms import (
    EQUAL_TOTALS,
    LOG_CEILING,
    MOSTLY,
    BaseEvidence,
    ScaleTraits,
    base_traits_of,
    count_whole_ratios,
    find_base,
    total_by_cell,
)
from dpss.stats.values.roots import RootEvidence, RootTraits, root_traits_of
from dpss.stats.values.shift import ShiftTraits, shift_traits_of
from dpss.stats.values.transform import Transform, is_noisy

FEW_WHOLE = 0.01
"""Part of whole numbers, 0 to 1, below which values may be logarithms, not expected counts."""

_UNKNOWN_SCALE, _NO_ROOTS, _NO_SHIFT = ScaleTraits(), RootTraits(), ShiftTraits(n_places=0)


@dataclass(frozen=True)
class ValueTraits:
    """Traits that distinguish the kinds of values; joins with ``+``."""

    n_values: int = 0
    """Values that are not zero."""
    n_fractional: int = 0
    """Values that are not whole, rounding noise aside."""
    n_noisy: int = 0
    """Whole numbers with rounding noise."""
    n_negative: int = 0
    n_nonfinite: int = 0
    n_large: int = 0
    """Finite values that are too large to be added."""
    largest: float = 0.0
    stored: ScaleTraits = _UNKNOWN_SCALE
    """Traits of the values as they are stored."""
    bases: tuple[ScaleTraits, ...] = ()
    """Traits after undoing logarithms to each of `dpss.stats.values.logarithms.BASES`; empty where
    only values without their cells are known."""
    roots: RootTraits = _NO_ROOTS
    """Traits of the squares; those of no value where all are whole numbers."""
    shift: ShiftTraits = _NO_SHIFT
    """Traits of the smallest value."""

    def __add__(self, other: ValueTraits) -> ValueTraits:
        """Join the traits of two parts of the values."""
        return ValueTraits(
            n_values=self.n_values + other.n_values,
            n_fractional=self.n_fractional + other.n_fractional,
            n_noisy=self.n_noisy + other.n_noisy,
            n_negative=self.n_negative + other.n_negative,
            n_nonfinite=self.n_nonfinite + other.n_nonfinite,
            n_large=self.n_large + other.n_large,
            largest=max(self.largest, other.largest),
            stored=self.stored + other.stored,
            bases=tuple(map(operator.add, self.bases, other.bases)) or self.bases or other.bases,
            roots=self.roots + other.roots,
            shift=self.shift + other.shift,
        )

    def after_pass(self, sums: Sums, transform: Transform) -> ValueTraits:
        """Return the traits after a pass over all values.

        Fractions and negative values that were known before stay in the traits. Fractions that a
        pass finds first count as rounding noise until a pass over rounded values shows which are
        not.

        Args:
            sums: Results of the pass.
            transform: Transform of the values before the pass.
        """
        facts = sums.facts
        totals = sums.cells.total_counts.values
        low, high = float(totals[totals > 0].min(initial=np.inf)), float(totals.max(initial=0.0))
        n_values = int(sums.genes.table[:, N_CELLS].sum())
        n_genes = int(np.count_nonzero(sums.genes.table[:, ROLE] != NOT_A_GENE))
        known = replace(
            self,
            n_values=max(self.n_values, n_values),
            shift=self.shift.with_zeros(n_values, sums.cells.n_cells_kept * n_genes),
            n_negative=max(self.n_negative, facts.n_negative),
            n_nonfinite=max(self.n_nonfinite, facts.n_nonfinite),
            n_large=max(self.n_large, facts.n_large),
        )
        if transform.base is not None:
            largest = float(np.log1p(facts.largest) / np.log(transform.base))
            return replace(known, largest=max(self.largest, largest))
        if not (self.n_fractional or self.n_noisy or transform.rounded):
            known = replace(known, n_noisy=facts.n_fractional)
        else:
            known = replace(known, n_fractional=max(self.n_fractional, facts.n_fractional))
        return replace(
            known,
            largest=max(self.largest, facts.largest),
            stored=replace(self.stored, total_min=low, total_max=high),
        )

    @property
    def lacks_cells(self) -> bool:
        """Whether whole cells are needed to recognise logarithms and their base."""
        could_be = not self.n_nonfinite and not self.n_negative and self.largest <= LOG_CEILING
        return bool(self.n_fractional) and could_be and not self.bases

    def with_cells(self, block: CellBlock) -> ValueTraits:
        """Return the traits with those of some assembled whole cells."""
        found = traits_of(block)
        return replace(self, stored=found.stored, bases=found.bases, roots=found.roots)


def traits_of(block: CellBlock | EntryBlock) -> ValueTraits:
    """Return the traits of a block; totals are known for blocks of whole cells only."""
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
        n_large=int(np.count_nonzero(np.abs(data) >= TOO_LARGE)),
        largest=float(data.max(initial=0.0)),
        shift=shift_traits_of(data),
    )
    if isinstance(block, EntryBlock):
        if not traits.n_fractional:
            return traits
        # Numbered anew: memory depends on the values, not on the largest index of a cell.
        present, cells = np.unique(block.cells, return_inverse=True)
        roots = root_traits_of(data, cells, len(present), whole_cells=False)
        return replace(traits, roots=roots)
    cells = np.repeat(np.arange(block.n_cells), np.diff(block.indptr))
    totals = total_by_cell(data, cells, block.n_cells)
    n_ratios, n_whole = count_whole_ratios(data, cells, block.n_cells)
    return replace(
        traits,
        stored=ScaleTraits(
            total_min=float(totals[totals > 0].min(initial=np.inf)),
            total_max=float(totals.max(initial=0.0)),
            n_ratios=n_ratios,
            n_whole_ratios=n_whole,
        ),
        bases=base_traits_of(data, cells, block.n_cells),
        roots=root_traits_of(data, cells, block.n_cells, whole_cells=True)
        if traits.n_fractional
        else RootTraits(),
    )


def classify(traits: ValueTraits) -> ValueKind:  # noqa: PLR0911 (a decision, case by case)
    """Return the kind of values with these traits.

    Fractions on a scale that could be logarithmic are logarithms if undoing them gives equal totals
    in all cells, or whole multiples of each cell's smallest value. They are square roots if their
    squares are whole, or have the same sum in all cells and there is no evidence of logarithms.
    """
    if traits.n_nonfinite:
        return ValueKind.NOT_FINITE
    if traits.n_negative:
        return ValueKind.SCALED
    if traits.n_large:
        return ValueKind.TOO_LARGE
    if 0 < traits.largest < TOO_SMALL:
        return ValueKind.TOO_SMALL
    if not traits.n_fractional:
        return ValueKind.COUNTS
    if traits.shift.is_shifted:
        return ValueKind.SHIFTED
    _, evidence = find_base(traits.bases)
    best_spread = min((each.spread for each in traits.bases), default=np.inf)
    no_logarithms = traits.largest > LOG_CEILING
    spread = traits.stored.spread
    equal = spread <= EQUAL_TOTALS and (no_logarithms or spread <= best_spread)
    n_ratios, n_whole_ratios = traits.stored.n_ratios, traits.stored.n_whole_ratios
    are_multiples = n_ratios > 0 and n_whole_ratios >= MOSTLY * n_ratios
    nothing_else = not equal and (no_logarithms or evidence is BaseEvidence.NOTHING)
    if _are_roots(traits.roots.evidence, nothing_else=nothing_else, are_multiples=are_multiples):
        return ValueKind.ROOTS
    if equal:
        return ValueKind.NORMALISED
    if no_logarithms:
        return ValueKind.EXPECTED_COUNTS
    # Of tiny values the logarithms are whole multiples, too, to any base.
    if are_multiples and evidence is not BaseEvidence.EQUAL_TOTALS:
        return ValueKind.EXPECTED_COUNTS
    if evidence is not BaseEvidence.NOTHING:
        return ValueKind.LOG_NORMALISED
    if traits.n_fractional < (1 - FEW_WHOLE) * traits.n_values:
        return ValueKind.EXPECTED_COUNTS
    return ValueKind.LOG_NORMALISED


def _are_roots(evidence: RootEvidence, *, nothing_else: bool, are_multiples: bool) -> bool:
    """Return whether values are square roots.

    Args:
        evidence: Evidence from their squares.
        nothing_else: Whether there is no evidence of logarithms or of equal totals.
        are_multiples: Whether the values themselves are whole multiples of their cell's smallest.
    """
    if evidence is RootEvidence.WHOLE_RATIOS:
        return nothing_else and not are_multiples
    return evidence is RootEvidence.WHOLE_SQUARES or (
        evidence is RootEvidence.EQUAL_SQUARES and nothing_else
    )
