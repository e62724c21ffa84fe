"""In which order the entries of a MatrixMarket file come: a guess before, the truth after."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np

from dpss.compute.jit import compiled
from dpss.formats.mtx.header import MtxHeader
from dpss.formats.mtx.parser import PATTERN
from dpss.storage.base import Blob
from dpss.storage.compression import peek

_LOOK_BYTES = 1 << 18
_ENTRY = re.compile(rb"[ \t]*(\d{1,10})[ \t]+(\d{1,10})(?=[ \t\r])[^\n]*")
_PATTERN_ENTRY = re.compile(rb"[ \t]*(\d{1,10})[ \t]+(\d{1,10})[ \t\r]*")


def is_sorted_by(blob: Blob, header: MtxHeader, major: int) -> bool:
    """Guess from the first entries whether a file is sorted by one of its indices.

    A wrong guess does no harm: reading finds out.

    Args:
        blob: The file.
        header: Its head.
        major: 0 for the first index, 1 for the second.
    """
    head = peek(blob, header.n_bytes + _LOOK_BYTES)[header.n_bytes :]
    lines = head.split(b"\n")
    if len(head) == _LOOK_BYTES:
        del lines[-1]  # cut off
    entry = _PATTERN_ENTRY if header.kind == PATTERN else _ENTRY
    matches = [entry.fullmatch(line) for line in lines]
    pairs = [(int(m[1 + major]), int(m[2 - major])) for m in matches if m]
    if any(a[0] > b[0] for a, b in pairwise(pairs)):
        return False
    # Within the first gene of a file sorted by gene the cells increase as well.
    if len(pairs) == header.n_entries or any(a[1] > b[1] for a, b in pairwise(pairs)):
        return True
    return len({a for a, _ in pairs}) <= len({b for _, b in pairs})


@compiled
def find_runs(major: Any, minor: Any, n: Any, starts: Any) -> Any:
    """Find where each run of equal major indices begins.

    Args:
        major: ``int32``: the index by which the entries should be sorted.
        minor: ``int32``: the other one.
        n: Number of entries.
        starts: ``int32``, shape ``(n,)`` at least, out: where each run begins.

    Returns:
        The number of runs, or -1 if the major indices decrease somewhere; and whether
        the minor ones increase strictly within each run, so that no entry is twice.
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
