"""Parts of the loop over cells: all other cells, with faulty values or features.

Values are added one by one. See `dpss.stats.kernels.cells`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import part
from dpss.stats.kernels.layout import (
    BOX_SHIFT,
    IN_A_GROUP,
    IN_HB,
    IN_MT,
    IN_RIBO,
    LOW_BITS,
    N_FRACTIONAL,
    N_LARGE,
    N_NEGATIVE,
    N_NONFINITE,
    N_OUTSIDE,
    N_TOP_COUNTS,
    N_ZERO,
    ROLE,
)
from dpss.stats.kernels.rows import (
    CARRY_BITS,
    LOW_MASK,
    TOO_LARGE,
    add_fraction,
    add_to_box,
    add_to_highest,
    add_value,
    double_of,
    fraction_limbs,
    sum_of_highest,
)

_CARRY_MASK = (1 << CARRY_BITS) - 1


@part()
def measure_any(
    indices: Any, data: Any, begin: int, end: int, table: Any, facts: Any
) -> tuple[int, float, float, bool]:
    """Measure a cell of any values and any features, and note facts about them.

    Returns:
        Genes detected, sum of counts, largest value, and whether the cell is sound.
    """
    n_detected = 0
    n_added = 0
    whole_sum = np.int64(0)
    low_sum = np.int64(0)
    tail_sum = np.int64(0)
    largest = 0.0
    sound = True
    for i in range(begin, end):
        x = np.float64(data[i])
        gene = np.int64(indices[i])
        if gene < 0 or gene >= table.shape[0]:
            facts[N_OUTSIDE] += 1
            sound = False
        elif not np.abs(x) < TOO_LARGE:
            facts[N_LARGE if np.isfinite(x) else N_NONFINITE] += 1
            sound = False
        elif x < 0.0:
            facts[N_NEGATIVE] += 1
            facts[N_FRACTIONAL] += np.floor(x) != x
            sound = False
        elif x == 0.0:
            facts[N_ZERO] += 1
        else:
            whole = np.int64(x)
            n_detected += 1
            largest = max(largest, x)
            whole_sum += whole
            rest = x - whole
            if rest != 0.0:
                facts[N_FRACTIONAL] += 1
                low, tail = fraction_limbs(rest)
                low_sum += low
                tail_sum += tail
            n_added += 1
            if n_added & _CARRY_MASK == 0:
                whole_sum += low_sum >> LOW_BITS
                low_sum &= LOW_MASK
    return n_detected, double_of(whole_sum, low_sum, tail_sum), largest, sound


@part()
def add_any_cell(  # noqa: PLR0913
    indices: Any,
    data: Any,
    begin: int,
    end: int,
    inverse: float,
    table: Any,
    tails: Any,
    boxes: Any,
    groups: Any,
    highest: Any,
) -> Any:
    """Add a cell's values to their genes; sum its groups and highest counts.

    Args:
        indices: Feature of each value.
        data: The values.
        begin: Place of the cell's first value.
        end: Place after its last one.
        inverse: 1 / its total counts.
        table: As for `add_cells`.
        tails: As for `add_cells`.
        boxes: As for `add_cells`.
        groups: ``float64``, shape ``(N_GROUPS,)``; set.
        highest: ``float64``, shape ``(N_TOP_COUNTS,)``; set: the highest counts, descending.

    Returns:
        The sum of the highest counts.
    """
    mt_whole = mt_low = mt_tail = np.int64(0)
    ribo_whole = ribo_low = ribo_tail = np.int64(0)
    hb_whole = hb_low = hb_tail = np.int64(0)
    highest[:] = 0.0
    for i in range(begin, end):
        x = np.float64(data[i])
        gene = np.uint64(indices[i])
        role = table[gene, ROLE]
        if x == 0.0:
            continue
        whole = np.int64(x)
        low = tail = np.int64(0)
        rest = x - whole
        if rest != 0.0:
            low, tail = add_fraction(table, tails, gene, rest)
        if role & IN_A_GROUP:
            mt_whole += whole * (role & IN_MT != 0)
            mt_low += low * (role & IN_MT != 0)
            mt_tail += tail * (role & IN_MT != 0)
            ribo_whole += whole * (role & IN_RIBO != 0)
            ribo_low += low * (role & IN_RIBO != 0)
            ribo_tail += tail * (role & IN_RIBO != 0)
            hb_whole += whole * (role & IN_HB != 0)
            hb_low += low * (role & IN_HB != 0)
            hb_tail += tail * (role & IN_HB != 0)
        share = min(x * inverse, 1.0)
        add_value(table, gene, whole, share)
        if role >> BOX_SHIFT:
            add_to_box(boxes, role, share)
        add_to_highest(highest, N_TOP_COUNTS - 1, x)
    groups[0] = double_of(mt_whole, mt_low, mt_tail)
    groups[1] = double_of(ribo_whole, ribo_low, ribo_tail)
    groups[2] = double_of(hb_whole, hb_low, hb_tail)
    return sum_of_highest(highest)
