"""Dense matrices in HDF5, cells × genes or genes × cells, read by slabs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dpss.blocks import CellBlock, EntryBlock
from dpss.formats import cut_evenly
from dpss.formats.dense import sparse_rows
from dpss.formats.hdf5 import ChunkedArray, Cursor, Hdf5File
from dpss.formats.sparse_hdf5 import as_values
from dpss.model import GeneTable


@dataclass(frozen=True)
class DenseLayer:
    """A dense cells × genes dataset as a `dpss.formats.Layer`."""

    name: str
    file: Hdf5File
    path: str
    n_cells: int
    genes: GeneTable
    cell_major: bool = True

    @cached_property
    def _array(self) -> ChunkedArray:
        return self.file.array(self.path)

    @property
    def n_values(self) -> int:
        """Number of stored values, zeros included."""
        return self.n_cells * len(self.genes)

    @property
    def _cell_bytes(self) -> int:
        return max(1, len(self.genes) * self._array.dtype.itemsize)

    def shares(self, share_bytes: int) -> Sequence[range]:
        """Cut the cells into ranges that begin where a chunk does."""
        chunks = self._array.chunk_shape
        n_rows = chunks[0] if chunks else 1
        n_slabs = -(-self.n_cells // n_rows)
        cuts = cut_evenly(n_slabs, n_slabs * n_rows, self._cell_bytes, share_bytes)
        return [
            range(min(cut.start * n_rows, self.n_cells), min(cut.stop * n_rows, self.n_cells))
            for cut in cuts
        ]

    def cell_blocks(self, share: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a share in blocks, without their zeros."""
        cursor = Cursor(self._array)
        step = max(1, block_bytes // self._cell_bytes)
        for start in range(share.start, share.stop, step):
            slab = as_values(cursor.read(start, min(start + step, share.stop)))
            indptr, indices, data = sparse_rows(slab)
            yield CellBlock(start, indptr, indices, data)

    def entry_blocks(self, share: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the values of a share in blocks, without zeros."""
        for block in self.cell_blocks(share, block_bytes):
            cells = np.repeat(
                np.arange(block.start, block.start + block.n_cells), np.diff(block.indptr)
            )
            yield EntryBlock(cells, block.indices, block.data)
