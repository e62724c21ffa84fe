"""Addition of values to a feature's row, and carries between its limbs.

Parts of the loops in `dpss.stats.kernels.cells` and `dpss.stats.kernels.entries`; the columns are
explained by `dpss.stats.kernels.layout`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
from dpss.stats.kernels.layout import (
    BINS_PER_OCTAVE_BITS,
    BOX_OCTAVES,
    BOX_SHIFT,
    LOW_BITS,
    N_BOX_BINS,
    N_CELLS,
    SHARE,
    SHARE_BITS,
    SHARE_LOW,
    SHARE_LOW_BITS,
    SQUARE,
    SQUARE_BITS,
    SQUARE_LOW,
    TAIL_BITS,
    TOTAL,
    TOTAL_LOW,
)

TOO_LARGE = float(1 << 40)
"""Values of this size or more are not added, as sums could overflow."""
LARGEST_BITS = (1023 + 40) << 52
"""The bits of `TOO_LARGE`, a double."""
TOO_SMALL = 1e-12
"""Below this size the relative error of a value in a sum exceeds 1e-10."""
LOW_SCALE = float(1 << LOW_BITS)
LOW_MASK = (1 << LOW_BITS) - 1
TAIL_SCALE = float(1 << TAIL_BITS)
TAIL_MASK = (1 << TAIL_BITS) - 1
CARRY_BITS = 15
"""Logarithm of the number of additions between two carries of the low limbs."""
SHARE_SCALE = float(1 << SHARE_BITS)
SHARE_LOW_MASK = (1 << SHARE_LOW_BITS) - 1
SQUARE_SCALE = float(1 << (SQUARE_BITS - LOW_BITS))
_CARRY_MASK = (1 << CARRY_BITS) - 1
_BOX_SHIFT = 52 - BINS_PER_OCTAVE_BITS
_BOX_FIRST = (1023 - BOX_OCTAVES) << BINS_PER_OCTAVE_BITS


@part()
def carry(table: Any, gene: Any) -> None:
    """Carry the overflow of a row's low limbs into the high limbs."""
    table[gene, TOTAL] += table[gene, TOTAL_LOW] >> LOW_BITS
    table[gene, TOTAL_LOW] &= LOW_MASK
    table[gene, SHARE] += table[gene, SHARE_LOW] >> SHARE_LOW_BITS
    table[gene, SHARE_LOW] &= SHARE_LOW_MASK
    table[gene, SQUARE] += table[gene, SQUARE_LOW] >> LOW_BITS
    table[gene, SQUARE_LOW] &= LOW_MASK


@compiled
def normalise_limbs(table: Any) -> None:
    """Bring every row into its canonical form: low limbs within their bits.

    Args:
        table: ``int64``, shape ``(n_features, N_COLUMNS)``; changed in place.
    """
    for gene in range(table.shape[0]):
        carry(table, gene)


@part(inline="always")
def share_limbs(share: Any) -> Any:
    """Return a share in units of ``2**-SHARE_BITS``, and the two limbs of its square.

    The square is that of the rounded share, so that equal shares have no variance.
    """
    fixed = np.int64(share * SHARE_SCALE + 0.5)
    kept = fixed / SHARE_SCALE
    square = kept * kept * SQUARE_SCALE
    high = np.int64(square)
    return fixed, high, np.int64((square - high) * LOW_SCALE)


@part(inline="always")
def fraction_limbs(rest: Any) -> Any:
    """Return a fraction of 1 in units of ``2**-LOW_BITS``, and its lowest limb.

    The lowest limb has units of ``2**-(LOW_BITS + TAIL_BITS)``.
    """
    scaled = rest * LOW_SCALE
    low = np.int64(scaled)
    return low, np.int64((scaled - low) * TAIL_SCALE)


@part(inline="always")
def add_fraction(table: Any, tails: Any, gene: Any, rest: Any) -> Any:
    """Add the fraction of a value, above 0, to a row, and return its two limbs."""
    low, tail = fraction_limbs(rest)
    table[gene, TOTAL_LOW] += low
    # Fractions of 32 bits have no tail unless they are tiny.
    if tail != 0:
        tails[gene] += tail
    return low, tail


@part(inline="always")
def add_value(table: Any, gene: Any, whole: Any, share: Any) -> None:
    """Add a positive value's whole part and share of its cell's counts to a row."""
    n_cells = table[gene, N_CELLS] + 1
    table[gene, N_CELLS] = n_cells
    table[gene, TOTAL] += whole
    fixed, high, low = share_limbs(share)
    table[gene, SHARE] += fixed >> SHARE_LOW_BITS
    table[gene, SHARE_LOW] += fixed & SHARE_LOW_MASK
    table[gene, SQUARE] += high
    table[gene, SQUARE_LOW] += low
    if n_cells & _CARRY_MASK == 0:
        carry(table, gene)


@part(inline="always")
def add_sums(
    table: Any,
    gene: Any,
    n_cells: Any,
    total: Any,
    shares: Any,
    shares_low: Any,
    squares: Any,
    squares_low: Any,
) -> None:
    """Add sums of whole values, in limbs of `share_limbs`, to a gene's row.

    The low limbs may be larger than their bits.
    """
    before = table[gene, N_CELLS]
    table[gene, N_CELLS] = before + n_cells
    table[gene, TOTAL] += total
    table[gene, SHARE] += shares + (shares_low >> SHARE_LOW_BITS)
    table[gene, SHARE_LOW] += shares_low & SHARE_LOW_MASK
    table[gene, SQUARE] += squares + (squares_low >> LOW_BITS)
    table[gene, SQUARE_LOW] += squares_low & LOW_MASK
    if (before ^ (before + n_cells)) >> CARRY_BITS:
        carry(table, gene)


@part(inline="always")
def add_to_box(boxes: Any, role: Any, share: Any) -> None:
    """Count a share in the histogram of a feature with this role."""
    at = (np.float64(share).view(np.int64) >> _BOX_SHIFT) - _BOX_FIRST
    place: Any = min(max(at, 0), N_BOX_BINS - 1)
    boxes[np.uint64((role >> BOX_SHIFT) - 1), np.uint64(place)] += 1


@part(inline="always")
def double_of(whole_sum: Any, low_sum: Any, tail_sum: Any) -> Any:
    """Return the double nearest to a sum in three limbs."""
    low = low_sum + (tail_sum >> TAIL_BITS)
    fraction = ((low & LOW_MASK) + (tail_sum & TAIL_MASK) / TAIL_SCALE) / LOW_SCALE
    return np.float64(whole_sum + (low >> LOW_BITS)) + fraction


@part(inline="always")
def add_to_highest(highest: Any, last: Any, x: Any) -> None:
    """Insert a count into its cell's highest ones, descending, if it is one.

    Args:
        highest: ``float64``, shape ``(N_TOP_COUNTS,)``; zeros from ``last`` on.
        last: Last place that may be set.
        x: The count.
    """
    place = last
    if x > highest[place]:
        while place > 0 and highest[place - 1] < x:
            highest[place] = highest[place - 1]
            place -= 1
        highest[place] = x


@part(inline="always")
def sum_of_highest(highest: Any) -> Any:
    """Return the sum of a cell's highest counts, added from first to last."""
    total = 0.0
    for place in range(highest.shape[0]):
        total += highest[place]
    return total
