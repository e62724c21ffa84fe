"""The compiled loops over stored values.

They add to tables whose layout `dpss.stats.layout` explains. See `dpss.compiled`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compiled import compiled, part
from dpss.stats.layout import (
    BINS_PER_OCTAVE_BITS,
    BOX_OCTAVES,
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
    SHARE_BITS,
    SHARE_LOW,
    SHARE_LOW_BITS,
    SQUARE,
    SQUARE_BITS,
    SQUARE_LOW,
    TOTAL,
    TOTAL_LOW,
)

_TOO_LARGE = float(1 << 40)
"""Values from here on are taken for damage, like infinite ones: sums could overflow."""
_TOO_LARGE_WHOLE = 1 << 40
_LOW_SCALE = float(1 << LOW_BITS)
_LOW_MASK = (1 << LOW_BITS) - 1
_SHARE_SCALE = float(1 << SHARE_BITS)
_SHARE_LOW_MASK = (1 << SHARE_LOW_BITS) - 1
_SQUARE_SCALE = float(1 << (SQUARE_BITS - LOW_BITS))
_CARRY_MASK = (1 << 15) - 1
_BOX_SHIFT = 52 - BINS_PER_OCTAVE_BITS
_BOX_FIRST = (1023 - BOX_OCTAVES) << BINS_PER_OCTAVE_BITS


@part()
def _carry(table: Any, gene: Any) -> None:
    """Move what a row's low limbs hold beyond their bits into the high limbs."""
    table[gene, TOTAL] += table[gene, TOTAL_LOW] >> LOW_BITS
    table[gene, TOTAL_LOW] &= _LOW_MASK
    table[gene, SHARE] += table[gene, SHARE_LOW] >> SHARE_LOW_BITS
    table[gene, SHARE_LOW] &= _SHARE_LOW_MASK
    table[gene, SQUARE] += table[gene, SQUARE_LOW] >> LOW_BITS
    table[gene, SQUARE_LOW] &= _LOW_MASK


@compiled
def carry_all(table: Any) -> None:
    """Bring every row into its canonical form: low limbs within their bits.

    Args:
        table: ``int64``, shape ``(n_features, N_COLUMNS)``; changed in place.
    """
    for gene in range(table.shape[0]):
        _carry(table, gene)


@part(inline="always")
def _add_value(table: Any, gene: Any, x: Any, share: Any, boxes: Any) -> None:
    """Add one positive value and its share of its cell's counts to a gene's row."""
    whole = np.int64(x)
    rest = x - whole
    if rest != 0.0:
        table[gene, TOTAL_LOW] += np.int64(rest * _LOW_SCALE)
    n_cells = table[gene, N_CELLS] + 1
    table[gene, N_CELLS] = n_cells
    table[gene, TOTAL] += whole
    fixed = np.int64(share * _SHARE_SCALE)
    table[gene, SHARE] += fixed >> SHARE_LOW_BITS
    table[gene, SHARE_LOW] += fixed & _SHARE_LOW_MASK
    square = share * share * _SQUARE_SCALE
    high = np.int64(square)
    table[gene, SQUARE] += high
    table[gene, SQUARE_LOW] += np.int64((square - high) * _LOW_SCALE)
    if n_cells & _CARRY_MASK == 0:
        _carry(table, gene)
    role = table[gene, ROLE]
    if role > 1:
        at = (np.float64(share).view(np.int64) >> _BOX_SHIFT) - _BOX_FIRST
        place: Any = min(max(at, 0), N_BOX_BINS - 1)
        boxes[np.uint64((role >> 1) - 1), np.uint64(place)] += 1


@part()
def _measure_plain(indices: Any, data: Any, begin: int, end: int, n_features: int) -> Any:
    """Measure a cell on the assumption that it holds only counts, and say if that held.

    Returns:
        Genes detected, sum of counts, largest count, and whether all values are whole
        numbers of at least 0 and all indices lie within the features.
    """
    n_detected: Any = 0
    total = np.int64(0)
    largest = np.int64(0)
    last = np.uint64(0)
    odd = False
    for i in range(begin, end):
        x = data[i]
        whole = np.int64(x)
        odd |= data.dtype.type(whole) != x
        last = max(last, np.uint64(indices[i]))
        total += whole
        n_detected += whole > 0
        largest |= whole
    # The bits of all values together: negative if one is, too large if one is.
    plain = (not odd) and 0 <= largest < _TOO_LARGE_WHOLE and (begin == end or last < n_features)
    return n_detected, total, largest, plain


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
        elif not np.abs(x) < _TOO_LARGE:
            facts[N_NONFINITE] += 1
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
            low_sum += np.int64((x - whole) * _LOW_SCALE)
            n_added += 1
            if n_added & _CARRY_MASK == 0:
                whole_sum += low_sum >> LOW_BITS
                low_sum &= _LOW_MASK
    return n_detected, _fixed(whole_sum, low_sum), largest, sound


@part(inline="always")
def _fixed(whole_sum: Any, low_sum: Any) -> Any:
    """Return the double nearest to a sum in two limbs."""
    return np.float64(whole_sum + (low_sum >> LOW_BITS)) + (low_sum & _LOW_MASK) / _LOW_SCALE


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
            mt_low += np.int64((x - whole) * _LOW_SCALE)
        _add_value(table, gene, x, min(x * inverse, 1.0), boxes)
    return _fixed(mt_whole, mt_low)


@compiled
def add_cells(  # noqa: PLR0913
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
        An upper bound of the values seen, less than twice the largest.
    """
    largest = 0.0
    for cell in range(indptr.shape[0] - 1):
        begin, end = indptr[cell], indptr[cell + 1]
        sound = plain = False
        if all_genes:
            n_detected, whole_total, bits, plain = _measure_plain(
                indices, data, begin, end, table.shape[0]
            )
            total = np.float64(whole_total)
            largest = max(largest, np.float64(bits)) if plain else largest
        if plain:
            sound = True
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
            total_counts_mt[cell] = _add_cell(indices, data, begin, end, inverse, table, boxes)
    return largest


@compiled
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


@compiled
def add_entries(cells: Any, genes: Any, data: Any, inverses: Any, table: Any, boxes: Any) -> None:
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
        gene = np.uint64(genes[i])
        if x == 0.0 or inverse < 0.0 or table[gene, ROLE] < 0:
            continue
        _add_value(table, gene, x, min(x * inverse, 1.0), boxes)
