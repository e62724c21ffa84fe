"""The compiled loops over entries in any order: gene-major sources, in two passes.

See `dpss.compute.jit`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
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
    TAIL_BITS,
)
from dpss.stats.kernels.rows import (
    LOW_MASK,
    TAIL_MASK,
    TOO_LARGE,
    add_fraction,
    add_to_box,
    add_value,
    fraction_limbs,
)


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
        if not np.abs(x) < TOO_LARGE:
            facts[N_LARGE if np.isfinite(x) else N_NONFINITE] += 1
            continue
        if x < 0.0:
            facts[N_NEGATIVE] += 1
            facts[N_FRACTIONAL] += np.floor(x) != x
            continue
        largest = max(largest, x)
        whole = np.int64(x)
        rest = x - whole
        n_genes_by_counts[cell] += 1
        whole_sums[cell] += whole
        gene_totals[gene] += x
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
    return largest


@compiled
def add_entries(
    cells: Any, genes: Any, data: Any, inverses: Any, table: Any, tails: Any, boxes: Any
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
    """
    for i in range(data.shape[0]):
        x = np.float64(data[i])
        inverse = inverses[cells[i]]
        gene = np.uint64(genes[i])
        role = table[gene, ROLE]
        if x == 0.0 or inverse < 0.0 or role < 0:
            continue
        share = min(x * inverse, 1.0)
        whole = np.int64(x)
        rest = x - whole
        if rest != 0.0:
            add_fraction(table, tails, gene, rest)
        add_value(table, gene, whole, share)
        if role >> BOX_SHIFT:
            add_to_box(boxes, role, share)
