"""The compiled loops over stored values.

They add to tables whose layout `dpss.stats.layout` explains. All are compiled once,
kept on disk, and let go of the interpreter's lock.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from dpss.stats.layout import (
    BINS_PER_OCTAVE_BITS,
    BOX_OCTAVES,
    HIGH_BITS,
    LOW_BITS,
    N_BOX_BINS,
    N_CELLS,
    N_FRACTIONAL,
    N_NEGATIVE,
    N_NONFINITE,
    N_OUTSIDE,
    N_ZERO,
    NOT_A_GENE,
    ROLE,
    SHARE,
    SHARE_LOW,
    SQUARE,
    SQUARE_LOW,
    TOTAL,
    TOTAL_LOW,
)

_TOO_LARGE = float(1 << 40)
"""Values from here on are taken for damage, like infinite ones: sums could overflow."""
_LOW_SCALE = float(1 << LOW_BITS)
_LOW_MASK = (1 << LOW_BITS) - 1
_HIGH_SCALE = float(1 << HIGH_BITS)
_CARRY_MASK = (1 << 15) - 1
_BOX_SHIFT = 52 - BINS_PER_OCTAVE_BITS
_BOX_FIRST = (1023 - BOX_OCTAVES) << BINS_PER_OCTAVE_BITS


@njit(cache=True, nogil=True, inline="always")
def _carry(row: Any) -> None:
    """Move what a row's low limbs hold beyond their bits into the high limbs."""
    row[TOTAL] += row[TOTAL_LOW] >> LOW_BITS
    row[TOTAL_LOW] &= _LOW_MASK
    row[SHARE] += row[SHARE_LOW] >> LOW_BITS
    row[SHARE_LOW] &= _LOW_MASK
    row[SQUARE] += row[SQUARE_LOW] >> LOW_BITS
    row[SQUARE_LOW] &= _LOW_MASK


@njit(cache=True, nogil=True)
def carry_all(table: Any) -> None:
    """Bring every row into its canonical form: low limbs within their bits.

    Args:
        table: ``int64``, shape ``(n_features, N_COLUMNS)``; changed in place.
    """
    for g in range(table.shape[0]):
        _carry(table[g])


@njit(cache=True, nogil=True, inline="always")
def _add_value(row: Any, x: float, share: float, boxes: Any) -> None:
    """Add one positive value and its share of its cell's counts to a gene's row."""
    whole = np.int64(x)
    row[N_CELLS] += 1
    row[TOTAL] += whole
    rest = x - whole
    if rest != 0.0:
        row[TOTAL_LOW] += np.int64(rest * _LOW_SCALE)
    scaled = share * _HIGH_SCALE
    whole = np.int64(scaled)
    row[SHARE] += whole
    row[SHARE_LOW] += np.int64((scaled - whole) * _LOW_SCALE)
    scaled = share * share * _HIGH_SCALE
    whole = np.int64(scaled)
    row[SQUARE] += whole
    row[SQUARE_LOW] += np.int64((scaled - whole) * _LOW_SCALE)
    if row[N_CELLS] & _CARRY_MASK == 0:
        _carry(row)
    box = (row[ROLE] >> 1) - 1
    if box >= 0:
        at = (np.float64(share).view(np.int64) >> _BOX_SHIFT) - _BOX_FIRST
        boxes[box, min(max(at, 0), N_BOX_BINS - 1)] += 1


@njit(cache=True, nogil=True)
def add_cells(  # noqa: PLR0912, PLR0913, PLR0915 (one fused loop: splitting it costs speed)
    indptr: Any,
    indices: Any,
    data: Any,
    all_genes: bool,
    min_genes: int,
    table: Any,
    boxes: Any,
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
        n_genes_by_counts: ``int64``, shape ``(n_cells,)``; set; -1 for a cell not kept.
        total_counts: ``float64``, shape ``(n_cells,)``; set.
        total_counts_mt: ``float64``, shape ``(n_cells,)``; set.
        facts: ``int64``, shape ``(5,)``; added to. Cells with a negative, not finite
            or misplaced value are left out: the caller looks at the facts and drops
            the table.

    Returns:
        The largest finite value seen, 0 if there is none.
    """
    n_features = table.shape[0]
    largest = 0.0
    for cell in range(indptr.shape[0] - 1):
        begin, end = indptr[cell], indptr[cell + 1]
        n_detected = 0
        n_used = 0
        whole_sum = np.int64(0)
        plain = True
        sound = True
        for i in range(begin, end):
            x = np.float64(data[i])
            whole = np.int64(x)
            gene = indices[i]
            if gene < 0 or gene >= n_features:
                facts[N_OUTSIDE] += 1
                sound = False
                continue
            if not all_genes and table[gene, ROLE] == NOT_A_GENE:
                continue
            plain &= np.float64(whole) == x
            plain &= (x >= 0.0) & (x < _TOO_LARGE)
            whole_sum += whole
            n_used += 1
            n_detected += x > 0.0
            largest = max(largest, x) if x < _TOO_LARGE else largest
        total = np.float64(whole_sum)
        if not plain:
            whole_sum = np.int64(0)
            low_sum = np.int64(0)
            n_added = 0
            for i in range(begin, end):
                x = np.float64(data[i])
                gene = indices[i]
                if gene < 0 or gene >= n_features:
                    continue
                if not all_genes and table[gene, ROLE] == NOT_A_GENE:
                    continue
                if not np.abs(x) < _TOO_LARGE:
                    facts[N_NONFINITE] += 1
                    sound = False
                    continue
                if x < 0.0:
                    facts[N_NEGATIVE] += 1
                    facts[N_FRACTIONAL] += np.floor(x) != x
                    sound = False
                    continue
                whole = np.int64(x)
                facts[N_FRACTIONAL] += np.float64(whole) != x
                whole_sum += whole
                low_sum += np.int64((x - whole) * _LOW_SCALE)
                n_added += 1
                if n_added & _CARRY_MASK == 0:
                    whole_sum += low_sum >> LOW_BITS
                    low_sum &= _LOW_MASK
            whole_sum += low_sum >> LOW_BITS
            low_sum &= _LOW_MASK
            total = np.float64(whole_sum) + np.float64(low_sum) / _LOW_SCALE
        total_counts[cell] = total
        total_counts_mt[cell] = 0.0
        if not sound or n_detected < min_genes:
            n_genes_by_counts[cell] = -1
            continue
        n_genes_by_counts[cell] = n_detected
        facts[N_ZERO] += n_used - n_detected
        inverse = 1.0 / total if total > 0.0 else 0.0
        mt_whole = np.int64(0)
        mt_low = np.int64(0)
        for i in range(begin, end):
            x = np.float64(data[i])
            if x == 0.0:
                continue
            row = table[indices[i]]
            role = row[ROLE]
            if role < 0:
                continue
            if role & 1:
                whole = np.int64(x)
                mt_whole += whole
                mt_low += np.int64((x - whole) * _LOW_SCALE)
            _add_value(row, x, min(x * inverse, 1.0), boxes)
        total_counts_mt[cell] = np.float64(mt_whole) + np.float64(mt_low) / _LOW_SCALE
    return largest


@njit(cache=True, nogil=True)
def measure_entries(  # noqa: PLR0913
    cells: Any,
    genes: Any,
    data: Any,
    roles: Any,
    n_genes_by_counts: Any,
    whole_sums: Any,
    low_sums: Any,
    mt_whole_sums: Any,
    mt_low_sums: Any,
    gene_totals: Any,
    facts: Any,
) -> float:
    """Add entries in any order to the measures of their cells: the first of two passes.

    Args:
        cells: Cell of each value, shape ``(n_values,)``.
        genes: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        roles: ``int64``, shape ``(n_features,)``: `NOT_A_GENE`, or bit 0 for mitochondrial.
        n_genes_by_counts: ``int32``, shape ``(n_cells,)``; added to.
        whole_sums: ``int64``, shape ``(n_cells,)``; whole parts of the counts; added to.
        low_sums: The fractions in units of ``2**-LOW_BITS``, kept below 1; added to.
        mt_whole_sums: The same of mitochondrial genes.
        mt_low_sums: The same of mitochondrial genes.
        gene_totals: ``float64``, shape ``(n_features,)``; rough sums of values; added to.
        facts: ``int64``, shape ``(5,)``; added to.

    Returns:
        The largest finite value seen, 0 if there is none.
    """
    largest = 0.0
    n_cells = whole_sums.shape[0]
    for i in range(data.shape[0]):
        cell, gene = cells[i], genes[i]
        if cell < 0 or cell >= n_cells or gene < 0 or gene >= roles.shape[0]:
            facts[N_OUTSIDE] += 1
            continue
        role = roles[gene]
        if role < 0:
            continue
        x = np.float64(data[i])
        if x == 0.0:
            facts[N_ZERO] += 1
            continue
        if not np.abs(x) < _TOO_LARGE:
            facts[N_NONFINITE] += 1
            continue
        if x < 0.0:
            facts[N_NEGATIVE] += 1
            facts[N_FRACTIONAL] += np.floor(x) != x
            continue
        largest = max(largest, x)
        whole = np.int64(x)
        low = np.int64((x - whole) * _LOW_SCALE)
        n_genes_by_counts[cell] += 1
        whole_sums[cell] += whole
        gene_totals[gene] += x
        if low != 0:
            facts[N_FRACTIONAL] += 1
            low += low_sums[cell]
            whole_sums[cell] += low >> LOW_BITS
            low_sums[cell] = low & _LOW_MASK
        if role & 1:
            mt_whole_sums[cell] += whole
            low = np.int64((x - whole) * _LOW_SCALE) + mt_low_sums[cell]
            mt_whole_sums[cell] += low >> LOW_BITS
            mt_low_sums[cell] = low & _LOW_MASK
    return largest


@njit(cache=True, nogil=True)
def add_entries(  # noqa: PLR0913
    cells: Any, genes: Any, data: Any, inverses: Any, table: Any, boxes: Any
) -> None:
    """Add entries in any order to a table of features: the second of two passes.

    The entries were checked by the first pass.

    Args:
        cells: Cell of each value, shape ``(n_values,)``.
        genes: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        inverses: ``float64``, shape ``(n_cells,)``: 1 / total counts; negative for a
            cell that is not kept.
        table: ``int64``, shape ``(n_features, N_COLUMNS)``; added to.
        boxes: ``int32``, shape ``(n_boxes, N_BOX_BINS)``; added to.
    """
    for i in range(data.shape[0]):
        x = np.float64(data[i])
        inverse = inverses[cells[i]]
        row = table[genes[i]]
        if x == 0.0 or inverse < 0.0 or row[ROLE] < 0:
            continue
        _add_value(row, x, min(x * inverse, 1.0), boxes)
