"""The compiled loops over blocks of whole cells.

A cell of whole counts in the order of its genes, as nearly all are, is added to rows of
four sums (`dpss.stats.kernels.layout.N_RECENT_COLUMNS`): what one, two, three counts add is worked
out once for the cell, and a value is one addition of four integers. After so many cells
the rows are settled: added to the table. All others are added to the table value by value,
with the same numbers. See `dpss.compute.jit`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
from dpss.stats.kernels.layout import (
    LOW_BITS,
    N_FRACTIONAL,
    N_LARGE,
    N_NEGATIVE,
    N_NONFINITE,
    N_OUTSIDE,
    N_TABULATED,
    N_ZERO,
    NOT_A_GENE,
    RECENT_BITS,
    ROLE,
)
from dpss.stats.kernels.rows import (
    CARRY_BITS,
    LOW_MASK,
    LOW_SCALE,
    TOO_LARGE,
    add_sums,
    add_to_box,
    add_value,
    double_of,
    share_limbs,
)

_CARRY_MASK = (1 << CARRY_BITS) - 1
_RECENT_MASK = (1 << RECENT_BITS) - 1
_SETTLED_EVERY = 1 << 10
"""Cells: so many shares of 1 are still far from filling 64 bits."""


@part()
def _measure_plain(indices: Any, data: Any, begin: Any, end: Any, n_features: Any) -> Any:
    """Measure a cell on the assumption that it's plain, and say if that held.

    Plain is a cell whose values are whole numbers of at least 0 and below 2**31, and whose
    indices increase and lie within the features.

    Returns:
        Genes detected, sum of counts, the largest count, and whether the cell is plain.
    """
    n_detected = np.int32(0)
    total = np.int64(0)
    largest = smallest = np.int32(0)
    odd = False
    # Written so that the compiler makes vector instructions of it.
    for i in range(np.uint64(begin), np.uint64(end)):
        x = data[i]
        whole = np.int32(x)
        odd |= data.dtype.type(whole) != x
        total += whole
        n_detected += np.int32(whole > 0)
        largest = max(largest, whole)
        smallest = min(smallest, whole)
    for i in range(np.uint64(begin + 1), np.uint64(max(begin + 1, end))):
        odd |= indices[i - np.uint64(1)] >= indices[i]
    within = begin == end or (indices[begin] >= 0 and indices[end - 1] < n_features)
    plain = (not odd) and smallest >= 0 and within
    return np.int64(n_detected), total, np.int64(largest), plain


@part()
def _measure_any(
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
    largest = 0.0
    sound = True
    for i in range(begin, end):
        x = np.float64(data[i])
        gene = np.int64(indices[i])
        if gene < 0 or gene >= table.shape[0]:
            facts[N_OUTSIDE] += 1
            sound = False
        elif table[gene, ROLE] == NOT_A_GENE:
            continue
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
            facts[N_FRACTIONAL] += np.float64(whole) != x
            n_detected += 1
            largest = max(largest, x)
            whole_sum += whole
            low_sum += np.int64((x - whole) * LOW_SCALE)
            n_added += 1
            if n_added & _CARRY_MASK == 0:
                whole_sum += low_sum >> LOW_BITS
                low_sum &= LOW_MASK
    return n_detected, double_of(whole_sum, low_sum), largest, sound


@part()
def _add_plain_cell(  # noqa: PLR0913
    indices: Any,
    data: Any,
    begin: Any,
    end: Any,
    inverse: Any,
    largest: Any,
    table: Any,
    boxes: Any,
    recent: Any,
) -> Any:
    """Add a plain cell's values to their genes and return its mitochondrial counts."""
    rows, sums, picked, special, _ = recent
    for count in range(1, min(largest, N_TABULATED) + 1):
        sums[count, 0] = (1 << RECENT_BITS) + count
        sums[count, 1], sums[count, 2], sums[count, 3] = share_limbs(min(count * inverse, 1.0))
    # Places of what is more than a count of a usual gene. First, without a branch.
    n_picked: Any = np.uint64(0)
    for i in range(np.uint64(begin), np.uint64(end)):
        picked[n_picked] = i
        large = data[i] > data.dtype.type(N_TABULATED)
        n_picked += np.uint64(special[np.uint64(indices[i])] | np.uint8(large))
    for i in range(np.uint64(begin), np.uint64(end)):
        gene: Any = np.uint64(indices[i])
        # Larger ones have a row of zeros, as zero has.
        row = np.uint64(min(np.uint32(np.int32(data[i])), np.uint32(N_TABULATED + 1)))
        a = rows[gene, 0] + sums[row, 0]
        b = rows[gene, 1] + sums[row, 1]
        c = rows[gene, 2] + sums[row, 2]
        d = rows[gene, 3] + sums[row, 3]
        rows[gene, 0] = a
        rows[gene, 1] = b
        rows[gene, 2] = c
        rows[gene, 3] = d
    mt = np.int64(0)
    for k in range(n_picked):
        at = np.uint64(picked[k])
        whole = np.int64(data[at])
        gene = np.uint64(indices[at])
        role = table[gene, ROLE]
        if whole > 0:
            share = min(whole * inverse, 1.0)
            mt += whole * (role & 1)
            if whole > N_TABULATED:
                add_value(table, gene, np.float64(whole), share)
            if role > 1:
                add_to_box(boxes, role, share)
    return np.float64(mt)


@compiled
def flush(rows: Any, n_cells: Any, table: Any) -> None:
    """Add what was added to the recent rows to the table, and clear them.

    Args:
        rows: ``int64``, shape ``(n_features, N_RECENT_COLUMNS)``; changed in place.
        n_cells: ``int64``, shape ``(1,)``: cells that were added to them; set to zero.
        table: ``int64``, shape ``(n_features, N_COLUMNS)``; added to.
    """
    _settle(rows, n_cells, table)


@part()
def _settle(rows: Any, n_cells: Any, table: Any) -> None:
    n_cells[0] = 0
    for gene in range(rows.shape[0]):
        packed = rows[gene, 0]
        if packed != 0:
            add_sums(
                table,
                gene,
                packed >> RECENT_BITS,
                packed & _RECENT_MASK,
                rows[gene, 1],
                rows[gene, 2],
                rows[gene, 3],
            )
            rows[gene, 0] = 0
            rows[gene, 1] = 0
            rows[gene, 2] = 0
            rows[gene, 3] = 0


@part()
def _add_cell(
    indices: Any, data: Any, begin: int, end: int, inverse: float, table: Any, boxes: Any
) -> Any:
    """Add a cell's values to their genes and return its mitochondrial counts."""
    mt_whole = np.int64(0)
    mt_low = np.int64(0)
    for i in range(begin, end):
        x = np.float64(data[i])
        gene = np.uint64(indices[i])
        role = table[gene, ROLE]
        if x == 0.0 or role < 0:
            continue
        if role & 1:
            whole = np.int64(x)
            mt_whole += whole
            mt_low += np.int64((x - whole) * LOW_SCALE)
        share = min(x * inverse, 1.0)
        add_value(table, gene, x, share)
        if role > 1:
            add_to_box(boxes, role, share)
    return double_of(mt_whole, mt_low)


@compiled
def add_cells(  # noqa: PLR0913
    indptr: Any,
    indices: Any,
    data: Any,
    all_genes: bool,
    min_genes: int,
    table: Any,
    boxes: Any,
    recent: Any,
    n_genes_by_counts: Any,
    total_counts: Any,
    total_counts_mt: Any,
    facts: Any,
) -> float:
    """Add a block of cells to a table of features, in one pass over its values.

    Args:
        indptr: ``int64``, shape ``(n_cells + 1,)``.
        indices: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        all_genes: Whether no feature has the role `NOT_A_GENE`.
        min_genes: Cells with fewer genes detected are not added.
        table: ``int64``, shape ``(n_features, N_COLUMNS)``; added to.
        boxes: ``int32``, shape ``(n_boxes, N_BOX_BINS)``; added to.
        recent: What is not settled yet: `dpss.stats.accumulator.WriteBuffer`; added to.
        n_genes_by_counts: ``int64``, shape ``(n_cells,)``; set; -1 for a cell not kept.
        total_counts: ``float64``, shape ``(n_cells,)``; set.
        total_counts_mt: ``float64``, shape ``(n_cells,)``; set.
        facts: ``int64``, shape ``(N_FACTS,)``; added to. Cells with a negative, not finite
            or misplaced value are left out: the caller looks at the facts and drops
            the table.

    Returns:
        The largest value seen.
    """
    largest = 0.0
    rows, _, _, _, n_unsettled = recent
    for cell in range(indptr.shape[0] - 1):
        begin, end = indptr[cell], indptr[cell + 1]
        plain = False
        if all_genes:
            n_detected, whole_total, most_plain, plain = _measure_plain(
                indices, data, begin, end, table.shape[0]
            )
        if plain:
            sound = True
            total = np.float64(whole_total)
            most = np.float64(most_plain)
            facts[N_ZERO] += (end - begin) - n_detected
        else:
            n_detected, total, most, sound = _measure_any(indices, data, begin, end, table, facts)
        largest = max(largest, most)
        total_counts[cell] = total
        total_counts_mt[cell] = 0.0
        n_genes_by_counts[cell] = -1
        if sound and n_detected >= min_genes:
            n_genes_by_counts[cell] = n_detected
            inverse = 1.0 / total if total > 0.0 else 0.0
            if plain:
                total_counts_mt[cell] = _add_plain_cell(
                    indices, data, begin, end, inverse, most_plain, table, boxes, recent
                )
                n_unsettled[0] += 1
            else:
                total_counts_mt[cell] = _add_cell(indices, data, begin, end, inverse, table, boxes)
            if n_unsettled[0] == _SETTLED_EVERY:
                _settle(rows, n_unsettled, table)
    return largest
