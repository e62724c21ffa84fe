"""Layers in memory, compressed sparse or dense, cut block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.formats.arrays.dense import sparse_rows
from dpss.formats.arrays.dtypes import as_values
from dpss.formats.arrays.repeats import distinct_runs
from dpss.formats.base import cut_evenly
from dpss.model import MAX_BLOCK_CELLS, CellBlock, EntryBlock, GeneTable

_INDEX_BYTES = 4


@dataclass(frozen=True)
class Compressed:
    """A compressed sparse matrix of cells × genes, with the attributes of scipy's."""

    format: str
    """``csr`` for pointers at cells, ``csc`` at genes."""
    indptr: NDArray[Any]
    indices: NDArray[Any]
    data: NDArray[Any]


def cut_compressed(matrix: Any, part: range) -> Compressed:
    """Return consecutive cells of CSR, or genes of CSC, without a copy of values."""
    indptr = np.asarray(matrix.indptr[part.start : part.stop + 1])
    found = slice(int(indptr[0]), int(indptr[-1]))
    pointers = indptr - indptr[0]
    return Compressed(matrix.format, pointers, matrix.indices[found], matrix.data[found])


@dataclass(frozen=True)
class InMemoryLayer:
    """A layer in memory as a `dpss.formats.base.Layer`."""

    name: str
    cut: Callable[[range], Any]
    """Returns consecutive cells as a matrix, or genes of a gene-major layer."""
    n_cells: int
    genes: GeneTable
    cell_major: bool
    n_values: int | None
    value_bytes: int

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Cut the layer into ranges of cells, or of genes if it is gene-major."""
        value_bytes = self.value_bytes + _INDEX_BYTES
        return cut_evenly(self._n_major, self._n_expected, value_bytes, partition_bytes)

    @property
    def _n_major(self) -> int:
        """Length of the axis along which the layer is cut."""
        return self.n_cells if self.cell_major else len(self.genes)

    @property
    def _n_expected(self) -> int:
        """Number of stored values; of all values where it is not known."""
        return self._n_major * len(self.genes) if self.n_values is None else self.n_values

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a partition in blocks."""
        for part, (indptr, indices, data) in self._parts(partition, block_bytes):
            yield CellBlock(part.start, indptr, indices, data)

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the stored values of a partition in blocks."""
        for part, (indptr, indices, data) in self._parts(partition, block_bytes):
            major = np.repeat(
                np.arange(part.start, part.stop, dtype=np.int64), np.diff(indptr).astype(np.int64)
            )
            cells, genes = (major, indices) if self.cell_major else (indices, major)
            yield EntryBlock(cells, genes, data)

    def _parts(
        self, partition: range, block_bytes: int
    ) -> Iterator[tuple[range, tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]]:
        n_minor = len(self.genes) if self.cell_major else self.n_cells
        per_major = max(1.0, self._n_expected / max(1, self._n_major))
        major_bytes = per_major * (self.value_bytes + _INDEX_BYTES)
        step = int(max(1, min(MAX_BLOCK_CELLS, block_bytes // major_bytes)))
        for start in range(partition.start, partition.stop, step):
            part = range(start, min(start + step, partition.stop))
            runs = compressed(self.cut(part), gene_major=not self.cell_major)
            yield part, distinct_runs(runs, n_minor)


def compressed(
    matrix: Any, *, gene_major: bool = False
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return pointers, indices and values of a small matrix of cells × genes.

    Args:
        matrix: scipy's CSR or CSC, or dense.
        gene_major: Whether the pointers are those of genes.
    """
    if is_sparse(matrix):
        if (layout_of(matrix) == "csc") != gene_major:
            matrix = matrix.tocsc() if gene_major else matrix.tocsr()
        indptr, indices, data = matrix.indptr, matrix.indices, matrix.data
    else:
        indptr, indices, data = sparse_rows(as_values(np.asarray(matrix)))
    return np.asarray(indptr, dtype=np.int64), indices, as_values(data)


def is_sparse(matrix: Any) -> bool:
    """Return whether a matrix is compressed sparse, in memory or backed by a file."""
    return layout_of(matrix) in ("csr", "csc")


def layout_of(matrix: Any) -> str:
    """Return scipy's name of a sparse layout, such as ``csr``; empty for others."""
    return str(getattr(matrix, "format", ""))
