"""Repeated entries of a compressed sparse matrix, which are added up.

scipy's ``sum_duplicates`` and MatrixMarket's readers do the same. Nearly all files have the genes
of each cell in strictly ascending order, so that none repeats; other files are checked entry by
entry.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled

Runs = tuple[NDArray[np.int64], NDArray[Any], NDArray[Any]]
"""Pointers, minor indices and values of consecutive cells (or genes)."""


@compiled
def has_repeats(indptr: Any, minor: Any, seen: Any) -> Any:
    """Return 1 if a minor index occurs twice within a run, else 0.

    Args:
        indptr: ``int64``, shape ``(n_runs + 1,)``: where each run begins.
        minor: The indices, shape ``(n_values,)``; those out of range are ignored.
        seen: ``int32``, shape ``(n_minor,)``, all zero; overwritten.
    """
    for run in range(indptr.shape[0] - 1):
        begin: Any = np.uint64(indptr[run])
        end: Any = np.uint64(indptr[run + 1])
        n_descents = 0
        for i in range(begin + np.uint64(1), end):
            n_descents += minor[i] <= minor[i - np.uint64(1)]
        if n_descents:
            for i in range(begin, end):
                place = minor[i]
                if place < 0 or place >= seen.shape[0]:
                    continue
                if seen[place] == run + 1:
                    return 1
                seen[place] = run + 1
    return 0


def distinct_runs(runs: Runs, n_minor: int) -> Runs:
    """Add up repeated entries; return the same arrays if there are none.

    Args:
        runs: Pointers from 0, minor indices and values.
        n_minor: Length of the minor axis.

    Returns:
        The same matrix without repeats; the values as doubles where any were added up.
    """
    indptr, minor, data = runs
    if not has_repeats(indptr, minor, np.zeros(n_minor, dtype=np.int32)):
        return runs
    major = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.lexsort((minor, major))
    major, minor = major[order], minor[order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (np.diff(major) != 0) | (np.diff(minor) != 0)
    first = np.flatnonzero(is_new)
    # In doubles: 32 bits could overflow.
    summed = np.add.reduceat(data[order].astype(np.float64), first)
    ends = np.cumsum(np.bincount(major[first], minlength=len(indptr) - 1))
    return np.concatenate([[0], ends]).astype(np.int64), minor[first], summed


class RunSum:
    """Adds up a run with more entries than its axis is long, piece by piece."""

    def __init__(self, n_minor: int) -> None:
        """Start with sums of 0 for an axis of length ``n_minor``."""
        self._sums = np.zeros(n_minor)
        self._present = np.zeros(n_minor, dtype=bool)

    def add(self, minor: NDArray[Any], data: NDArray[Any]) -> bool:
        """Add some entries; return whether all lie within the axis."""
        n_minor = len(self._sums)
        if len(minor) and not 0 <= int(minor.min()) <= int(minor.max()) < n_minor:
            return False
        self._sums += np.bincount(minor, weights=data, minlength=n_minor)
        self._present[minor] = True
        return True

    def result(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the ascending indices that have entries, and their sums."""
        indices = np.flatnonzero(self._present)
        return indices, self._sums[indices]
