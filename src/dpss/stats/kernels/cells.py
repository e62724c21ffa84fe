"""The compiled loops over blocks of whole cells.

Nearly all cells have whole counts in the order of the genes. Such a cell is added to rows of four
sums (`dpss.stats.kernels.layout.N_RECENT_COLUMNS`): the terms of 1, 2, 3 ... counts are computed
once for the cell, and each value is one addition of four integers. After `_FLUSHED_EVERY` cells the
rows are added to the table. Other cells are added to the table value by value, with the same
result. See `dpss.compute.jit`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
from dpss.stats.kernels.layout import (
    BOX_SHIFT,
    COUNTS_HB,
    COUNTS_MT,
    COUNTS_RIBO,
    COUNTS_TOP,
    IN_A_GROUP,
    IN_HB,
    IN_MT,
    IN_RIBO,
    LOW_BITS,
    N_FRACTIONAL,
    N_GENES_BY_COUNTS,
    N_LARGE,
    N_NEGATIVE,
    N_NONFINITE,
    N_OUTSIDE,
    N_TOP_COUNTS,
    N_ZERO,
    NOT_A_GENE,
    RECENT_BITS,
    ROLE,
    TOTAL_COUNTS,
    TOTAL_LOW,
)
from dpss.stats.kernels.plain import add_plain_cell, measure_plain, top_of_plain
from dpss.stats.kernels.rows import (
    CARRY_BITS,
    LOW_MASK,
    TOO_LARGE,
    add_sums,
    add_to_box,
    add_value,
    double_of,
    fraction_limbs,
)

_CARRY_MASK = (1 << CARRY_BITS) - 1
_RECENT_MASK = (1 << RECENT_BITS) - 1
_FLUSHED_EVERY = 1 << 10
"""Cells between two additions of the recent rows to the table; their sums fit into 64 bits."""


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
    tail_sum = np.int64(0)
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


@compiled
def flush(rows: Any, n_cells: Any, table: Any) -> None:
    """Add the recent rows to the table, and clear them.

    Args:
        rows: ``int64``, shape ``(n_features, N_RECENT_COLUMNS)``; changed in place.
        n_cells: ``int64``, shape ``(1,)``: cells that were added to them; set to zero.
        table: ``int64``, shape ``(n_features, N_COLUMNS)``; added to.
    """
    _flush(rows, n_cells, table)


@part()
def _flush(rows: Any, n_cells: Any, table: Any) -> None:
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
def _add_cell(  # noqa: PLR0913
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
    """Add a cell's values to their genes, and sum its counts in each group and the highest.

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
    """
    mt_whole = mt_low = mt_tail = np.int64(0)
    ribo_whole = ribo_low = ribo_tail = np.int64(0)
    hb_whole = hb_low = hb_tail = np.int64(0)
    highest[:] = 0.0
    for i in range(begin, end):
        x = np.float64(data[i])
        gene = np.uint64(indices[i])
        role = table[gene, ROLE]
        if x == 0.0 or role < 0:
            continue
        whole = np.int64(x)
        low = tail = np.int64(0)
        rest = x - whole
        if rest != 0.0:
            low, tail = fraction_limbs(rest)
            table[gene, TOTAL_LOW] += low
            if tail != 0:
                tails[gene] += tail
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
        if x > highest[N_TOP_COUNTS - 1]:
            place = N_TOP_COUNTS - 1
            while place > 0 and highest[place - 1] < x:
                highest[place] = highest[place - 1]
                place -= 1
            highest[place] = x
    groups[0] = double_of(mt_whole, mt_low, mt_tail)
    groups[1] = double_of(ribo_whole, ribo_low, ribo_tail)
    groups[2] = double_of(hb_whole, hb_low, hb_tail)


@compiled
def add_cells(  # noqa: PLR0913
    indptr: Any,
    indices: Any,
    data: Any,
    all_genes: bool,
    min_genes: int,
    min_counts: float,
    table: Any,
    tails: Any,
    boxes: Any,
    recent: Any,
    measures: Any,
    facts: Any,
) -> float:
    """Add a block of cells to a table of features, in one pass over its values.

    Args:
        indptr: ``int64``, shape ``(n_cells + 1,)``.
        indices: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        all_genes: Whether no feature has the role `NOT_A_GENE`.
        min_genes: Cells with fewer genes detected are not added.
        min_counts: Cells with fewer counts are not added.
        table: ``int64``, shape ``(n_features, N_COLUMNS)``; added to.
        tails: ``int64``, shape ``(n_features,)``: lowest limbs of the totals; added to.
        boxes: ``int32``, shape ``(n_boxes, N_BOX_BINS)``; added to.
        recent: The recent rows, a `dpss.stats.accumulator.WriteBuffer`; added to.
        measures: ``float64``, shape ``(n_cells, N_MEASURES)``; set.
        facts: ``int64``, shape ``(N_FACTS,)``; added to. Cells with a negative, not finite
            or misplaced value are left out: the caller looks at the facts and drops
            the table.

    Returns:
        The largest value seen.
    """
    largest = 0.0
    rows, _, _, _, n_unflushed, highest = recent
    ratio = 0.0
    for cell in range(indptr.shape[0] - 1):
        begin, end = indptr[cell], indptr[cell + 1]
        plain = False
        if all_genes:
            n_detected, whole_total, most_plain, plain = measure_plain(
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
        found = measures[cell]
        found[:] = 0.0
        found[N_GENES_BY_COUNTS] = -1.0
        found[TOTAL_COUNTS] = total
        if sound and n_detected >= min_genes and total >= min_counts:
            found[N_GENES_BY_COUNTS] = n_detected
            inverse = 1.0 / total if total > 0.0 else 0.0
            if plain:
                mt, ribo, hb = add_plain_cell(
                    indices, data, begin, end, whole_total, inverse, most_plain, table, boxes,
                    recent,
                )  # fmt: skip
                found[COUNTS_MT], found[COUNTS_RIBO], found[COUNTS_HB] = mt, ribo, hb
                if n_detected <= N_TOP_COUNTS:
                    found[COUNTS_TOP] = total
                else:
                    # Cells of a matrix are similar, and so are the lowest of their highest shares.
                    top, at = top_of_plain(data, begin, end, np.int64(ratio * total + 0.5))
                    found[COUNTS_TOP] = top
                    ratio = at / total
                n_unflushed[0] += 1
            else:
                groups = found[COUNTS_MT : COUNTS_HB + 1]
                _add_cell(indices, data, begin, end, inverse, table, tails, boxes, groups, highest)
                top_sum = 0.0
                for i in range(N_TOP_COUNTS):
                    top_sum += highest[i]
                found[COUNTS_TOP] = min(top_sum, total) if n_detected > N_TOP_COUNTS else total
            if n_unflushed[0] == _FLUSHED_EVERY:
                _flush(rows, n_unflushed, table)
    return largest
