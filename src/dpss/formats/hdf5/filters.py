"""Decoders of HDF5's filters: deflate, shuffle, zstd, blosc, LZ4.

Ids are those that The HDF Group registers (`docs.hdfgroup.org`, "Registered Filter Plugins"). The
library undoes other filters, with the plugins of the package ``hdf5plugin`` if it is installed.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import deflate
import h5py
import numpy as np

from dpss.errors import UnknownFormatError, plural

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DEFLATE, SHUFFLE, _BLOSC, _LZ4, _ZSTD = 1, 2, 32001, 32004, 32015

_BLOSC_HEADER = struct.Struct("<4B3I")
_LZ4_HEADER = struct.Struct(">QI")
_BLOCK_BYTES = struct.Struct(">I")

Undo = Callable[[Any, int, int], Any]
"""A decoder; arguments: stored bytes, the chunk's decoded size and the item size, in bytes."""


def known_filters(dataset: h5py.Dataset) -> tuple[int, ...] | None:
    """Return the ids of a dataset's filters; ``None`` if one has no decoder here."""
    ids = filter_ids(dataset)
    return ids if set(ids) <= FILTERS.keys() else None


def filter_ids(dataset: h5py.Dataset) -> tuple[int, ...]:
    """Return the ids of a dataset's filters, in the order in which they were applied."""
    properties = dataset.id.get_create_plist()
    return tuple(properties.get_filter(i)[0] for i in range(properties.get_nfilters()))


def require_filters(place: str, dataset: h5py.Dataset) -> None:
    """Check that the library has all filters of a dataset.

    Args:
        place: Name of the dataset, for the message.
        dataset: The dataset.

    Raises:
        UnknownFormatError: A filter is missing.
    """
    for number in filter_ids(dataset):
        if not h5py.h5z.filter_avail(number) and find_spec("hdf5plugin") is not None:
            import_module("hdf5plugin")
        if not h5py.h5z.filter_avail(number):
            raise UnknownFormatError(
                f"{place} is compressed by HDF5 filter {number}, which "
                "is not known here; `pip install hdf5plugin` may add it"
            )


def unfilter(data: Any, filters: tuple[int, ...], mask: int, n_bytes: int, item_bytes: int) -> Any:
    """Undo a chunk's filters.

    Args:
        data: The stored bytes of the chunk.
        filters: Ids of the filters, in the order in which they were applied.
        mask: Bit ``i`` is set if filter ``i`` was not applied.
        n_bytes: Decoded size of the chunk.
        item_bytes: Size of one item.

    Returns:
        The decoded bytes; ``None`` if a filter has no decoder here.

    Raises:
        ValueError: The bytes can't be decompressed.
    """
    for i in reversed(range(len(filters))):
        if mask >> i & 1:
            continue
        undo = FILTERS.get(filters[i])
        if undo is None:
            return None
        data = undo(data, n_bytes, item_bytes)
    return data


def _inflate(data: Any, n_bytes: int, _: int) -> Any:
    try:
        return deflate.zlib_decompress(data, n_bytes)
    except deflate.DeflateError as error:
        raise ValueError(str(error)) from error


def _unshuffle(data: Any, _: int, item_bytes: int) -> Any:
    """Undo the shuffle filter, which stores bytes of equal significance together."""
    planes = np.frombuffer(data, dtype=np.uint8)
    n_items = len(planes) // item_bytes
    whole = planes[: n_items * item_bytes].reshape(item_bytes, n_items)
    return whole.T.tobytes() + planes[n_items * item_bytes :].tobytes()


def _unzstd(data: Any, n_bytes: int, _: int) -> Any:
    decompressor = zstd.ZstdDecompressor()
    try:
        decoded = decompressor.decompress(bytes(data), max_length=n_bytes)
    except zstd.ZstdError as error:
        raise ValueError(str(error)) from error
    if len(decoded) != n_bytes:
        raise ValueError(f"{plural(len(decoded), 'byte')} instead of {n_bytes}")
    return decoded


def _unblosc(data: Any, n_bytes: int, _: int) -> Any:
    from numcodecs import blosc

    stored = bytes(data)
    if len(stored) < _BLOSC_HEADER.size:
        raise ValueError("too short for blosc")
    header = _BLOSC_HEADER.unpack_from(stored)
    decoded_bytes, stored_bytes = header[4], header[6]
    if decoded_bytes != n_bytes or stored_bytes > len(stored):
        raise ValueError(f"blosc claims {plural(decoded_bytes, 'byte')} instead of {n_bytes}")
    try:
        return blosc.decompress(stored)
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def _unlz4(data: Any, n_bytes: int, _: int) -> Any:
    """Undo HDF5's LZ4: a size before each block; full blocks are stored raw."""
    from numcodecs import lz4

    stored = bytes(data)
    if len(stored) < _LZ4_HEADER.size:
        raise ValueError("too short for LZ4")
    decoded_bytes, block_bytes = _LZ4_HEADER.unpack_from(stored)
    if decoded_bytes != n_bytes or not block_bytes:
        raise ValueError(f"LZ4 claims {plural(decoded_bytes, 'byte')} instead of {n_bytes}")
    parts: list[bytes] = []
    at, left = _LZ4_HEADER.size, n_bytes
    while left:
        expected = min(block_bytes, left)
        if at + _BLOCK_BYTES.size > len(stored):
            raise ValueError("LZ4 ends early")
        (size,) = _BLOCK_BYTES.unpack_from(stored, at)
        at += _BLOCK_BYTES.size
        block = stored[at : at + size]
        at += size
        if size != expected:
            try:
                block = lz4.decompress(struct.pack("<I", expected) + block)
            except (RuntimeError, ValueError) as error:
                raise ValueError(str(error)) from error
        if len(block) != expected:
            raise ValueError("LZ4 ends early")
        parts.append(block)
        left -= expected
    return b"".join(parts)


FILTERS: dict[int, Undo] = {
    DEFLATE: _inflate,
    SHUFFLE: _unshuffle,
    _BLOSC: _unblosc,
    _LZ4: _unlz4,
    _ZSTD: _unzstd,
}
"""Decoder of each filter, by id."""
