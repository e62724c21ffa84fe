"""Compressed sparse matrices in three vectors, cell-major or gene-major.

AnnData's ``csr_matrix`` and ``csc_matrix`` and Cell Ranger's h5 files all store
``data``, ``indices`` and ``indptr``; they differ in names only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpss.compute.prefetch import Prefetchable
from dpss.errors import CorruptMatrixError, LimitError, plural
from dpss.formats.arrays.dtypes import as_indices, as_values
from dpss.formats.arrays.repeats import Runs, RunSum, distinct_runs
from dpss.formats.arrays.vectors import SMALL_BYTES, Cursor, Vector, VectorFile, is_too_little
from dpss.formats.base import cut_evenly
from dpss.model import MAX_BLOCK_CELLS, CellBlock, EntryBlock, GeneTable
from dpss.storage.local import path_of

_PREFETCHED_VALUES = 1 << 22
"""Values that are prefetched together: as many as a usual partition has."""
_HELD_VALUES = 1 << 21
"""Most values of a gene that are read at a time, where a block holds fewer."""
_CHUNKS_BYTES = 1 << 29
"""Most decoded bytes of the chunks that all threads hold at a time."""
_LARGE_CHUNK_BYTES = 1 << 24
"""Decoded size of chunks beyond which the threads that hold some are counted."""

_LONG_RUN = 500
"""Mean number of values of a cell or gene from which its index is set at once, for all of them."""
_POINTER_BYTES = 8
_MAX_CELLS = (1 << 31) - 1
"""Most cells, whose numbers have 32 bits. In a gene-major file only the shape has their number."""


@dataclass(frozen=True)
class SparseLayer:
    """A compressed sparse matrix in a group as a `dpss.formats.base.Layer`."""

    name: str
    file: VectorFile
    group: str
    """Path of the group that holds the three vectors."""
    n_cells: int
    genes: GeneTable
    cell_major: bool
    """Whether ``indptr`` points at cells (CSR) or at genes (CSC)."""

    def check(self) -> SparseLayer:
        """Check that the three vectors fit each other and the shape.

        Raises:
            CorruptMatrixError: The vectors do not fit.
            LimitError: Their chunks are too large to be decoded.
        """
        n_major = self.n_cells if self.cell_major else len(self.genes)
        if any(len(vector.shape) != 1 for vector in (self._indptr, self._indices, self._data)):
            raise CorruptMatrixError(f"{self.file.blob.url}: {self.group} is not of vectors")
        where = f"{self.file.blob.url}: {self.group}"
        if self.n_cells > _MAX_CELLS:
            raise LimitError(
                f"{where} has {plural(self.n_cells, 'cell')}; at most {_MAX_CELLS:,} are read"
            )
        if len(self._indptr) != n_major + 1:
            raise CorruptMatrixError(
                f"{where}/indptr has {plural(len(self._indptr), 'entry')}; "
                f"{n_major:,} {'cells' if self.cell_major else 'genes'} need {n_major + 1:,}"
            )
        if len(self._data) != len(self._indices):
            raise CorruptMatrixError(
                f"{where} has {plural(len(self._data), 'value')} "
                f"but {plural(len(self._indices), 'index')}"
            )
        if self._indices.dtype.kind not in "iu" or self._indptr.dtype.kind not in "iu":
            raise CorruptMatrixError(f"{where} has indices that are not whole numbers")
        ends = (self._indptr.read(0, 1)[0], self._indptr.read(n_major, n_major + 1)[0])
        if ends != (0, len(self._data)):
            raise CorruptMatrixError(
                f"{where}/indptr spans {ends[0]:,}..{ends[1]:,}, but there are "
                f"{plural(len(self._data), 'value')}"
            )
        for vector in (self._indices, self._data):
            decoded = len(vector) * vector.dtype.itemsize
            # The stored bytes are only counted for large matrices, as that takes time.
            if decoded > SMALL_BYTES and is_too_little(vector.stored_bytes, decoded):
                raise CorruptMatrixError(
                    f"{where} claims {plural(len(vector), 'value')}, but stores "
                    f"{plural(vector.stored_bytes or 0, 'byte')} of them"
                )
        if self._chunk_bytes > _CHUNKS_BYTES:
            raise LimitError(
                f"{where} is stored in chunks of {self._chunk_bytes >> 20:,} MiB, which can only "
                f"be read whole; the limit is {_CHUNKS_BYTES >> 20} MiB: use smaller chunks"
            )
        return self

    @cached_property
    def _data(self) -> Vector:
        return self.file.array(f"{self.group}/data")

    @cached_property
    def _indices(self) -> Vector:
        return self.file.array(f"{self.group}/indices")

    @cached_property
    def _indptr(self) -> Vector:
        return self.file.array(f"{self.group}/indptr")

    @property
    def n_values(self) -> int:
        """Number of stored values."""
        return len(self._data)

    @property
    def _value_bytes(self) -> int:
        return self._data.dtype.itemsize + self._indices.dtype.itemsize

    @cached_property
    def _chunk_bytes(self) -> int:
        """Decoded size of a chunk of values and of one of indices."""
        return self._data.chunk_bytes + self._indices.chunk_bytes

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Cut the major axis into even ranges, fewer where chunks are large."""
        n_major = self.n_cells if self.cell_major else len(self.genes)
        # Pointers count as well: there are matrices of many cells and hardly any value.
        n_bytes = self.n_values * self._value_bytes + n_major * _POINTER_BYTES
        if self._chunk_bytes > _LARGE_CHUNK_BYTES:
            n_partitions = _CHUNKS_BYTES // self._chunk_bytes
            partition_bytes = max(partition_bytes, -(-n_bytes // n_partitions))
        return cut_evenly(n_major, n_bytes, 1, partition_bytes)

    def prefetch(self, partition: range) -> None:
        """Prefetch the bytes of a partition, a piece of each vector in turn."""
        vectors = [v for v in (self._indices, self._data) if isinstance(v, Prefetchable)]
        if not partition or not vectors or path_of(self.file.blob) is not None:
            return
        begin, end = (
            int(self._pointers(range(i, i))[0]) for i in (partition.start, partition.stop)
        )
        for start in range(begin, end, _PREFETCHED_VALUES):
            for vector in vectors:
                vector.prefetch(range(start, min(start + _PREFETCHED_VALUES, end)))

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a partition in blocks; repeated entries are added up."""
        for first, (indptr, minor, data) in self._runs(partition, block_bytes):
            yield CellBlock(start=first, indptr=indptr, indices=minor, data=data)

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the stored values of a partition in blocks; repeated entries are added up."""
        memory = np.empty(0, dtype=np.int32)
        for first, (indptr, minor, data) in self._runs(partition, block_bytes):
            if len(data) > len(memory):
                memory = np.empty(len(data) + len(data) // 8, dtype=np.int32)
            major = _major_indices(first, indptr, memory)
            cells, genes = (major, minor) if self.cell_major else (minor, major)
            yield EntryBlock(cells=cells, genes=genes, data=data)

    def _runs(self, partition: range, block_bytes: int) -> Iterator[tuple[int, Runs]]:
        """Yield consecutive cells or genes without repeats, with the index of the first.

        A gene with too many values to be held may come in several pieces.
        """
        pointers = self._pointers(partition)
        data, indices = Cursor(self._data), Cursor(self._indices)
        n_minor = len(self.genes) if self.cell_major else self.n_cells
        step = max(1, block_bytes // self._value_bytes)
        for first, stop in _cut_blocks(pointers, step):
            begin, end = int(pointers[first]), int(pointers[stop])
            indptr = pointers[first : stop + 1] - begin
            if end - begin > max(step, n_minor):
                # More values than the minor axis is long: some entries repeat.
                yield partition.start + first, self._sum_repeats(range(begin, end), n_minor, step)
            elif end - begin > max(step, _HELD_VALUES) and not self.cell_major:
                for runs in self._read_large(range(begin, end), n_minor, step):
                    yield partition.start + first, runs
            else:
                minor = as_indices(indices.read(begin, end))
                runs = indptr, minor, as_values(data.read(begin, end))
                yield partition.start + first, distinct_runs(runs, n_minor)

    def _read_large(self, values: range, n_minor: int, step: int) -> Iterator[Runs]:
        """Yield the values of a large gene in pieces, or added up in one."""
        indices, data, last = Cursor(self._indices), Cursor(self._data), -1
        pieces = [values[at : at + step] for at in range(0, len(values), step)]
        for piece in pieces:
            minor = as_indices(indices.read(piece.start, piece.stop))
            if minor[0] <= last or bool((minor[1:] <= minor[:-1]).any()):
                yield self._sum_repeats(values, n_minor, step)
                return
            last = minor[-1]
        indices = Cursor(self._indices)
        for piece in pieces:
            minor = as_indices(indices.read(piece.start, piece.stop))
            indptr = np.array([0, len(piece)], dtype=np.int64)
            yield indptr, minor, as_values(data.read(piece.start, piece.stop))

    def _sum_repeats(self, values: range, n_minor: int, step: int) -> Runs:
        """Return one cell or gene, read in pieces, with repeated entries added up."""
        indices, data, total = Cursor(self._indices), Cursor(self._data), RunSum(n_minor)
        for at in range(values.start, values.stop, step):
            end = min(at + step, values.stop)
            minor = as_indices(indices.read(at, end))
            if not total.add(minor, as_values(data.read(at, end))):
                raise CorruptMatrixError(
                    f"{self.file.blob.url}: {self.group}/indices lie outside {n_minor:,} "
                    f"{'genes' if self.cell_major else 'cells'}"
                )
        minor, sums = total.result()
        return np.array([0, len(minor)], dtype=np.int64), minor, sums

    def _pointers(self, partition: range) -> NDArray[np.int64]:
        """Return the pointers of a partition, checked, shape ``(len(partition) + 1,)``."""
        stored = self._indptr.read(partition.start, partition.stop + 1)
        indptr = stored.astype(np.int64, copy=False)
        decreases = bool((indptr[1:] < indptr[:-1]).any())
        if partition and (decreases or indptr[0] < 0 or indptr[-1] > self.n_values):
            raise CorruptMatrixError(
                f"{self.file.blob.url}: {self.group}/indptr decreases or leaves the "
                f"{plural(self.n_values, 'value')} within {partition.start:,}..{partition.stop:,}"
            )
        return indptr


def _major_indices(
    first: int, indptr: NDArray[np.int64], memory: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return the cell or gene of each value.

    Args:
        first: The first cell or gene.
        indptr: The place of its first value, 0, then the end of each cell or gene.
        memory: Overwritten by the result where runs of values are long, which is faster.
    """
    n_major, n_values = len(indptr) - 1, int(indptr[-1])
    if n_values < _LONG_RUN * n_major:
        return np.repeat(np.arange(first, first + n_major, dtype=np.int32), np.diff(indptr))
    ends = indptr.tolist()
    for number in range(n_major):
        memory[ends[number] : ends[number + 1]] = first + number
    return memory[:n_values]


def _cut_blocks(indptr: NDArray[np.int64], n_values: int) -> Iterator[tuple[int, int]]:
    """Yield consecutive ranges of whole cells with about ``n_values`` values."""
    first, n_cells = 0, len(indptr) - 1
    while first < n_cells:
        stop = int(np.searchsorted(indptr, indptr[first] + n_values, side="right")) - 1
        stop = min(max(stop, first + 1), first + MAX_BLOCK_CELLS, n_cells)
        yield first, stop
        first = stop
