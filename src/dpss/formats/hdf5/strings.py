"""Strings of variable length in HDF5, with checks of their heaps.

The library walks a heap by the sizes stored in it, and never ends if a damaged size is 0 or
overflows. Signals do not interrupt it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError, plural
from dpss.formats.annotation.gene_table import MAX_FEATURES
from dpss.formats.annotation.strings import as_strings
from dpss.formats.hdf5.file import Hdf5File
from dpss.formats.hdf5.filters import filter_ids, unfilter
from dpss.formats.hdf5.heap_users import is_of_values_only
from dpss.storage.offset import is_local

_REFERENCE = np.dtype([("length", "<u4"), ("address", "<u8"), ("index", "<u4")])
_COLLECTION = struct.Struct("<4sB3xQ")
_UNDEFINED = (1 << 64) - 1
_MAX_COLUMN_BYTES = 1 << 29
_MAX_HEAP_BYTES = 1 << 28
_HEAP_MARK = b"GCOL\x01\0\0\0"
"""First bytes of a heap: signature, version and three reserved bytes."""
_PIECE_BYTES = 1 << 19
_SEARCHED_BYTES = 1 << 24
"""Bytes at a file's start, and at its end, that are searched for heaps."""


def read_strings(file: Hdf5File, node: h5py.Dataset) -> NDArray[np.object_]:
    """Return a dataset of strings or numbers as ``str``, shape ``(n,)``.

    Raises:
        CorruptMatrixError: The heap that holds the strings is damaged.
    """
    return as_strings(read_whole(file, node))


def read_whole(file: Hdf5File, node: Any) -> NDArray[Any]:
    """Return a whole column of a table of genes.

    Raises:
        CorruptMatrixError: The object is not a column, or the heap of its strings is damaged.
        LimitError: The column declares more entries than a table of genes can have.
    """
    if not isinstance(node, h5py.Dataset) or node.ndim != 1:
        raise CorruptMatrixError(f"{file.blob.url}: {node.name} is no column of a table")
    if node.size > MAX_FEATURES or node.size * node.dtype.itemsize > _MAX_COLUMN_BYTES:
        raise LimitError(
            f"{file.blob.url}: {node.name} declares {plural(node.size, 'entry')} of "
            f"{plural(node.dtype.itemsize, 'byte')}, more than a table of genes has"
        )
    check_heaps(file, node)
    column: NDArray[Any] = node[()]
    return column


def check_heaps(file: Hdf5File, node: h5py.Dataset) -> None:
    """Check the heaps that a dataset of strings points into.

    Raises:
        CorruptMatrixError: A heap is damaged.
    """
    if node.dtype.kind != "O" or not node.size or _offset_bytes(file) != 8:
        return
    addresses: set[int] = set()
    for piece in _stored_pieces(file, node):
        whole = len(piece) // _REFERENCE.itemsize * _REFERENCE.itemsize
        found = np.frombuffer(piece[:whole], dtype=_REFERENCE)
        # Not `np.unique`, which imports numpy's masked arrays: 25 ms of each run.
        addresses.update(found["address"][found["length"] > 0].tolist())
    for address in sorted(addresses - {0, _UNDEFINED}):
        _check_collection(file, address)


def check_heaps_of_attributes(file: Hdf5File) -> None:
    """Check the heaps near both ends of a local file, where those of attributes lie.

    The position of an attribute's heap is not known before the library reads it. The search is
    complete for files of up to 32 MiB. A damaged heap to which only values of datasets refer, such
    as names of cells, raises no error here: `check_heaps` finds it when the values are read.

    Raises:
        CorruptMatrixError: A heap is damaged.
    """
    if not is_local(file.blob) or _offset_bytes(file) != 8:
        return
    size = file.blob.size_bytes or 0
    for start in range(0, size, _PIECE_BYTES):
        if _SEARCHED_BYTES <= start < size - _SEARCHED_BYTES:
            continue
        data = file.blob.read_range(start, _PIECE_BYTES + len(_HEAP_MARK))
        at = data.find(_HEAP_MARK)
        while at >= 0:
            try:
                _check_collection(file, start + at)
            except CorruptMatrixError:
                if not is_of_values_only(file, start + at):
                    raise
            at = data.find(_HEAP_MARK, at + 1)


def _offset_bytes(file: Hdf5File) -> int:
    """Return the size of an address in the file, which its first bytes state."""
    head = file.blob.read_range(0, 16)
    if len(head) < 16:
        raise CorruptMatrixError(f"{file.blob.url}: ends within its first bytes")
    return head[13] if head[8] < 2 else head[9]


def _stored_pieces(file: Hdf5File, node: h5py.Dataset) -> Iterator[bytes]:
    """Yield the decompressed bytes of a dataset's chunks, or its contiguous bytes."""
    if node.chunks is None:
        offset = node.id.get_offset()
        if offset is not None:
            yield file.blob.read_range(offset, node.size * _REFERENCE.itemsize)
        return
    filters = filter_ids(node)
    n_bytes = int(np.prod(node.chunks)) * _REFERENCE.itemsize
    chunks: list[Any] = []
    node.id.chunk_iter(chunks.append)
    end = file.blob.size_bytes or 0
    for chunk in chunks:
        if chunk.byte_offset is None or chunk.byte_offset + chunk.size > end:
            raise CorruptMatrixError(f"{file.blob.url}: {node.name} lies beyond the file's end")
        stored = file.blob.read_range(chunk.byte_offset, chunk.size)
        try:
            piece = unfilter(stored, filters, chunk.filter_mask, n_bytes, _REFERENCE.itemsize)
        except ValueError as error:
            if chunk.size != n_bytes:
                raise CorruptMatrixError(
                    f"{file.blob.url}: {node.name} can't be decompressed"
                ) from error
            # A partial chunk may have no filters, see `dpss.formats.hdf5.layout.lay_out`.
            piece = stored
        if piece is not None:
            yield piece


def _check_collection(file: Hdf5File, address: int) -> None:
    """Walk one heap as the library will; remember it if it is sound."""
    if address in file.checked_heaps:
        return
    url = file.blob.url
    head = file.blob.read_range(address, _COLLECTION.size) if address < 1 << 62 else b""
    if len(head) < _COLLECTION.size:
        raise CorruptMatrixError(f"{url}: strings lie at {address:,}, beyond the file's end")
    magic, _, n_bytes = _COLLECTION.unpack(head)
    if magic != b"GCOL" or not _COLLECTION.size < n_bytes <= _MAX_HEAP_BYTES:
        raise CorruptMatrixError(f"{url}: the strings at {address:,} are damaged")
    size = _damaged_size(file.blob.read_range(address, n_bytes), n_bytes)
    if size is not None:
        raise CorruptMatrixError(f"{url}: the strings at {address:,} are damaged (size {size:,})")
    file.checked_heaps.add(address)


def _damaged_size(heap: bytes, n_bytes: int) -> int | None:
    """Return the stated size of the first object of a heap that does not fit into it.

    Each object begins at a multiple of 8 bytes: two bytes with its index, six unused, eight with
    its size; its bytes follow, unless the index is 0.

    Args:
        heap: The heap, from its signature on.
        n_bytes: Its stated size in bytes; ``heap`` is shorter where the file ends before.

    Returns:
        ``None`` for a heap without such an object.
    """
    n_words = len(heap) // 8
    words = np.frombuffer(heap, "<u8", n_words).astype(np.uint64, copy=False).data
    at, last, end = _COLLECTION.size // 8, n_words - 2, n_bytes // 8
    while at <= last:
        size: int = words[at + 1]
        step = (size + 7) // 8 + (2 if words[at] & 0xFFFF else 0)
        at += step
        if step == 0 or at > end:
            return size
    return None
