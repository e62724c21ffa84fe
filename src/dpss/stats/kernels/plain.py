"""Parts of the loop over cells: plain cells, whole counts in gene order.

See `dpss.stats.kernels.cells`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import part, primitive
from dpss.stats.kernels.layout import (
    BOX_SHIFT,
    GROUP_BITS,
    IN_A_GROUP,
    IN_HB,
    IN_MT,
    IN_RIBO,
    N_RECENT_COLUMNS,
    N_TABULATED,
    N_TOP_COUNTS,
    RECENT_BITS,
    ROLE,
)
from dpss.stats.kernels.rows import (
    add_to_box,
    add_value,
    share_limbs,
)

_ROW_BYTES = 8 * N_RECENT_COLUMNS
_GROUP_MASK = (1 << GROUP_BITS) - 1
_MOST_EXACT = 1 << 24
"""Counts up to this one, and not each above it, are floats of 32 bits."""


@primitive
def add_four() -> Any:
    """Add the four 64-bit integers at an address to those at another, as one vector."""
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import types
    from numba.extending import intrinsic

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        four = ir.VectorType(ir.IntType(64), 4).as_pointer()
        target, source = (builder.inttoptr(address, four) for address in arguments)
        total = builder.add(builder.load(target, align=8), builder.load(source, align=8))
        builder.store(total, target, align=8)
        return context.get_dummy_value()

    @intrinsic
    def add(typing_context: Any, target: Any, source: Any) -> Any:
        return types.void(types.int64, types.int64), generate

    return add


@part()
def measure_plain(indices: Any, data: Any, begin: Any, end: Any, n_features: Any) -> Any:
    """Measure a cell as if it were plain, and return whether it is.

    Plain is a cell whose values are whole numbers of at least 0 and below 2**31, and whose
    indices increase and lie within the features.

    Returns:
        Genes detected, sum of counts, the largest count, and whether the cell is plain.
    """
    n_detected = np.int32(0)
    total = np.int64(0)
    largest = smallest = np.int32(0)
    odd = False
    # Written in a form that the compiler vectorises.
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
def add_plain_cell(  # noqa: PLR0913
    indices: Any,
    data: Any,
    begin: Any,
    end: Any,
    total: Any,
    inverse: Any,
    largest: Any,
    table: Any,
    boxes: Any,
    recent: Any,
) -> Any:
    """Add a plain cell's values to their genes.

    Returns:
        Counts of the cell in each group of genes.
    """
    rows, sums, picked, special, _, _, _ = recent
    for count in range(1, min(largest, N_TABULATED) + 1):
        sums[count, 0] = (1 << RECENT_BITS) + count
        sums[count, 1], sums[count, 2], sums[count, 3] = share_limbs(min(count * inverse, 1.0))
    # Also collects, without a branch, the positions of values that need more work than others.
    n_picked: Any = np.uint64(0)
    target, source = np.int64(rows.ctypes.data), np.int64(sums.ctypes.data)
    for i in range(np.uint64(begin), np.uint64(end)):
        gene: Any = np.uint64(indices[i])
        # Larger counts have a row of zeros, as 0 has.
        row = np.uint64(min(np.uint32(np.int32(data[i])), np.uint32(N_TABULATED + 1)))
        picked[n_picked] = i
        n_picked += np.uint64(special[gene] | np.uint8(row > np.uint64(N_TABULATED)))
        add_four(target + np.int64(gene) * _ROW_BYTES, source + np.int64(row) * _ROW_BYTES)
    groups = np.int64(0)
    for k in range(n_picked):
        at = np.uint64(picked[k])
        whole = np.int64(data[at])
        gene = np.uint64(indices[at])
        role = table[gene, ROLE]
        if whole > 0:
            share = min(whole * inverse, 1.0)
            groups += whole * (role & IN_A_GROUP)
            if whole > N_TABULATED:
                add_value(table, gene, np.int64(whole), share)
            if role >> BOX_SHIFT:
                add_to_box(boxes, role, share)
    mt, ribo, hb = (
        groups & _GROUP_MASK,
        groups >> GROUP_BITS & _GROUP_MASK,
        groups >> 2 * GROUP_BITS,
    )
    if total > _GROUP_MASK:
        mt = ribo = hb = np.int64(0)
        for k in range(n_picked):
            at = np.uint64(picked[k])
            role = table[np.uint64(indices[at]), ROLE]
            whole = np.int64(data[at])
            mt += whole * (role & IN_MT != 0)
            ribo += whole * (role & IN_RIBO != 0)
            hb += whole * (role & IN_HB != 0)
    return mt, ribo, hb


@part()
def top_of_plain(data: Any, begin: Any, end: Any, guess: Any, largest: Any) -> Any:
    """Return the sum of a plain cell's highest counts, and the lowest of these.

    Args:
        data: The values; the cell has at least `N_TOP_COUNTS` above 0.
        begin: Place of the cell's first value.
        end: Place after its last one.
        guess: First estimate of the lowest count.
        largest: The cell's largest count, below ``2**31``.
    """
    # The sought count is above `low` and at most `high`.
    low, high = np.int64(0), np.int64(largest)
    at = min(max(np.int64(guess), np.int64(1)), high)
    step = np.int64(1)
    while True:
        n_above = np.int32(0)
        n_at = np.int32(0)
        if largest <= _MOST_EXACT:
            edge = data.dtype.type(at)
            for i in range(np.uint64(begin), np.uint64(end)):
                n_above = np.int32(n_above + np.int32(data[i] > edge))
                n_at = np.int32(n_at + np.int32(data[i] >= edge))
        else:
            for i in range(np.uint64(begin), np.uint64(end)):
                count = np.int32(data[i])
                n_above = np.int32(n_above + np.int32(count > np.int32(at)))
                n_at = np.int32(n_at + np.int32(count >= np.int32(at)))
        if n_above > N_TOP_COUNTS:
            low = at
        elif n_at < N_TOP_COUNTS:
            high = at - 1
        else:
            break
        if low == 0:
            at = max(at - step, np.int64(1))
        elif high == largest:
            at = min(at + step, high)
        else:
            at = (low + high + 1) >> 1
        step <<= 1
    above = np.int64(0)
    for i in range(np.uint64(begin), np.uint64(end)):
        above += max(np.int64(np.int32(data[i])) - at, np.int64(0))
    return above + N_TOP_COUNTS * at, at
