"""Parts of the loop over cells: cells with fractions and regular genes.

The sums are the same bits as value by value (`dpss.stats.kernels.rows`). The terms of some values
are computed first, in a loop that the compiler makes vector instructions of, and then added to
the rows of their genes. See `dpss.stats.kernels.cells`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import part
from dpss.stats.kernels.layout import (
    BOX_SHIFT,
    GROUP_BITS,
    N_CELLS,
    N_GROUPS,
    N_TERMS,
    N_TOP_COUNTS,
    ROLE,
    SHARE,
    SHARE_LOW,
    SHARE_LOW_BITS,
    SQUARE,
    SQUARE_LOW,
    TERMS_OF,
    TOTAL,
    TOTAL_LOW,
)
from dpss.stats.kernels.rows import (
    CARRY_BITS,
    LARGEST_BITS,
    LOW_SCALE,
    SHARE_LOW_MASK,
    SHARE_SCALE,
    SQUARE_SCALE,
    TAIL_SCALE,
    add_to_box,
    add_to_highest,
    carry,
    double_of,
    fraction_limbs,
    sum_of_highest,
)

MOST_VALUES = 1 << 16
"""Values of a cell whose low limbs fit into 64 bits without a carry."""
_CARRY_MASK = (1 << CARRY_BITS) - 1
_ROUNDER = float(1 << 52)
"""Added to a smaller number, it leaves the nearest whole number in the low bits of the double."""
_ROUNDER_BITS = (1023 + 52) << 52
_LOW, _SHARE, _HIGH, _REST = (TERMS_OF * k for k in range(1, N_TERMS))
"""Places of the terms after those of whole parts: low limbs, shares, both limbs of squares."""


@part(inline="always")
def split(x: Any) -> Any:
    """Return the whole part of a number of 0 to 2**52, as integer and double.

    Processors without AVX-512 have no instruction that converts several doubles to 64-bit
    integers at once.
    """
    rounded = x + _ROUNDER
    whole = rounded - _ROUNDER
    over = whole > x
    bits = np.float64(rounded).view(np.int64) - _ROUNDER_BITS
    return bits - np.int64(over), whole - np.float64(over)


@part(inline="always")
def share_terms(share: Any) -> Any:
    """Return a share in units of ``2**-SHARE_BITS``, and the two limbs of its square.

    The same as `dpss.stats.kernels.rows.share_limbs`, in a form that the compiler vectorises.
    """
    fixed, of_fixed = split(share * SHARE_SCALE + 0.5)
    kept = of_fixed / SHARE_SCALE
    square = kept * kept * SQUARE_SCALE
    high, of_high = split(square)
    low, _ = split((square - of_high) * LOW_SCALE)
    return fixed, high, low


@part()
def measure_regular(indices: Any, data: Any, begin: Any, end: Any, n_features: Any) -> Any:
    """Measure a cell as if it were regular, and return whether it is.

    Regular is a cell of at most `MOST_VALUES` values, and no more than features, that are finite,
    at least 0 and below `TOO_LARGE`, whose indices lie within the features.

    Returns:
        Genes detected, values with a fraction, the three limbs of the sum of counts, the largest
        value, and whether the cell is regular.
    """
    n_detected = n_fractional = np.int64(0)
    whole_sum = low_sum = tail_sum = np.int64(0)
    # Doubles of at least 0 have the order of their bits; those of NaN are above all others.
    most = least = np.int64(0)
    first = last = np.int64(0)
    for i in range(np.uint64(begin), np.uint64(end)):
        x = np.float64(data[i])
        bits = x.view(np.int64)
        most = max(most, bits)
        least = min(least, bits)
        whole, of_whole = split(x)
        scaled = (x - of_whole) * LOW_SCALE
        low, of_low = split(scaled)
        tail, _ = split((scaled - of_low) * TAIL_SCALE)
        n_detected += np.int64(x > 0.0)
        n_fractional += np.int64(scaled > 0.0)
        whole_sum += whole
        low_sum += low
        tail_sum += tail
    for i in range(np.uint64(begin), np.uint64(end)):
        gene = np.int64(indices[i])
        first = min(first, gene)
        last = max(last, gene)
    n_values = end - begin
    within = first >= 0 and last < max(n_features, 1)
    few = n_values <= min(n_features, MOST_VALUES)
    regular = within and few and least >= 0 and most < LARGEST_BITS
    largest = np.int64(most).view(np.float64)
    return n_detected, n_fractional, whole_sum, low_sum, tail_sum, largest, regular


@part()
def _set_terms(data: Any, begin: Any, n: Any, inverse: Any, terms: Any) -> None:
    """Set the terms of consecutive values of a cell, all of one kind in a row.

    In this order processors with vectors of two doubles gain, too.
    """
    for j in range(n):
        x = np.float64(data[begin + j])
        whole, of_whole = split(x)
        scaled = (x - of_whole) * LOW_SCALE
        low, _ = split(scaled)
        fixed, high, rest = share_terms(min(x * inverse, 1.0))
        terms[j] = whole
        terms[j + np.uint64(_LOW)] = low
        terms[j + np.uint64(_SHARE)] = fixed
        terms[j + np.uint64(_HIGH)] = high
        terms[j + np.uint64(_REST)] = rest


@part()
def _set_tails(data: Any, begin: Any, n: Any, terms: Any) -> None:
    """Set the first terms to the lowest limbs of consecutive values of a cell."""
    for j in range(n):
        x = np.float64(data[begin + j])
        _, of_whole = split(x)
        scaled = (x - of_whole) * LOW_SCALE
        _, of_low = split(scaled)
        terms[j], _ = split((scaled - of_low) * TAIL_SCALE)


@part()
def add_regular_cell(  # noqa: PLR0913
    indices: Any,
    data: Any,
    begin: Any,
    end: Any,
    inverse: Any,
    has_tails: Any,
    table: Any,
    tails: Any,
    boxes: Any,
    recent: Any,
    groups: Any,
) -> None:
    """Add a regular cell's values to their genes, and sum its counts in each group.

    Args:
        indices: Feature of each value.
        data: The values.
        begin: Place of the cell's first value.
        end: Place after its last one.
        inverse: 1 / its total counts.
        has_tails: Whether a value has a part in the lowest limb.
        table: As for `add_cells`.
        tails: As for `add_cells`.
        boxes: As for `add_cells`.
        recent: As for `add_cells`.
        groups: ``float64``, shape ``(N_GROUPS,)``; set.
    """
    _, _, picked, special, _, _, terms = recent
    n_picked: Any = np.uint64(0)
    for first in range(begin, end, TERMS_OF):
        start, n = np.uint64(first), np.uint64(min(end - first, TERMS_OF))
        _set_terms(data, start, n, inverse, terms)
        for j in range(n):
            i = start + j
            gene: Any = np.uint64(indices[i])
            picked[n_picked] = i
            n_picked += np.uint64(special[gene])
            fixed = terms[j + np.uint64(_SHARE)]
            n_cells = table[gene, N_CELLS] + np.int64(data[i] > 0)
            table[gene, N_CELLS] = n_cells
            table[gene, TOTAL] += terms[j]
            table[gene, TOTAL_LOW] += terms[j + np.uint64(_LOW)]
            table[gene, SHARE] += fixed >> SHARE_LOW_BITS
            table[gene, SHARE_LOW] += fixed & SHARE_LOW_MASK
            table[gene, SQUARE] += terms[j + np.uint64(_HIGH)]
            table[gene, SQUARE_LOW] += terms[j + np.uint64(_REST)]
            if n_cells & _CARRY_MASK == 0:
                carry(table, gene)
        if has_tails:
            _set_tails(data, start, n, terms)
            for j in range(n):
                tails[np.uint64(indices[start + j])] += terms[j]
    for k in range(n_picked):
        i = np.uint64(picked[k])
        role = table[np.uint64(indices[i]), ROLE]
        if role >> BOX_SHIFT and data[i] > 0:
            add_to_box(boxes, role, min(np.float64(data[i]) * inverse, 1.0))
    for group in range(N_GROUPS):
        whole_sum = low_sum = tail_sum = np.int64(0)
        for k in range(n_picked):
            i = np.uint64(picked[k])
            if table[np.uint64(indices[i]), ROLE] >> group * GROUP_BITS & 1:
                x = np.float64(data[i])
                whole = np.int64(x)
                low, tail = fraction_limbs(x - whole)
                whole_sum += whole
                low_sum += low
                tail_sum += tail
        groups[group] = double_of(whole_sum, low_sum, tail_sum)


@part()
def top_of_regular(data: Any, begin: Any, end: Any, guess: Any, picked: Any, highest: Any) -> Any:
    """Set the highest counts of a regular cell, descending, and return their sum.

    Args:
        data: The values; the cell has at least `N_TOP_COUNTS` above 0.
        begin: Place of the cell's first value.
        end: Place after its last one.
        guess: Estimate of the lowest of these counts.
        picked: ``int64``, with a place for each feature and one more; changed.
        highest: ``float64``, shape ``(N_TOP_COUNTS,)``; set.
    """
    n_picked: Any = np.uint64(0)
    for bar in (0.9 * guess, 0.5 * guess, 0.0):
        n_picked = np.uint64(0)
        for i in range(np.uint64(begin), np.uint64(end)):
            picked[n_picked] = i
            n_picked += np.uint64(np.float64(data[i]) > bar)
        if n_picked >= np.uint64(N_TOP_COUNTS):
            break
    highest[:] = 0.0
    for k in range(n_picked):
        last: Any = min(k, np.uint64(N_TOP_COUNTS - 1))
        add_to_highest(highest, np.int64(last), np.float64(data[np.uint64(picked[k])]))
    return sum_of_highest(highest)
