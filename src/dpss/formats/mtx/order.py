"""Order of the entries of a MatrixMarket file, guessed before reading."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled
from dpss.formats.mtx.header import MtxHeader
from dpss.formats.mtx.parser import PATTERN
from dpss.storage.base import Blob
from dpss.storage.compression import peek

_LOOK_BYTES = 1 << 18
_ENTRY = re.compile(rb"^[ \t]*(\d{1,10})[ \t]+(\d{1,10})(?=[ \t\r])", re.MULTILINE)
_PATTERN_ENTRY = re.compile(rb"^[ \t]*(\d{1,10})[ \t]+(\d{1,10})[ \t\r]*$", re.MULTILINE)


@dataclass
class Entries:
    """Consecutive entries of a file; valid until the next ones are read."""

    rows: NDArray[np.int32]
    """Index of each entry's row, from 0; ``n`` at least."""
    columns: NDArray[np.int32]
    """Index of each entry's column, from 0; ``n`` at least."""
    values: NDArray[Any]
    """Value of each entry; ``n`` at least."""
    starts: NDArray[np.int32]
    """Start of each run of equal major indices; ``n_runs`` at least."""
    n: int = 0
    """Number of entries."""
    n_runs: int = 0
    """Number of those runs; -1 if the major indices are not sorted."""
    distinct: bool = True
    """Whether no entry occurs twice."""


class Order(Enum):
    """Order of the entries of a file."""

    CELLS = "by cell"
    GENES = "by gene, then by cell"
    NONE = "not at all"


def guess_order(blob: Blob, header: MtxHeader, cell_axis: int) -> Order:
    """Return the order of the first entries of a file; reading detects a wrong guess.

    Args:
        blob: The file.
        header: Its header.
        cell_axis: 0 if cells are rows, 1 if they are columns.
    """
    head = peek(blob, header.n_bytes + _LOOK_BYTES)[header.n_bytes :]
    if len(head) == _LOOK_BYTES:
        head = head[: head.rfind(b"\n") + 1]
    entry = _PATTERN_ENTRY if header.kind == PATTERN else _ENTRY
    found = entry.findall(head)
    pairs = [(int(indices[cell_axis]), int(indices[1 - cell_axis])) for indices in found]
    return order_of(pairs, complete=len(pairs) == header.n_entries)


def order_of(pairs: Sequence[tuple[int, int]], *, complete: bool) -> Order:
    """Return the order of entries.

    Args:
        pairs: Indices of cell and gene of each.
        complete: Whether these are all entries of the file.
    """
    by_cell = all(a[0] <= b[0] for a, b in pairwise(pairs))
    by_gene = all((a[1], a[0]) < (b[1], b[0]) for a, b in pairwise(pairs))
    if by_cell and (complete or not by_gene):
        return Order.CELLS
    if by_cell:
        # Within the first gene of a file sorted by gene the cells increase as well.
        few = len({a for a, _ in pairs}) <= len({b for _, b in pairs})
        return Order.CELLS if few else Order.GENES
    return Order.GENES if by_gene else Order.NONE


@compiled
def find_runs(major: Any, minor: Any, n: Any, starts: Any) -> Any:
    """Find the runs of equal major indices.

    Args:
        major: ``int32``: the index by which the entries should be sorted.
        minor: ``int32``: the other index.
        n: Number of entries.
        starts: ``int32``, shape ``(n,)`` at least, out: start of each run.

    Returns:
        The number of runs, or -1 if the major indices decrease somewhere; and whether the minor
        indices increase strictly within each run, so that no entry occurs twice.
    """
    n_runs = 0
    last_major = np.int32(-1)
    last_minor = np.int32(-1)
    distinct = True
    for k in range(n):
        if major[k] != last_major:
            if major[k] < last_major:
                return -1, distinct
            starts[n_runs] = k
            n_runs += 1
            last_major = major[k]
        elif minor[k] <= last_minor:
            distinct = False
        last_minor = minor[k]
    return n_runs, distinct
