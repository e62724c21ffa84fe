"""The compiled loops of strata: limbs stay within their bits however much is added."""

from __future__ import annotations

import numpy as np

from dpss.stats.kernels.layout import LOW_BITS, SHARE_BITS, SHARE_LOW_BITS
from dpss.stats.kernels.strata import (
    CELLS_SHIFT,
    N_STRATUM_COLUMNS,
    PACKED,
    SHARE_HIGH,
    SQUARE_REST,
    add_cells_to_strata,
    merge_strata,
)


def test_sums_of_very_many_cells_and_merges() -> None:
    """100,000 cells of a third each, merged 20 times: the exact number of cells and shares."""
    n = 100_000
    indptr = np.arange(0, 3 * n + 1, 3)
    indices, data = np.tile(np.arange(3, dtype=np.int32), n), np.ones(3 * n, dtype=np.float32)
    totals, codes = np.full(n, 3.0), (np.arange(n) % 2).astype(np.uint8)
    table = np.zeros((2, 3, N_STRATUM_COLUMNS), dtype=np.int64)
    is_gene = np.array([1, 1, 0], dtype=np.uint8)
    add_cells_to_strata(indptr, indices, data, totals, codes, is_gene, table)
    other = table.copy()
    for _ in range(20):
        merge_strata(table, other)
    cells, low = table[..., PACKED] >> CELLS_SHIFT, table[..., PACKED] & ((1 << CELLS_SHIFT) - 1)
    assert cells.tolist() == [[21 * n // 2, 21 * n // 2, 0]] * 2
    assert low.max() < 1 << SHARE_LOW_BITS
    assert table[..., SQUARE_REST].max() < 1 << LOW_BITS
    third = int(2**SHARE_BITS * (1 / 3) + 0.5)
    whole = (int(table[0, 0, SHARE_HIGH]) << SHARE_LOW_BITS) + int(low[0, 0])
    assert whole == third * 21 * n // 2
