"""The compiled loops of `dpss.engine.entry_copy`: entries in few bytes, and back.

A value takes two bytes: its distance from the cell before, and the value itself. Larger ones have
`ESCAPE` there and stand in arrays of their own. Genes are stored as runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
from dpss.stats.kernels.entries import end_of_gene

ESCAPE = 255
"""Byte of a distance or value that is not a whole number from 0 to 254."""
_ONE = np.uint64(1)
_TOGETHER = np.uint64(512)


@part()
def _set_steps(cells: Any, start: Any, end: Any, steps: Any) -> Any:
    """Set distances of cells from the ones before; return whether any is `ESCAPE`."""
    n_far = np.int64(0)
    first = start
    if start == 0:
        steps[start] = ESCAPE
        n_far = np.int64(1)
        first = start + _ONE
    for i in range(first, end):
        step = np.int64(cells[i]) - np.int64(cells[i - _ONE])
        is_far = step < 0 or step >= ESCAPE
        steps[i] = np.uint8(ESCAPE if is_far else step)
        n_far += np.int64(is_far)
    return n_far > 0


@part()
def _set_small(data: Any, start: Any, end: Any, small: Any) -> Any:
    """Set values that are whole numbers from 0 to 254; return whether any is `ESCAPE`."""
    n_others = np.int64(0)
    for i in range(start, end):
        x = np.float64(data[i])
        whole = np.int32(max(min(x, 255.0), 0.0))
        is_other = whole != x or whole == ESCAPE
        small[i] = np.uint8(ESCAPE if is_other else whole)
        n_others += np.int64(is_other)
    return n_others > 0


@compiled
def pack_entries(
    cells: Any, genes: Any, data: Any, steps: Any, small: Any, far: Any, others: Any, runs: Any
) -> Any:
    """Pack entries in the order in which they come.

    Args:
        cells: Cell of each value, shape ``(n_values,)``.
        genes: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        steps: ``uint8``, shape ``(n_values,)``, filled: distance of each cell from the one before;
            `ESCAPE` for the first.
        small: ``uint8``, shape ``(n_values,)``, filled: the values.
        far: ``int32``, shape ``(n_values,)``, filled from the front: cells whose step is `ESCAPE`.
        others: As ``data``, filled from the front: values whose byte is `ESCAPE`.
        runs: ``int32``, shape ``(n_values, 2)``, filled from the front: feature and number of
            consecutive values that have it.

    Returns:
        The numbers of ``far``, ``others`` and ``runs`` that are filled.
    """
    n_far = n_others = n_runs = np.uint64(0)
    n_values = np.uint64(data.shape[0])
    for start in range(np.uint64(0), n_values, _TOGETHER):
        end = min(start + _TOGETHER, n_values)
        if _set_steps(cells, start, end, steps):
            for i in range(start, end):
                if steps[i] == ESCAPE:
                    far[n_far] = np.int32(cells[i])
                    n_far += _ONE
        if _set_small(data, start, end, small):
            for i in range(start, end):
                if small[i] == ESCAPE:
                    others[n_others] = data[i]
                    n_others += _ONE
    at = np.uint64(0)
    while at < n_values:
        end = end_of_gene(genes, at, n_values)
        runs[n_runs, 0] = np.int32(genes[at])
        runs[n_runs, 1] = np.int32(end - at)
        n_runs += _ONE
        at = end
    return n_far, n_others, n_runs


@compiled
def unpack_entries(
    steps: Any, small: Any, far: Any, others: Any, runs: Any, cells: Any, genes: Any, data: Any
) -> None:
    """Unpack what `pack_entries` made.

    Args:
        steps: ``uint8``, shape ``(n_values,)``.
        small: ``uint8``, shape ``(n_values,)``.
        far: ``int32``, shape ``(n_far,)``.
        others: As ``data``, shape ``(n_others,)``.
        runs: ``int32``, shape ``(n_runs, 2)``.
        cells: ``int32``, shape ``(n_values,)``, filled.
        genes: ``int32``, shape ``(n_values,)``, filled.
        data: The values, shape ``(n_values,)``, filled.
    """
    at_far = at_other = np.uint64(0)
    cell = np.int32(0)
    for i in range(np.uint64(data.shape[0])):
        step = steps[i]
        if step == ESCAPE:
            cell = far[at_far]
            at_far += _ONE
        else:
            cell += np.int32(step)
        cells[i] = cell
        x = small[i]
        if x == ESCAPE:
            data[i] = others[at_other]
            at_other += _ONE
        else:
            data[i] = x
    start = np.uint64(0)
    for k in range(np.uint64(runs.shape[0])):
        end = start + np.uint64(runs[k, 1])
        for i in range(start, end):
            genes[i] = runs[k, 0]
        start = end
