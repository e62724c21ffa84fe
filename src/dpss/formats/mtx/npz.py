"""Sparse matrices that scipy's `save_npz` writes: numpy arrays in a zip archive.

The file names neither genes nor cells. Like a MatrixMarket file it is read with the tables beside
it (`dpss.formats.mtx.reader`). Arrays are streamed, and nothing is unpickled.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html and the
arrays that https://docs.scipy.org/doc/scipy/reference/generated/scipy.sparse.save_npz.html
stores.
"""

from __future__ import annotations

import io
import struct
import tokenize
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError, UnknownFormatError, plural
from dpss.formats.faults import reason_of
from dpss.formats.mtx.header import MAX_SIDE, MtxHeader
from dpss.formats.mtx.order import Order, order_of
from dpss.formats.mtx.parser import REAL, WHOLE
from dpss.formats.other_formats import NPZ
from dpss.storage.archives import first_name, open_archive
from dpss.storage.base import Blob

_FIRST_MEMBERS = tuple(
    f"{name}.npy"
    for name in ("indices", "indptr", "row", "col", "format", "offsets", "shape", "data")
)
"""Names of the first member: old versions of scipy wrote the arrays in any order."""
_HEAD_BYTES = 64
_MAX_SMALL_BYTES = 1 << 14
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
    """Offset of the first number in the member, in bytes."""


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
        """Return the order of the entries, by the layout or the first entries.

        Args:
            cell_axis: 0 if cells are rows, 1 if they are columns.
        """
        if self.layout != "coo":
            by_cell = cell_axis == ("csr", "csc").index(self.layout)
            return Order.CELLS if by_cell else Order.GENES
        n = min(_SAMPLE, self.header.n_entries)
        rows, columns = (_first_numbers(array, n) for array in (self.majors, self.minors))
        cells, genes = (rows, columns) if cell_axis == 0 else (columns, rows)
        return order_of(list(zip(cells, genes, strict=True)), complete=n == self.header.n_entries)


def _first_numbers(array: NpzArray, n: int) -> list[int]:
    with array.blob.open() as file:
        numbers: list[int] = Numbers(file, array).read(n).tolist()
    return numbers


def is_sparse_npz(blob: Blob) -> bool:
    """Return whether a file is a sparse matrix of scipy, by its first member."""
    return first_name(blob.read_range(0, _HEAD_BYTES)) in _FIRST_MEMBERS


def read_npz(blob: Blob) -> Npz:
    """Read the headers of a sparse matrix's arrays.

    Raises:
        CorruptMatrixError: The file is damaged, or its arrays contradict each other.
        LimitError: The file declares more than 2**31 rows or columns.
        NeedsWholeError: The file can only be read as a stream.
        UnknownFormatError: The file is not a sparse matrix by rows, columns or entries.
    """
    members = {path.removesuffix(".npy"): each for path, each in open_archive(blob).blobs().items()}
    if "format" not in members:
        raise UnknownFormatError(f"{blob.url}: {NPZ}; not read")
    layout = _read_text(members, blob)
    if layout not in ("csr", "csc", "coo"):
        raise UnknownFormatError(
            f"{blob.url}: a sparse matrix of the layout {layout!r}; save it as csr (`.tocsr()`); "
            "not read"
        )
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


class Numbers:
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
                f"{self._array.blob.url}: ends before its {plural(self._array.length, 'number')}"
            )
        return np.frombuffer(data, self._dtype)


def _open_array(members: dict[str, Blob], name: str, npz: Blob) -> NpzArray:
    """Read the header of a one-dimensional array of numbers."""
    blob = _member(members, name, npz)
    with blob.open() as file:
        shape, dtype, rest = _read_head(file, blob)
    begin = rest.tell()
    if len(shape) != 1 or dtype.kind not in _NUMBERS:
        raise CorruptMatrixError(f"{blob.url}: holds {dtype} of the shape {shape}, no numbers")
    if name != "data" and dtype.kind not in "iu":
        raise CorruptMatrixError(f"{blob.url}: holds {dtype}, no indices")
    if blob.size_bytes is None or begin + shape[0] * dtype.itemsize != blob.size_bytes:
        raise CorruptMatrixError(f"{blob.url}: its size does not fit {plural(shape[0], 'number')}")
    return NpzArray(blob, dtype.str, shape[0], begin)


def _read_head(file: BinaryIO, blob: Blob) -> tuple[tuple[int, ...], np.dtype[Any], io.BytesIO]:
    """Return an array's shape and type, and the first bytes after its header."""
    begin = io.BytesIO(file.read(_MAX_SMALL_BYTES))
    try:
        version = npy.read_magic(begin)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(begin)
    except (ValueError, TypeError, SyntaxError, struct.error, tokenize.TokenError) as error:
        raise CorruptMatrixError(f"{blob.url}: no array of numpy ({reason_of(error)})") from error
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
    if max(n_rows, n_columns) > MAX_SIDE:
        raise LimitError(
            f"{npz.url}: declares {n_rows:,} × {n_columns:,}; at most 2**31 can be read"
        )
    return n_rows, n_columns


def _member(members: dict[str, Blob], name: str, npz: Blob) -> Blob:
    if name not in members:
        raise CorruptMatrixError(f"{npz.url}: has no array {name}")
    return members[name]
