"""Compressed sparse matrices in HDF5: three vectors, cell-major or gene-major.

AnnData's ``csr_matrix`` and ``csc_matrix`` and Cell Ranger's h5 files all store
``data``, ``indices`` and ``indptr``; they differ in names only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpss.blocks import MAX_BLOCK_CELLS, CellBlock, EntryBlock
from dpss.errors import CorruptMatrixError
from dpss.formats import cut_evenly
from dpss.formats.block_types import as_indices, as_values
from dpss.formats.vectors import Cursor, ForeseeingVector, Vector, VectorFile
from dpss.model import GeneTable
from dpss.stores.local import LocalFile, LocalFolder

_EXPECTED_VALUES = 1 << 20


@dataclass(frozen=True)
class SparseLayer:
    """A compressed sparse matrix in an HDF5 group as a `dpss.formats.Layer`."""

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
            CorruptMatrixError: They do not.
        """
        n_major = self.n_cells if self.cell_major else len(self.genes)
        if any(len(vector.shape) != 1 for vector in (self._indptr, self._indices, self._data)):
            raise CorruptMatrixError(f"{self.file.blob.url}: {self.group} is not of vectors")
        where = f"{self.file.blob.url}: {self.group}"
        if len(self._indptr) != n_major + 1:
            raise CorruptMatrixError(
                f"{where}/indptr has {len(self._indptr):,} entries; "
                f"{n_major:,} {'cells' if self.cell_major else 'genes'} need {n_major + 1:,}"
            )
        if len(self._data) != len(self._indices):
            raise CorruptMatrixError(
                f"{where} has {len(self._data):,} values but {len(self._indices):,} indices"
            )
        if self._indices.dtype.kind not in "iu" or self._indptr.dtype.kind not in "iu":
            raise CorruptMatrixError(f"{where} has indices that are not whole numbers")
        ends = (self._indptr.read(0, 1)[0], self._indptr.read(n_major, n_major + 1)[0])
        if ends != (0, len(self._data)):
            raise CorruptMatrixError(
                f"{where}/indptr spans {ends[0]:,}..{ends[1]:,}, but there are "
                f"{len(self._data):,} values"
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

    def shares(self, share_bytes: int) -> Sequence[range]:
        """Cut the major axis into even ranges."""
        n_major = self.n_cells if self.cell_major else len(self.genes)
        return cut_evenly(n_major, self.n_values, self._value_bytes, share_bytes)

    def expect(self, share: range) -> None:
        """Say that a share will be read: its bytes are sent for, a piece of each vector in turn."""
        vectors = [v for v in (self._indices, self._data) if isinstance(v, ForeseeingVector)]
        if not share or not vectors or isinstance(self.file.blob, (LocalFile, LocalFolder)):
            return
        begin, end = (int(self._pointers(range(i, i))[0]) for i in (share.start, share.stop))
        for start in range(begin, end, _EXPECTED_VALUES):
            for vector in vectors:
                vector.expect(start, min(start + _EXPECTED_VALUES, end))

    def cell_blocks(self, share: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a share in blocks."""
        indptr = self._pointers(share)
        data, indices = Cursor(self._data), Cursor(self._indices)
        for first, stop in _cut_blocks(indptr, block_bytes // self._value_bytes):
            begin, end = int(indptr[first]), int(indptr[stop])
            yield CellBlock(
                start=share.start + first,
                indptr=indptr[first : stop + 1] - begin,
                indices=as_indices(indices.read(begin, end)),
                data=as_values(data.read(begin, end)),
            )

    def entry_blocks(self, share: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the stored values of a share in blocks; a block may end within a gene."""
        indptr = self._pointers(share)
        data, indices = Cursor(self._data), Cursor(self._indices)
        step = max(1, block_bytes // self._value_bytes)
        for begin in range(int(indptr[0]), int(indptr[-1]), step):
            end = min(begin + step, int(indptr[-1]))
            minor = as_indices(indices.read(begin, end))
            lengths = np.diff(np.clip(indptr, begin, end)).astype(np.int64)
            major = np.repeat(np.arange(share.start, share.stop, dtype=np.int32), lengths)
            cells, genes = (major, minor) if self.cell_major else (minor, major)
            yield EntryBlock(cells=cells, genes=genes, data=as_values(data.read(begin, end)))

    def _pointers(self, share: range) -> NDArray[np.int64]:
        """Return the pointers of a share, checked, shape ``(len(share) + 1,)``."""
        indptr = self._indptr.read(share.start, share.stop + 1).astype(np.int64)
        steps = np.diff(indptr)
        if len(steps) and (steps.min() < 0 or indptr[0] < 0 or indptr[-1] > self.n_values):
            raise CorruptMatrixError(
                f"{self.file.blob.url}: {self.group}/indptr decreases or leaves the "
                f"{self.n_values:,} values within {share.start:,}..{share.stop:,}"
            )
        return indptr


def _cut_blocks(indptr: NDArray[np.int64], n_values: int) -> Iterator[tuple[int, int]]:
    """Yield consecutive (first, stop) ranges of whole cells of about ``n_values`` each."""
    first, n_cells = 0, len(indptr) - 1
    while first < n_cells:
        stop = int(np.searchsorted(indptr, indptr[first] + n_values, side="right")) - 1
        stop = min(max(stop, first + 1), first + MAX_BLOCK_CELLS, n_cells)
        yield first, stop
        first = stop
