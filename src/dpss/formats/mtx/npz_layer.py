"""The entries of a sparse matrix of scipy (npz), streamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError
from dpss.formats.mtx.layer import MtxLayer
from dpss.formats.mtx.npz import Npz, Numbers
from dpss.formats.mtx.order import Entries, find_runs

_INT32 = np.iinfo(np.int32)
_ENTRY_BYTES = 16
_MAJORS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class NpzLayer(MtxLayer):
    """The entries of a sparse matrix of scipy, streamed."""

    npz: Npz = field(kw_only=True)
    """The arrays."""

    def _chunks(self, major: int | None, block_bytes: int) -> Iterator[Entries]:
        """Yield all entries in the file's order.

        Raises:
            CorruptMatrixError: The file is damaged, or an index lies outside of the matrix.
        """
        n = max(1, min(self.chunk_bytes, block_bytes) // _ENTRY_BYTES)
        for first, second, values in _read_entries(self.npz, n, self.blob.url):
            pair = (second, first) if self.npz.layout == "csc" else (first, second)
            rows = _as_indices(pair[0], self.header.n_rows, self.blob.url)
            columns = _as_indices(pair[1], self.header.n_columns, self.blob.url)
            starts = np.empty(len(values), np.int32)
            n_runs, distinct = 0, True
            if major is not None:
                by = (rows, columns)
                n_runs, distinct = find_runs(by[major], by[1 - major], len(values), starts)
            yield Entries(rows, columns, values, starts, len(values), n_runs, distinct)


def _read_entries(
    npz: Npz, n: int, url: str
) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Yield major index, minor index and value of at most ``n`` entries at a time."""
    with (
        npz.majors.blob.open() as major_file,
        npz.minors.blob.open() as minor_file,
        npz.values.blob.open() as value_file,
    ):
        majors = Numbers(major_file, npz.majors)
        minors = Numbers(minor_file, npz.minors)
        values = Numbers(value_file, npz.values)
        if npz.layout == "coo":
            pieces = _read_indices(majors, npz.header.n_entries, n)
        else:
            pieces = _expand_bounds(majors, npz, n, url)
        for piece in pieces:
            yield piece, minors.read(len(piece)), _as_values(values.read(len(piece)))


def _read_indices(majors: Numbers, n_entries: int, n: int) -> Iterator[NDArray[Any]]:
    for begin in range(0, n_entries, n):
        yield majors.read(min(n, n_entries - begin))


def _expand_bounds(majors: Numbers, npz: Npz, n: int, url: str) -> Iterator[NDArray[Any]]:
    """Yield the major index of at most ``n`` entries at a time, from ``indptr``.

    Raises:
        CorruptMatrixError: The bounds decrease, or do not end with the entries.
    """
    n_entries = npz.header.n_entries
    n_majors = npz.majors.length - 1
    last = majors.read(1).astype(np.int64)
    damaged = bool(last[0] != 0)
    for first in range(0, n_majors, _MAJORS_AT_ONCE):
        more = majors.read(min(_MAJORS_AT_ONCE, n_majors - first)).astype(np.int64)
        bounds = np.concatenate([last, more])
        if damaged or (np.diff(bounds) < 0).any() or bounds[-1] > n_entries:
            raise CorruptMatrixError(f"{url}: its array indptr decreases or is too large")
        for begin in range(int(bounds[0]), int(bounds[-1]), n):
            end = min(begin + n, int(bounds[-1]))
            a = int(np.searchsorted(bounds, begin, side="right")) - 1
            b = int(np.searchsorted(bounds, end, side="left"))
            lengths = np.diff(np.clip(bounds[a : b + 1], begin, end))
            yield np.repeat(np.arange(first + a, first + b), lengths)
        last = bounds[-1:]
    if last[0] != n_entries:
        raise CorruptMatrixError(f"{url}: its array indptr does not end with its entries")


def _as_indices(values: NDArray[Any], side: int, url: str) -> NDArray[np.int32]:
    if len(values) and not 0 <= int(values.min()) <= int(values.max()) < side:
        raise CorruptMatrixError(f"{url}: an index lies outside of a side of length {side:,}")
    return values.astype(np.int32)


def _as_values(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as ``int32`` where they fit, else as ``float64``."""
    if values.dtype.kind == "f":
        return values.astype(np.float64)
    whole = not len(values) or _INT32.min <= int(values.min()) <= int(values.max()) <= _INT32.max
    return values.astype(np.int32 if whole else np.float64)
