"""Positions of the chunks of an HDF5 dataset, and groups for one read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import h5py
import numpy as np
from h5py import h5t
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, NoMatrixError
from dpss.formats.hdf5.filters import SHUFFLE, known_filters

_MAX_GAP = 1 << 14
"""Most bytes between two chunks that one read covers."""
_MAX_SPAN = 1 << 20
"""Most stored bytes of one read, unless a single chunk is larger."""
_FEW_BYTES = 1 << 32
"""Stored sizes of chunks below this one have 32 bits: a large matrix has 100,000 chunks."""


@dataclass(frozen=True)
class DatasetLayout:
    """Positions of the chunks of a dataset in the file, in the order of the array."""

    chunk_shape: tuple[int, ...]
    grid: tuple[int, ...]
    """Number of chunks along each axis."""
    offsets: NDArray[np.int64]
    """Offset of each chunk in the file, shape ``(n_chunks,)``; -1 for one never written."""
    sizes: NDArray[np.int64] | NDArray[np.uint32]
    """Stored size of each chunk in bytes, of 32 bits where they fit, shape ``(n_chunks,)``."""
    masks: NDArray[np.int64]
    """Bit mask of filters that were not applied to each chunk, shape ``(n_chunks,)``."""
    filters: tuple[int, ...]
    """Ids of the filters, in the order in which they were applied."""

    @cached_property
    def n_items(self) -> int:
        """Number of items in a chunk."""
        return prod(self.chunk_shape)

    @cached_property
    def chunks_per_row(self) -> int:
        """Number of chunks side by side, across the first axis."""
        return prod(self.grid[1:])


def lay_out(url: str, file_bytes: int | None, dataset: h5py.Dataset) -> DatasetLayout | None:
    """Return the positions of the chunks; ``None`` if the library must read.

    A file may state that its partial chunks have no filters (``H5Pset_chunk_opts``), which h5py
    does not show. As a filtered chunk mostly has another size, the library reads datasets with a
    partial chunk of full size.

    Args:
        url: Address of the file, for errors.
        file_bytes: Size of the file, if it is known.
        dataset: The dataset.

    Raises:
        CorruptMatrixError: A chunk lies beyond the end of the file.
    """
    filters = known_filters(dataset)
    if dataset.chunks is None or dataset.ndim > 2 or not is_plain(dataset):
        return None
    if filters is None or 0 in dataset.shape:
        return None
    partial = tuple(n % c > 0 for n, c in zip(dataset.shape, dataset.chunks, strict=True))
    if filters == (SHUFFLE,) and any(partial):
        # Neither size nor bytes of a partial chunk show whether it has the filter.
        return None
    # h5py makes a tuple of the chunk's shape at each use.
    shape: tuple[int, ...] = dataset.chunks
    grid = tuple(-(-n // c) for n, c in zip(dataset.shape, shape, strict=True))
    n_chunks = prod(grid)
    offsets = np.full(n_chunks, -1, dtype=np.int64)
    sizes = np.zeros(n_chunks, dtype=np.int64)
    masks = np.zeros(n_chunks, dtype=np.int64)
    strides = [prod(grid[axis + 1 :]) for axis in range(len(grid))]

    def note(info: Any) -> None:
        number = 0
        for at, size, stride in zip(info.chunk_offset, shape, strides, strict=True):
            number += at // size * stride
        if number >= n_chunks or info.byte_offset is None:
            return
        if file_bytes is not None and info.byte_offset + info.size > file_bytes:
            raise CorruptMatrixError(
                f"{url}: a chunk of {dataset.name} lies beyond the file's end; "
                "is the file truncated?"
            )
        offsets[number], sizes[number] = info.byte_offset, info.size
        # The system provides a page of zeros when it is first written, mostly never.
        if info.filter_mask:
            masks[number] = info.filter_mask

    dataset.id.chunk_iter(note)
    if sizes.max() < _FEW_BYTES:
        sizes = sizes.astype(np.uint32)
    found = DatasetLayout(shape, grid, offsets, sizes, masks, filters)
    full = np.flatnonzero(sizes == found.n_items * dataset.dtype.itemsize).tolist()
    if filters and any(partial) and any(_is_partial(found, n, partial) for n in full):
        return None
    return found


def _is_partial(layout: DatasetLayout, number: int, partial: tuple[bool, ...]) -> bool:
    """Return whether a chunk extends beyond the array's end.

    Args:
        layout: Positions of the chunks.
        number: Number of the chunk.
        partial: Whether the last chunk along each axis does.
    """
    place = np.unravel_index(number, layout.grid)
    return any(at == n - 1 and p for at, n, p in zip(place, layout.grid, partial, strict=True))


def dtype_of(dataset: h5py.Dataset, place: str) -> np.dtype[Any]:
    """Return the numpy type of a dataset's items; ``place`` names it in the error.

    Raises:
        NoMatrixError: Numpy has no such type.
    """
    try:
        found: np.dtype[Any] = dataset.dtype
    except TypeError as error:
        raise NoMatrixError(f"{place} has a type of number that numpy lacks ({error})") from error
    return found


def is_plain(dataset: h5py.Dataset) -> bool:
    """Return whether items are stored with the bytes of their numpy type.

    A type of HDF5 may use only some bits of its bytes, or another bias of the exponent; the library
    converts it to the next type of numpy.
    """
    dtype, stored = dataset.dtype, dataset.id.get_type()
    if not dtype.isnative or stored.get_size() != dtype.itemsize:
        return False
    if stored.get_class() == h5t.ENUM:
        stored = stored.get_super()
    if stored.get_class() == h5t.INTEGER:
        return bool(stored.get_offset() == 0 and stored.get_precision() == 8 * dtype.itemsize)
    return bool(stored.get_class() == h5t.FLOAT and stored.equal(h5t.py_create(dtype)))


def coalesce(
    layout: DatasetLayout, numbers: NDArray[np.int64], max_bytes: int | None = _MAX_SPAN
) -> Iterator[tuple[int, int]]:
    """Yield groups of adjacent chunks as (first, last) positions in ``numbers``.

    Args:
        layout: Positions of the chunks.
        numbers: Numbers of the chunks.
        max_bytes: Most bytes of a group of several chunks; ``None`` for no limit.
    """
    first = 0
    begins = layout.offsets[numbers].tolist()
    ends = (layout.offsets[numbers] + layout.sizes[numbers]).tolist()
    for i in range(1, len(numbers) + 1):
        if i < len(numbers) and begins[i - 1] >= 0 and begins[i] >= 0:
            near = 0 <= begins[i] - ends[i - 1] <= _MAX_GAP
            if near and (max_bytes is None or ends[i] - begins[first] <= max_bytes):
                continue
        yield first, i - 1
        first = i


def span_bytes(layout: DatasetLayout, numbers: NDArray[np.int64], first: int, last: int) -> int:
    """Return the bytes in the file from the start of a chunk to the end of another."""
    end = layout.offsets[numbers[last]] + layout.sizes[numbers[last]]
    return int(end - layout.offsets[numbers[first]])
