"""The compiled loops over entries in any order: gene-major sources, in two passes.

See `dpss.compute.jit`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
from dpss.stats.kernels.fractional import share_terms, split
from dpss.stats.kernels.layout import (
    BOX_SHIFT,
    GROUP_BITS,
    IN_A_GROUP,
    LOW_BITS,
    N_FRACTIONAL,
    N_GROUPS,
    N_LARGE,
    N_NEGATIVE,
    N_NONFINITE,
    N_OUTSIDE,
    N_ZERO,
    ROLE,
    SHARE_LOW_BITS,
    TAIL_BITS,
)
from dpss.stats.kernels.rows import (
    LOW_MASK,
    SHARE_LOW_MASK,
    TAIL_MASK,
    TOO_LARGE,
    add_fraction,
    add_sums,
    add_to_box,
    fraction_limbs,
)

STEP = np.uint64(1)
_COMPARED = np.uint64(64)
"""Values whose genes are compared at once."""


@part(inline="always")
def _count_irregular(x: Any, facts: Any) -> None:
    """Count a value that is not added to sums: a zero, negative, not finite or too large."""
    if x == 0.0:
        facts[N_ZERO] += 1
    elif not np.abs(x) < TOO_LARGE:
        facts[N_LARGE if np.isfinite(x) else N_NONFINITE] += 1
    else:
        facts[N_NEGATIVE] += 1
        facts[N_FRACTIONAL] += np.floor(x) != x


@part(inline="always")
def _add_fraction(whole_sums: Any, low_sums: Any, tail_sums: Any, cell: Any, rest: Any) -> None:
    """Add a fraction of 1 to a cell's sum in three limbs, and carry at once."""
    low, tail = fraction_limbs(rest)
    low += low_sums[cell]
    # Fractions of 32 bits have no tail unless they are tiny.
    if tail != 0:
        tail += tail_sums[cell]
        tail_sums[cell] = tail & TAIL_MASK
        low += tail >> TAIL_BITS
    low_sums[cell] = low & LOW_MASK
    whole_sums[cell] += low >> LOW_BITS


@compiled
def measure_entries(  # noqa: PLR0913
    cells: Any,
    genes: Any,
    data: Any,
    roles: Any,
    n_genes_by_counts: Any,
    whole_sums: Any,
    low_sums: Any,
    tail_sums: Any,
    group_whole_sums: Any,
    group_low_sums: Any,
    group_tail_sums: Any,
    gene_totals: Any,
    facts: Any,
) -> float:
    """Add entries in any order to the measures of their cells: the first of two passes.

    Args:
        cells: Cell of each value, shape ``(n_values,)``.
        genes: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        roles: ``int64``, shape ``(n_features,)``: `NOT_A_GENE`, or a bit for each group.
        n_genes_by_counts: ``int32``, shape ``(n_cells,)``; added to.
        whole_sums: ``int64``, shape ``(n_cells,)``; whole parts of the counts; added to.
        low_sums: The fractions in units of ``2**-LOW_BITS``, kept below 1; added to.
        tail_sums: Their lowest limbs, kept below one such unit; added to.
        group_whole_sums: The same of each group of genes, shape ``(N_GROUPS, n_cells)``.
        group_low_sums: The same of each group of genes, shape ``(N_GROUPS, n_cells)``.
        group_tail_sums: The same of each group of genes, shape ``(N_GROUPS, n_cells)``.
        gene_totals: ``float64``, shape ``(n_features,)``; rough sums of values; added to.
        facts: ``int64``, shape ``(N_FACTS,)``; added to.

    Returns:
        The largest finite value seen, 0 if there is none.
    """
    largest = 0.0
    n_cells, n_values = np.uint64(whole_sums.shape[0]), np.uint64(data.shape[0])
    i = np.uint64(0)
    while i < n_values:
        gene = np.int64(genes[i])
        if gene < 0 or gene >= roles.shape[0]:
            facts[N_OUTSIDE] += 1
            i += STEP
            continue
        role, gene_total = roles[gene], 0.0
        while i < n_values and genes[i] == gene:
            cell, x = np.uint64(cells[i]), np.float64(data[i])
            i += STEP
            # A negative number is beyond the last cell, as an unsigned one.
            if cell >= n_cells:
                facts[N_OUTSIDE] += 1
                continue
            if role < 0:
                continue
            if not 0.0 < x < TOO_LARGE:
                _count_irregular(x, facts)
                continue
            whole = np.int64(x)
            rest = x - whole
            largest = max(largest, x)
            n_genes_by_counts[cell] += 1
            whole_sums[cell] += whole
            gene_total += x
            if rest != 0.0:
                facts[N_FRACTIONAL] += 1
                _add_fraction(whole_sums, low_sums, tail_sums, cell, rest)
            if role & IN_A_GROUP:
                for group in range(N_GROUPS):
                    if role >> group * GROUP_BITS & 1:
                        group_whole_sums[group, cell] += whole
                        if rest != 0.0:
                            _add_fraction(
                                group_whole_sums[group],
                                group_low_sums[group],
                                group_tail_sums[group],
                                cell,
                                rest,
                            )
        gene_totals[gene] += gene_total
    return largest


@part()
def end_of_gene(genes: Any, start: Any, limit: Any) -> Any:
    """Return the place after consecutive values of one gene, at most ``limit``."""
    gene, end = genes[start], start + STEP
    scalar = min(start + _COMPARED, limit)
    while end < scalar and genes[end] == gene:
        end += STEP
    if end == scalar:
        same = True
        while same and end + _COMPARED <= limit:
            for i in range(end, end + _COMPARED):
                same &= genes[i] == gene
            end += _COMPARED * np.uint64(same)
        while end < limit and genes[end] == gene:
            end += STEP
    return end


@part()
def _sums_of_gene(data: Any, inverses: Any, start: Any, n_values: Any) -> Any:
    """Return the sums of consecutive values of one gene.

    The compiler makes vector instructions of the loop: it has no branches.

    Args:
        data: The values.
        inverses: 1 / total counts of the cell of each value, from the first one on.
        start: Place of the first value.
        n_values: Number of values.

    Returns:
        The number of cells, whether a value has a fraction, and the sums of whole parts and of
        the limbs of shares and of their squares.
    """
    n = n_fractional = total = np.int64(0)
    shares = shares_low = squares = squares_low = np.int64(0)
    for j in range(n_values):
        inverse = inverses[j]
        x: Any = np.float64(data[start + j])
        x = x if inverse >= 0.0 else 0.0
        whole, of_whole = split(x)
        fixed, high, low = share_terms(min(x * inverse, 1.0))
        n += np.int64(x > 0.0)
        n_fractional += np.int64(x > of_whole)
        total += whole
        shares += fixed >> SHARE_LOW_BITS
        shares_low += fixed & SHARE_LOW_MASK
        squares += high
        squares_low += low
    return n, n_fractional > 0, total, shares, shares_low, squares, squares_low


@compiled
def add_entries(
    cells: Any,
    genes: Any,
    data: Any,
    inverses: Any,
    table: Any,
    tails: Any,
    boxes: Any,
    work: Any,
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
        tails: ``int64``, shape ``(n_features,)``: lowest limbs of the totals; added to.
        boxes: ``int32``, shape ``(n_boxes, N_BOX_BINS)``; added to.
        work: ``float64``, shape ``(n,)``, at most ``2**CARRY_BITS``; memory to work in. Values
            of one gene are added ``n`` at a time.
    """
    start = np.uint64(0)
    most, n_values = np.uint64(work.shape[0]), np.uint64(data.shape[0])
    while start < n_values:
        gene = np.uint64(genes[start])
        end = end_of_gene(genes, start, min(start + most, n_values))
        role, n_together = table[gene, ROLE], end - start
        if role >= 0:
            for j in range(n_together):
                work[j] = inverses[np.uint64(cells[start + j])]
            n, fractional, total, shares, shares_low, squares, squares_low = _sums_of_gene(
                data, work, start, n_together
            )
            add_sums(table, gene, n, total, shares, shares_low, squares, squares_low)
            if fractional or role >> BOX_SHIFT:
                for j in range(n_together):
                    x = np.float64(data[start + j])
                    if x == 0.0 or work[j] < 0.0:
                        continue
                    rest = x - np.int64(x)
                    if rest != 0.0:
                        add_fraction(table, tails, gene, rest)
                    if role >> BOX_SHIFT:
                        add_to_box(boxes, role, min(x * work[j], 1.0))
        start = end
