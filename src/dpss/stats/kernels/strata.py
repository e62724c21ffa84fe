"""The compiled loops that add values to the genes of their cell's stratum.

A row of four ``int64`` per stratum and feature (half a cache line) packs the sums that `layout` has
in seven columns, without the total: the sums of all strata are those of the whole, bit for bit. See
`dpss.compute.jit`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
from dpss.stats.kernels.layout import LOW_BITS, SHARE_LOW_BITS
from dpss.stats.kernels.rows import LOW_MASK, share_limbs

PACKED, SHARE_HIGH, SQUARE_HIGH, SQUARE_REST = range(4)
"""Columns of a row: cells with a value and the low limb of shares in one, the high limb of shares,
and the two limbs of their squares."""
N_STRATUM_COLUMNS = 4
CELLS_SHIFT = 32
"""Bits of the first column below the number of cells."""
_PACKED_MASK = (1 << CELLS_SHIFT) - 1
_SHARE_MASK = (1 << SHARE_LOW_BITS) - 1


@part(inline="always")
def _add_limbs(
    table: Any, at: Any, gene: Any, n_cells: Any, low: Any, high: Any, square: Any, rest: Any
) -> None:
    """Add sums to a row, and carry the overflow of its low limbs at once."""
    packed = table[at, gene, PACKED]
    low += packed & _PACKED_MASK
    cells = (packed >> CELLS_SHIFT) + n_cells
    table[at, gene, PACKED] = (cells << CELLS_SHIFT) | (low & _SHARE_MASK)
    table[at, gene, SHARE_HIGH] += high + (low >> SHARE_LOW_BITS)
    rest += table[at, gene, SQUARE_REST]
    table[at, gene, SQUARE_REST] = rest & LOW_MASK
    table[at, gene, SQUARE_HIGH] += square + (rest >> LOW_BITS)


@part(inline="always")
def _add_share(table: Any, at: Any, gene: Any, share: Any) -> None:
    fixed, high, low = share_limbs(share)
    one = np.int64(1)
    _add_limbs(table, at, gene, one, fixed & _SHARE_MASK, fixed >> SHARE_LOW_BITS, high, low)


@compiled
def add_cells_to_strata(
    indptr: Any, indices: Any, data: Any, totals: Any, codes: Any, is_gene: Any, table: Any
) -> None:
    """Add a block of cells, whose values were checked, to the table of their strata.

    Args:
        indptr: ``int64``, shape ``(n_cells + 1,)``.
        indices: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        totals: ``float64``, shape ``(n_cells,)``: counts; negative for a cell that is not kept.
        codes: ``uint8``, shape ``(n_cells,)``: stratum of each cell.
        is_gene: ``uint8``, shape ``(n_features,)``: whether a feature counts.
        table: ``int64``, shape ``(n_strata, n_features, N_STRATUM_COLUMNS)``; added to.
    """
    for cell in range(indptr.shape[0] - 1):
        total = totals[cell]
        if total < 0.0:
            continue
        # Values below 2**-74 have a total of 0.
        inverse = 1.0 / total if total > 0.0 else 0.0
        at = np.uint64(codes[cell])
        for i in range(indptr[cell], indptr[cell + 1]):
            x = np.float64(data[i])
            gene = np.uint64(indices[i])
            if x != 0.0 and is_gene[gene]:
                _add_share(table, at, gene, min(x * inverse, 1.0))


@compiled
def add_entries_to_strata(
    cells: Any, genes: Any, data: Any, inverses: Any, codes: Any, is_gene: Any, table: Any
) -> None:
    """Add checked entries in any order to the table of their cells' strata.

    Args:
        cells: Cell of each value, shape ``(n_values,)``.
        genes: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        inverses: ``float64``, shape ``(n_cells,)``: 1 / total counts; negative for a
            cell that is not kept.
        codes: ``uint8``, shape ``(n_cells,)``: stratum of each cell.
        is_gene: ``uint8``, shape ``(n_features,)``: whether a feature counts.
        table: ``int64``, shape ``(n_strata, n_features, N_STRATUM_COLUMNS)``; added to.
    """
    for i in range(data.shape[0]):
        x = np.float64(data[i])
        cell = cells[i]
        inverse = inverses[cell]
        gene = np.uint64(genes[i])
        if x != 0.0 and inverse >= 0.0 and is_gene[gene]:
            _add_share(table, np.uint64(codes[cell]), gene, min(x * inverse, 1.0))


@compiled
def merge_strata(table: Any, other: Any) -> None:
    """Add one table to another, in place; both of shape ``(n_strata, n_features, 4)``."""
    for at in range(table.shape[0]):
        for gene in range(table.shape[1]):
            packed = other[at, gene, PACKED]
            if packed != 0:
                _add_limbs(
                    table, at, gene, packed >> CELLS_SHIFT, packed & _PACKED_MASK,
                    other[at, gene, SHARE_HIGH], other[at, gene, SQUARE_HIGH],
                    other[at, gene, SQUARE_REST],
                )  # fmt: skip
