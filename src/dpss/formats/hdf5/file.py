"""HDF5 datasets read chunk by chunk, decoded outside of HDF5's global lock.

HDF5 decompresses under a lock, one thread at a time. Here the library only gives the position of
each chunk; its bytes are read from the file and inflated by libdeflate, without a lock. Chunks with
filters that `dpss.formats.hdf5.filters` does not know are read by the library.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from math import prod
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dpss.compute.prefetch import Prefetchable
from dpss.errors import CorruptMatrixError, DpssError, NeedsWholeError, NoMatrixError
from dpss.formats.arrays.vectors import Cursor
from dpss.formats.faults import reason_of
from dpss.formats.hdf5.access import LIBRARY_ERRORS, limit_metadata, open_local
from dpss.formats.hdf5.early_reads import EarlyReads
from dpss.formats.hdf5.filters import require_filters, unfilter
from dpss.formats.hdf5.inflation import can_inflate, inflate_chunks
from dpss.formats.hdf5.layout import DatasetLayout, coalesce, dtype_of, lay_out, span_bytes
from dpss.formats.hdf5.remote import RemoteHdf5
from dpss.formats.hdf5.tree import Hdf5Group
from dpss.storage.base import Blob, Spans
from dpss.storage.local import path_of


class Hdf5File:
    """An HDF5 file that opens when it is first needed, also after being pickled."""

    def __init__(self, blob: Blob) -> None:
        """Store the blob; it is opened when it is first needed."""
        self.blob = blob
        self.checked_heaps: set[int] = set()
        """Addresses of heaps of strings that were found to be sound."""
        self._lock = threading.Lock()
        self._file: h5py.File | None = None
        self._root: Hdf5Group | None = None
        self._remote: RemoteHdf5 | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the open file."""
        return Hdf5File, (self.blob,)

    @property
    def h5(self) -> Hdf5Group:
        """The root group of the open file, through which every object is opened.

        Raises:
            CorruptMatrixError: The file is not HDF5, or is damaged.
        """
        with self._lock:
            if self._root is None:
                try:
                    self._file = self._open()
                    limit_metadata(self._file)
                    self._root = Hdf5Group(h5py.h5g.open(self._file.id, b"/"), self.blob.url)
                except (OSError, RuntimeError, KeyError) as error:
                    self.raise_blob_error()
                    raise CorruptMatrixError(
                        f"{self.blob.url}: HDF5 can't be opened ({reason_of(error)})"
                    ) from error
            return self._root

    def _open(self) -> h5py.File:
        path = path_of(self.blob)
        if path is not None:
            return open_local(path)
        if not self.blob.random_access:
            raise NeedsWholeError(f"{self.blob.url}: an HDF5 file can't be read as a stream")
        self._remote = RemoteHdf5(self.blob)
        opened = h5py.File(self._remote, "r")
        # Otherwise the library would close it after Python's end, and call a deleted object.
        weakref.finalize(self, opened.close)
        return opened

    def raise_blob_error(self) -> None:
        """Raise the last error of a remote blob; it says more than the library's."""
        if self._remote and (error := self._remote.error) is not None:
            raise error

    def dataset(self, path: str) -> h5py.Dataset:
        """Return a dataset of the file.

        Raises:
            NoMatrixError: There is no dataset of that path.
            CorruptMatrixError: The file is damaged there.
        """
        try:
            found = self.h5[path]
        except KeyError as error:
            self.raise_blob_error()
            raise NoMatrixError(f"{self.blob.url}: there is no {path}") from error
        except (OSError, RuntimeError) as error:
            self.raise_blob_error()
            raise CorruptMatrixError(
                f"{self.blob.url}: {path} can't be read ({reason_of(error)})"
            ) from error
        if not isinstance(found, h5py.Dataset):
            raise CorruptMatrixError(f"{self.blob.url}: {path} is not a dataset")
        return found

    def array(self, path: str) -> ChunkedArray:
        """Return a dataset as a chunked array."""
        return ChunkedArray(self, path)


@contextmanager
def reading(file: Hdf5File) -> Iterator[None]:
    """Convert the library's errors on damaged metadata into the program's own.

    Raises:
        CorruptMatrixError: The library raised an error.
    """
    try:
        yield
    except LIBRARY_ERRORS as error:
        if isinstance(error, DpssError):
            raise
        file.raise_blob_error()
        raise CorruptMatrixError(
            f"{file.blob.url}: the HDF5 file is damaged ({reason_of(error)})"
        ) from error


class ChunkedArray:
    """A dataset of numbers, read by ranges of its first axis; safe in several threads."""

    def __init__(self, file: Hdf5File, path: str) -> None:
        """Read the dataset's shape and type.

        Raises:
            CorruptMatrixError: The dataset holds no numbers.
        """
        dataset = file.dataset(path)
        self.path = path
        self.shape: tuple[int, ...] = dataset.shape or ()
        self.dtype: np.dtype[Any] = dtype_of(dataset, f"{file.blob.url}: {path}")
        self.chunk_shape: tuple[int, ...] | None = dataset.chunks
        self.file = file
        self._lock = threading.Lock()
        self._layout: DatasetLayout | None = None
        self._laid_out = False
        remote = isinstance(file.blob, Prefetchable)
        self._early_reads = EarlyReads(self.shape, self.chunk_shape, self.dtype.itemsize, remote)
        if self.dtype.kind not in "iufb" or dataset.shape is None:
            raise CorruptMatrixError(f"{file.blob.url}: {path} holds no numbers ({self.dtype})")

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without lock and layout."""
        return {**vars(self), "_lock": None, "_layout": None, "_laid_out": False}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state with a new lock; the layout is read again when needed."""
        vars(self).update(state)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the length of the first axis."""
        return self.shape[0]

    @property
    def chunk_bytes(self) -> int:
        """Decoded size of a chunk in bytes; 0 without chunks."""
        return prod(self.chunk_shape) * self.dtype.itemsize if self.chunk_shape else 0

    @cached_property
    def stored_bytes(self) -> int:
        """Size of the dataset in the file, in bytes."""
        with reading(self.file):
            return int(self.file.dataset(self.path).id.get_storage_size())

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return the elements ``start..stop`` of the first axis."""
        return Cursor(self).read(start, stop)

    def prefetch(self, elements: range) -> None:
        """Prefetch elements of the first axis."""
        blob = self.file.blob
        is_early = not self._laid_out and self._early_reads.allows(len(elements))
        if not elements or is_early or not isinstance(blob, Prefetchable):
            return
        if (layout := self.layout()) is None:
            return
        per_row, height = layout.chunks_per_row, layout.chunk_shape[0]
        start, stop = elements.start // height, -(-elements.stop // height)
        numbers = np.arange(start * per_row, stop * per_row)
        spans = [
            (int(layout.offsets[numbers[first]]), span_bytes(layout, numbers, first, last))
            for first, last in coalesce(layout, numbers, max_bytes=None)
        ]
        blob.prefetch(Spans([span for span in spans if span[0] >= 0]))

    def read_few(self, start: int, stop: int) -> NDArray[Any] | None:
        """Return a few elements by an early read; ``None`` if `layout` is to be used."""
        is_early = not self._laid_out and self._early_reads.take(stop - start)
        return self.read_by_library(start, stop) if is_early else None

    def layout(self) -> DatasetLayout | None:
        """Return the positions of the chunks; `None` where HDF5 must read them."""
        with self._lock:
            if not self._laid_out:
                blob = self.file.blob
                with reading(self.file):
                    dataset = self.file.dataset(self.path)
                    self._layout = lay_out(blob.url, blob.size_bytes, dataset)
                self._laid_out = True
            return self._layout

    def read_by_library(self, start: int, stop: int) -> NDArray[Any]:
        """Read elements through the HDF5 library."""
        dataset = self.file.dataset(self.path)
        where = f"{self.file.blob.url}: {self.path}"
        require_filters(where, dataset)
        try:
            return np.asarray(dataset[start:stop])
        except (OSError, RuntimeError, ValueError) as error:
            self.file.raise_blob_error()
            raise CorruptMatrixError(f"{where} can't be read ({reason_of(error)})") from error

    def can_read_into(self, layout: DatasetLayout) -> bool:
        """Return whether `read_into` can be called: for one axis and known filters only."""
        return can_inflate(layout)

    def read_into(self, layout: DatasetLayout, first: int, stop: int, out: NDArray[Any]) -> None:
        """Decode chunks ``first..stop`` of a vector into ``out``, one after the other."""
        rows = out.reshape(stop - first, layout.n_items)
        for left in inflate_chunks(self.file.blob, layout, first, stop, rows):
            for number, chunk in self.read_chunks(layout, np.array([left])):
                rows[number - first] = chunk

    def read_slabs(
        self, layout: DatasetLayout, first: int, stop: int
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the rows of chunks ``first..stop`` with their numbers, decoded.

        A row of chunks is as wide as the array; the last one may extend beyond the array's end.
        """
        per_row = layout.chunks_per_row
        width = layout.chunk_shape[1] if len(layout.chunk_shape) > 1 else 0
        slab = np.empty(0, dtype=self.dtype)
        numbers = np.arange(first * per_row, stop * per_row)
        for number, chunk in self.read_chunks(layout, numbers):
            row, place = divmod(number, per_row)
            if not width:
                yield row, chunk
                continue
            if place == 0:
                slab = np.empty((layout.chunk_shape[0], self.shape[1]), dtype=self.dtype)
            part = slab[:, place * width : (place + 1) * width]
            part[:] = chunk[:, : part.shape[1]]
            if place == per_row - 1:
                yield row, slab

    def read_chunks(
        self, layout: DatasetLayout, numbers: NDArray[np.int64]
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the decoded chunks with these numbers, each of the chunk's full shape."""
        for first, last in coalesce(layout, numbers):
            begin = int(layout.offsets[numbers[first]])
            together = numbers[first : last + 1]
            if begin < 0:
                yield int(together[0]), self._filled(layout)
                continue
            n_bytes = span_bytes(layout, numbers, first, last)
            stored = memoryview(self.file.blob.read_range(begin, n_bytes))
            places = (layout.offsets[together] - begin).tolist()
            sizes, masks = layout.sizes[together].tolist(), layout.masks[together].tolist()
            for number, at, size, mask in zip(together.tolist(), places, sizes, masks, strict=True):
                yield number, self._decode(layout, number, stored[at : at + size], mask)

    def _filled(self, layout: DatasetLayout) -> NDArray[Any]:
        """Return the values of a chunk that was never written."""
        fill = self.file.dataset(self.path).fillvalue
        return np.full(layout.chunk_shape, fill, dtype=self.dtype)

    def _decode(self, layout: DatasetLayout, number: int, stored: Any, mask: int) -> NDArray[Any]:
        item_bytes = self.dtype.itemsize
        n_bytes = layout.n_items * item_bytes
        try:
            data = unfilter(stored, layout.filters, mask, n_bytes, item_bytes)
        except ValueError as error:
            raise self._chunk_error(number, "can't be decompressed") from error
        if len(data) != n_bytes:
            raise self._chunk_error(number, f"is of size {len(data)}, not {n_bytes}")
        return np.frombuffer(data, dtype=self.dtype).reshape(layout.chunk_shape)

    def _chunk_error(self, number: int, what: str) -> CorruptMatrixError:
        return CorruptMatrixError(
            f"{self.file.blob.url}: chunk {number} of {self.path} {what}; is the file truncated?"
        )
