"""The compiled loops over blocks of whole cells.

Nearly all cells have whole counts in the order of the genes. Such a cell is added to rows of four
sums (`dpss.stats.kernels.layout.N_RECENT_COLUMNS`): the terms of 1, 2, 3 ... counts are computed
once for the cell, and each value is one addition of four integers. After `_FLUSHED_EVERY` cells the
rows are added to the table. Cells with fractions are added to the table, some values at a time
(`dpss.stats.kernels.fractional`), and all others value by value (`dpss.stats.kernels.irregular`),
with the same result. See `dpss.compute.jit`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
from dpss.stats.kernels.fractional import add_regular_cell, measure_regular, top_of_regular
from dpss.stats.kernels.irregular import add_any_cell, measure_any
from dpss.stats.kernels.layout import (
    COUNTS_HB,
    COUNTS_MT,
    COUNTS_TOP,
    N_FRACTIONAL,
    N_GENES_BY_COUNTS,
    N_TOP_COUNTS,
    N_ZERO,
    RECENT_BITS,
    TOTAL_COUNTS,
)
from dpss.stats.kernels.plain import add_plain_cell, measure_plain, top_of_plain
from dpss.stats.kernels.rows import add_sums, double_of

_RECENT_MASK = (1 << RECENT_BITS) - 1
_FLUSHED_EVERY = 1 << 10
"""Cells between two additions of the recent rows to the table; their sums fit into 64 bits."""


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
                0,
                rows[gene, 1],
                rows[gene, 2],
                rows[gene, 3],
            )
            rows[gene, 0] = 0
            rows[gene, 1] = 0
            rows[gene, 2] = 0
            rows[gene, 3] = 0


@compiled
def add_cells(  # noqa: PLR0912, PLR0913
    indptr: Any,
    indices: Any,
    data: Any,
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
        indices: Feature of each value, which is a gene, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        min_genes: Cells with fewer genes detected are not added.
        min_counts: Cells with fewer counts are not added.
        table: ``int64``, shape ``(n_features, N_COLUMNS)``; added to.
        tails: ``int64``, shape ``(n_features,)``: lowest limbs of the totals; added to.
        boxes: ``int32``, shape ``(n_boxes, N_BOX_BINS)``; added to.
        recent: The recent rows, a `WriteBuffer`; added to.
        measures: ``float64``, shape ``(n_cells, N_MEASURES)``; set.
        facts: ``int64``, shape ``(N_FACTS,)``; added to. Cells with a negative, not finite
            or misplaced value are left out: the caller looks at the facts and drops
            the table.

    Returns:
        The largest value seen.
    """
    largest = 0.0
    rows, _, picked, _, n_unflushed, highest, _ = recent
    ratio = 0.0
    for cell in range(indptr.shape[0] - 1):
        begin, end = indptr[cell], indptr[cell + 1]
        regular = False
        n_detected, whole_total, most_plain, plain = measure_plain(
            indices, data, begin, end, table.shape[0]
        )
        if plain:
            total, most = np.float64(whole_total), np.float64(most_plain)
        else:
            n_detected, n_fractional, whole, low, tail, most, regular = measure_regular(
                indices, data, begin, end, table.shape[0]
            )
            if regular:
                total = double_of(whole, low, tail)
                facts[N_FRACTIONAL] += n_fractional
        sound = plain or regular
        if sound:
            facts[N_ZERO] += (end - begin) - n_detected
        else:
            n_detected, total, most, sound = measure_any(indices, data, begin, end, table, facts)
        largest = max(largest, most)
        found = measures[cell]
        found[:] = 0.0
        found[N_GENES_BY_COUNTS] = -1.0
        found[TOTAL_COUNTS] = total
        if sound and n_detected >= min_genes and total >= min_counts:
            found[N_GENES_BY_COUNTS] = n_detected
            found[COUNTS_TOP] = total
            inverse = 1.0 / total if total > 0.0 else 0.0
            groups = found[COUNTS_MT : COUNTS_HB + 1]
            # Cells of a matrix are similar, and so are the lowest of their highest shares.
            guess = ratio * total
            if plain:
                groups[0], groups[1], groups[2] = add_plain_cell(
                    indices, data, begin, end, whole_total, inverse, most_plain, table, boxes,
                    recent,
                )  # fmt: skip
                n_unflushed[0] += 1
                if n_detected > N_TOP_COUNTS:
                    top, at = top_of_plain(data, begin, end, np.int64(guess + 0.5), most_plain)
                    found[COUNTS_TOP] = top
                    ratio = at / total
            elif regular:
                add_regular_cell(
                    indices, data, begin, end, inverse, tail != 0, table, tails, boxes, recent,
                    groups,
                )  # fmt: skip
                if n_detected > N_TOP_COUNTS:
                    top = top_of_regular(data, begin, end, guess, picked, highest)
                    found[COUNTS_TOP] = min(top, total)
                    # Values below 2**-74 have a total of 0.
                    ratio = highest[N_TOP_COUNTS - 1] * inverse
            else:
                top = add_any_cell(
                    indices, data, begin, end, inverse, table, tails, boxes, groups, highest
                )
                if n_detected > N_TOP_COUNTS:
                    found[COUNTS_TOP] = min(top, total)
            if n_unflushed[0] == _FLUSHED_EVERY:
                _flush(rows, n_unflushed, table)
    return largest
