"""The compiled loop that adds values to the tables of their cells' groups."""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, primitive
from dpss.stats.embedding.fixed import N_LOGARITHMS, TARGET_SUM, divide
from dpss.stats.embedding.kernels import logarithm

N_GROUP_SUMS = 2
"""Sums per group and gene: of the values, and of their squares."""
_AHEAD = 32
"""Values between the fetch of a place in the tables and its use."""


@primitive
def fetch_ahead() -> Any:
    """Prefetch an element of an array into the processor's cache."""
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import types
    from numba.extending import intrinsic

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        number = ir.IntType(32)
        address = builder.bitcast(
            builder.gep(array.data, [arguments[1]]), ir.PointerType(ir.IntType(8))
        )
        kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        # To be written to (1), into the nearest cache (3), data (1).
        builder.call(function, [address, *(ir.Constant(number, k) for k in (1, 3, 1))])
        return context.get_dummy_value()

    @intrinsic
    def fetch(typing_context: Any, array: Any, place: Any) -> Any:
        return types.void(array, place), generate

    return fetch


@compiled
def add_groups(  # noqa: PLR0913
    indptr: Any,
    indices: Any,
    data: Any,
    totals: Any,
    labels: Any,
    order: Any,
    logarithms: Any,
    layout: Any,
    n_words: int,
    bins_scale: int,
    places: Any,
    values: Any,
    tables: Any,
) -> None:
    """Add log-normalised values to the sums and the histograms of their cells' groups.

    A gene's sums and histogram lie beside each other, and cells come group by group, so that few
    lines of memory are fetched into the processor's cache. These are fetched some values ahead:
    without that, the loop waits for memory more than half of its time.

    Args:
        indptr: ``int64``, shape ``(n_cells + 1,)``.
        indices: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        totals: ``float64``, shape ``(n_cells,)``, of `measure_cells`.
        labels: ``int16``, shape ``(n_cells,)``: group, -1 for none.
        order: ``int64``, shape ``(n_cells,)``: the cells, group by group.
        logarithms: ``int64``, shape ``(N_LOGARITHMS,)``; memory to work in.
        layout: ``int32``, shape ``(n_features, 2)``: the place of a gene's numbers within those
            of a group, -1 for a feature without, and its bins.
        n_words: Numbers per group: `N_GROUP_SUMS` and half of the bins of each gene.
        bins_scale: A value in fixed point, times the gene's bins, times this, over 2**32, is its
            bin.
        places: ``int64``, shape ``(2, n)`` with n the most values of a cell; memory to work in.
        values: ``int64``, shape ``(n,)``; memory to work in.
        tables: ``int64``, shape ``(n_groups * n_words,)``; added to. A gene's are the sums, then
            two bins of 32 bits in each number.
    """
    n_features = np.uint64(len(layout))
    one, ahead = np.uint64(1), np.uint64(_AHEAD)
    for cell in order:
        total = totals[cell]
        if total <= 0.0 or labels[cell] < 0:
            continue
        factor = divide(TARGET_SUM, total)
        for k in range(N_LOGARITHMS):
            logarithms[k] = -1
        first = np.int64(labels[cell]) * n_words
        n = np.uint64(0)
        for i in range(indptr[cell], indptr[cell + 1]):
            gene = np.uint64(indices[i])
            x = np.float64(data[i])
            if gene < n_features and x > 0.0 and layout[gene, 0] >= 0:
                value = logarithm(x, factor, logarithms)
                n_bins = np.int64(layout[gene, 1])
                at = first + layout[gene, 0]
                places[0, n] = at
                places[1, n] = 2 * (at + N_GROUP_SUMS) + min(
                    (value * n_bins * bins_scale) >> 32, n_bins - 1
                )
                values[n] = value
                n += one
        for i in range(n + ahead):
            if i < n:
                fetch_ahead(tables, np.uint64(places[0, i]))
                fetch_ahead(tables, np.uint64(places[1, i] >> 1))
            if i >= ahead:
                value = values[i - ahead]
                at = np.uint64(places[0, i - ahead])
                place: Any = places[1, i - ahead]
                tables[at] += value
                tables[at + one] += value * value
                tables[np.uint64(place >> 1)] += np.int64(1) << ((place & 1) << 5)
