"""Sparse matrices that scipy's `save_npz` writes: numpy arrays in a zip archive.

The file names neither genes nor cells. So it is read as a MatrixMarket file is: with the
tables beside it (`dpss.formats.mtx.reader`). Arrays are streamed, and nothing is unpickled.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html and the
arrays that https://docs.scipy.org/doc/scipy/reference/generated/scipy.sparse.save_npz.html
stores.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError, UnknownFormatError
from dpss.formats.mtx.header import MtxHeader
from dpss.formats.mtx.layer import Entries, MtxLayer
from dpss.formats.mtx.order import Order, find_runs, order_of
from dpss.formats.mtx.parser import REAL, WHOLE
from dpss.formats.other_formats import NPZ
from dpss.storage.archives.zip import ZipTree
from dpss.storage.base import Blob

_FIRST_MEMBERS = ("indices.npy", "indptr.npy", "row.npy", "col.npy", "format.npy")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_HEAD_BYTES = 64
_MAX_SMALL_BYTES = 1 << 14
_MAX_SIDE = (1 << 31) - 1
_INT32 = np.iinfo(np.int32)
_ENTRY_BYTES = 16
_MAJORS_AT_ONCE = 1 << 16
_SAMPLE = 1 << 16
_NUMBERS = "iufb"


@dataclass(frozen=True)
class NpzArray:
    """A one-dimensional array of numbers within the archive."""

    blob: Blob
    dtype: str
    """numpy's name of the type, such as ``<i4``."""
    length: int
    begin: int
    """Where the first number begins in the member."""


@dataclass(frozen=True)
class Npz:
    """The arrays of a sparse matrix."""

    layout: str
    """``csr``, ``csc`` or ``coo``."""
    header: MtxHeader
    majors: NpzArray
    """``indptr``, or of ``coo`` the index of each entry's row."""
    minors: NpzArray
    """``indices``, or of ``coo`` the index of each entry's column."""
    values: NpzArray

    def guess_order(self, cell_axis: int) -> Order:
        """Tell how the entries are sorted, by the layout or the first of them.

        Args:
            cell_axis: Which index counts the cells: 0 the rows, 1 the columns.
        """
        if self.layout != "coo":
            by_cell = cell_axis == ("csr", "csc").index(self.layout)
            return Order.CELLS if by_cell else Order.GENES
        n = min(_SAMPLE, self.header.n_entries)
        rows, columns = (_first_numbers(array, n) for array in (self.majors, self.minors))
        pairs = (
            zip(rows, columns, strict=True) if cell_axis == 0 else zip(columns, rows, strict=True)
        )
        return order_of(list(pairs), complete=n == self.header.n_entries)


def _first_numbers(array: NpzArray, n: int) -> list[int]:
    with array.blob.open() as file:
        numbers: list[int] = _Numbers(file, array).read(n).tolist()
    return numbers


def is_sparse_npz(blob: Blob) -> bool:
    """Tell by the name of its first member whether a file is a sparse matrix of scipy."""
    head = blob.read_range(0, _HEAD_BYTES)
    if len(head) < _LOCAL_HEADER.size:
        return False
    magic, n_name, _ = _LOCAL_HEADER.unpack(head[: _LOCAL_HEADER.size])
    name = head[_LOCAL_HEADER.size :][:n_name]
    return magic == b"PK\x03\x04" and name in [each.encode() for each in _FIRST_MEMBERS]


def read_npz(blob: Blob) -> Npz:
    """Read the heads of a sparse matrix's arrays.

    Raises:
        CorruptMatrixError: The file is damaged, or its arrays contradict each other.
        LimitError: It declares more than 2**31 rows or columns.
        NeedsWholeError: It lies within a stream.
        UnknownFormatError: It is no sparse matrix by rows, columns or entries.
    """
    members = {path.removesuffix(".npy"): each for path, each in ZipTree(blob).blobs().items()}
    layout = _read_text(members, blob)
    if layout not in ("csr", "csc", "coo"):
        raise UnknownFormatError(f"{blob.url}: a sparse matrix of the layout {layout!r}; {NPZ}")
    names = ("row", "col") if layout == "coo" else ("indptr", "indices")
    majors, minors, values = (_open_array(members, name, blob) for name in (*names, "data"))
    n_rows, n_columns = _read_shape(members, blob)
    n_entries = values.length
    expected = n_entries if layout == "coo" else (n_rows, n_columns)[layout == "csc"] + 1
    if majors.length != expected or minors.length != n_entries:
        raise CorruptMatrixError(
            f"{blob.url}: its arrays {names[0]} ({majors.length:,}), {names[1]} "
            f"({minors.length:,}) and data ({n_entries:,}) do not fit {n_rows:,} × {n_columns:,}"
        )
    kind = REAL if np.dtype(values.dtype).kind == "f" else WHOLE
    return Npz(layout, MtxHeader(n_rows, n_columns, n_entries, kind, 0, 0), majors, minors, values)


@dataclass(frozen=True)
class _Batch:
    """Entries that follow one another; see `dpss.formats.mtx.layer.Entries`."""

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: NDArray[Any]
    starts: NDArray[np.int32]
    n: int
    n_runs: int
    distinct: bool


@dataclass(frozen=True)
class NpzLayer(MtxLayer):
    """The entries of a sparse matrix of scipy, streamed."""

    npz: Npz | None = None
    """The arrays."""

    def _chunks(self, major: int | None, block_bytes: int) -> Iterator[Entries]:
        """Yield all entries in the file's order.

        Raises:
            CorruptMatrixError: The file is damaged, or an index lies outside of the matrix.
        """
        if self.npz is None:
            raise ValueError("a layer without arrays")
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
            yield _Batch(rows, columns, values, starts, len(values), n_runs, distinct)


def _read_entries(
    npz: Npz, n: int, url: str
) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Yield major index, minor index and value of at most ``n`` entries at a time."""
    with (
        npz.majors.blob.open() as major_file,
        npz.minors.blob.open() as minor_file,
        npz.values.blob.open() as value_file,
    ):
        majors = _Numbers(major_file, npz.majors)
        minors = _Numbers(minor_file, npz.minors)
        values = _Numbers(value_file, npz.values)
        if npz.layout == "coo":
            pieces = _read_indices(majors, npz.header.n_entries, n)
        else:
            pieces = _expand_bounds(majors, npz, n, url)
        for piece in pieces:
            yield piece, minors.read(len(piece)), _as_values(values.read(len(piece)))


def _read_indices(majors: _Numbers, n_entries: int, n: int) -> Iterator[NDArray[Any]]:
    for begin in range(0, n_entries, n):
        yield majors.read(min(n, n_entries - begin))


def _expand_bounds(majors: _Numbers, npz: Npz, n: int, url: str) -> Iterator[NDArray[Any]]:
    """Yield the major index of at most ``n`` entries at a time, from where each one begins.

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


class _Numbers:
    """The numbers of an array as a stream."""

    def __init__(self, file: BinaryIO, array: NpzArray) -> None:
        self._file = file
        self._array = array
        self._dtype = np.dtype(array.dtype)
        file.read(array.begin)

    def read(self, n: int) -> NDArray[Any]:
        """Return the next ``n`` numbers.

        Raises:
            CorruptMatrixError: The array ends before.
        """
        data = self._file.read(n * self._dtype.itemsize)
        if len(data) < n * self._dtype.itemsize:
            raise CorruptMatrixError(
                f"{self._array.blob.url}: ends before its {self._array.length:,} numbers"
            )
        return np.frombuffer(data, self._dtype)


def _as_indices(values: NDArray[Any], side: int, url: str) -> NDArray[np.int32]:
    if len(values) and not 0 <= int(values.min()) <= int(values.max()) < side:
        raise CorruptMatrixError(f"{url}: an index lies outside of its {side:,} rows or columns")
    return values.astype(np.int32)


def _as_values(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as ``int32`` where they fit, else as ``float64``."""
    if values.dtype.kind == "f":
        return values.astype(np.float64)
    whole = not len(values) or _INT32.min <= int(values.min()) <= int(values.max()) <= _INT32.max
    return values.astype(np.int32 if whole else np.float64)


def _open_array(members: dict[str, Blob], name: str, npz: Blob) -> NpzArray:
    """Read the head of a one-dimensional array of numbers."""
    blob = _member(members, name, npz)
    with blob.open() as file:
        shape, dtype, rest = _read_head(file, blob)
    begin = rest.tell()
    if len(shape) != 1 or dtype.kind not in _NUMBERS:
        raise CorruptMatrixError(f"{blob.url}: holds {dtype} of the shape {shape}, no numbers")
    if name != "data" and dtype.kind not in "iu":
        raise CorruptMatrixError(f"{blob.url}: holds {dtype}, no indices")
    if blob.size_bytes is None or begin + shape[0] * dtype.itemsize != blob.size_bytes:
        raise CorruptMatrixError(f"{blob.url}: its size does not fit {shape[0]:,} numbers")
    return NpzArray(blob, dtype.str, shape[0], begin)


def _read_head(file: BinaryIO, blob: Blob) -> tuple[tuple[int, ...], np.dtype[Any], io.BytesIO]:
    """Return an array's shape and type, and the first bytes of the member after its head."""
    begin = io.BytesIO(file.read(_MAX_SMALL_BYTES))
    try:
        version = npy.read_magic(begin)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(begin)
    except (ValueError, TypeError, SyntaxError, struct.error) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise CorruptMatrixError(f"{blob.url}: no array of numpy ({reason})") from error
    return shape, dtype, begin


def _read_small(members: dict[str, Blob], name: str, npz: Blob) -> NDArray[Any]:
    """Read a small array whole."""
    blob = _member(members, name, npz)
    with blob.open() as file:
        shape, dtype, rest = _read_head(file, blob)
    data = rest.read()
    n = int(np.prod(shape, dtype=object))
    if dtype.hasobject or n * dtype.itemsize != len(data):
        raise CorruptMatrixError(f"{blob.url}: holds {dtype} of the shape {shape}")
    return np.frombuffer(data, dtype, n)


def _read_text(members: dict[str, Blob], npz: Blob) -> str:
    """Return the name of the matrix's layout."""
    array = _read_small(members, "format", npz)
    if array.shape != (1,) or array.dtype.kind not in "SU":
        raise CorruptMatrixError(f"{npz.url}: its array format is no word")
    word = array[0]
    return word.decode("ascii", "replace") if isinstance(word, bytes) else str(word)


def _read_shape(members: dict[str, Blob], npz: Blob) -> tuple[int, int]:
    """Return the numbers of rows and columns."""
    array = _read_small(members, "shape", npz)
    if array.shape != (2,) or array.dtype.kind not in "iu" or (array < 0).any():
        raise CorruptMatrixError(f"{npz.url}: its array shape is not two sizes")
    n_rows, n_columns = map(int, array)
    if max(n_rows, n_columns) > _MAX_SIDE:
        raise LimitError(
            f"{npz.url}: declares {n_rows:,} × {n_columns:,}; at most 2**31 can be read"
        )
    return n_rows, n_columns


def _member(members: dict[str, Blob], name: str, npz: Blob) -> Blob:
    if name not in members:
        raise CorruptMatrixError(f"{npz.url}: has no array {name}")
    return members[name]
