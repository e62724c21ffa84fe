"""Matrices that are in memory already: an AnnData object, read through its attributes.

Neither anndata nor scipy is imported: whatever has ``indptr``, ``indices`` and ``data`` is
taken for compressed sparse, whatever numpy can slice for dense. Nothing is copied whole; a
view is cut out block by block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dpss.blocks import MAX_BLOCK_CELLS, CellBlock, EntryBlock
from dpss.errors import NoMatrixError, UnknownFormatError
from dpss.formats import ANNDATA_ORIENTATION, Matrix, cut_evenly
from dpss.formats.block_types import as_values
from dpss.formats.dense import sparse_rows
from dpss.formats.gene_columns import gene_table
from dpss.formats.repeats import distinct_runs
from dpss.model import GeneTable

FORMAT = "AnnData"
_INDEX_BYTES = 4


@dataclass(frozen=True)
class InMemoryLayer:
    """A layer of an AnnData object as a `dpss.formats.Layer`."""

    name: str
    cut: Callable[[range], Any]
    """Returns the matrix of some consecutive cells, or genes where it is gene-major."""
    n_cells: int
    genes: GeneTable
    cell_major: bool
    n_values: int | None
    value_bytes: int

    def shares(self, share_bytes: int) -> Sequence[range]:
        """Cut the layer into ranges of cells, or of genes where it is gene-major."""
        n = self.n_cells if self.cell_major else len(self.genes)
        n_values = self.n_values if self.n_values is not None else n * len(self.genes)
        return cut_evenly(n, n_values, self.value_bytes + _INDEX_BYTES, share_bytes)

    def cell_blocks(self, share: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a share in blocks."""
        for part, (indptr, indices, data) in self._parts(share, block_bytes):
            yield CellBlock(part.start, indptr, indices, data)

    def entry_blocks(self, share: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the stored values of a share in blocks."""
        for part, (indptr, indices, data) in self._parts(share, block_bytes):
            major = np.repeat(
                np.arange(part.start, part.stop, dtype=np.int64), np.diff(indptr).astype(np.int64)
            )
            cells, genes = (major, indices) if self.cell_major else (indices, major)
            yield EntryBlock(cells, genes, data)

    def _parts(
        self, share: range, block_bytes: int
    ) -> Iterator[tuple[range, tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]]:
        n_all = self.n_cells if self.cell_major else len(self.genes)
        n_minor = len(self.genes) if self.cell_major else self.n_cells
        n_values = self.n_values if self.n_values is not None else n_all * len(self.genes)
        per_one = max(1.0, n_values / max(1, n_all)) * (self.value_bytes + _INDEX_BYTES)
        step = int(max(1, min(MAX_BLOCK_CELLS, block_bytes // per_one)))
        for start in range(share.start, share.stop, step):
            part = range(start, min(start + step, share.stop))
            runs = compressed(self.cut(part), gene_major=not self.cell_major)
            yield part, distinct_runs(runs, n_minor)


def compressed(
    matrix: Any, *, gene_major: bool = False
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return pointers, indices and values of a small matrix of cells × genes.

    Args:
        matrix: scipy's CSR or CSC, or dense.
        gene_major: Whether the pointers are to point at genes.
    """
    if is_sparse(matrix):
        if (kind_of(matrix) == "csc") != gene_major:
            matrix = matrix.tocsc() if gene_major else matrix.tocsr()
        indptr, indices, data = matrix.indptr, matrix.indices, matrix.data
    else:
        indptr, indices, data = sparse_rows(as_values(np.asarray(matrix)))
    return np.asarray(indptr, dtype=np.int64), indices, as_values(data)


def is_sparse(matrix: Any) -> bool:
    """Tell whether a matrix is compressed sparse, in memory or backed by a file."""
    return kind_of(matrix) in ("csr", "csc")


def kind_of(matrix: Any) -> str:
    """Return ``csr``, ``csc`` or something else, as the matrix itself says it."""
    return str(getattr(matrix, "format", ""))


def is_anndata(thing: object) -> bool:
    """Tell whether an object is laid out as AnnData."""
    return all(hasattr(thing, name) for name in ("X", "obs", "var", "layers", "n_obs"))


def open_anndata(adata: Any) -> Matrix:
    """Open an AnnData object; a view or a backed one is cut block by block.

    Raises:
        NoMatrixError: It has no X, raw.X or layer.
        UnknownFormatError: One is of a kind that can't be read.
    """
    found: list[InMemoryLayer] = []
    whole = not (getattr(adata, "is_view", False) or getattr(adata, "isbacked", False))
    genes = genes_of(adata.var)
    if getattr(adata, "raw", None) is not None:
        raw = adata.raw
        found.append(_layer("raw.X", raw, lambda part: part.X, genes_of(raw.var), whole=whole))
    found += [
        _layer(name, adata, _layer_getter(name), genes, whole=whole)
        for name in list(adata.layers.keys())
    ]
    if _has_x(adata):
        found.insert(0, _layer("X", adata, lambda part: part.X, genes, whole=whole))
    if not found:
        raise NoMatrixError("the AnnData object has no X, raw.X or layer")
    return Matrix("", FORMAT, tuple(found), decisions=(ANNDATA_ORIENTATION,))


def genes_of(var: Any) -> GeneTable:
    """Return the gene table of a data frame of genes, its index included."""
    columns = {"index": np.asarray(var.index, dtype=str).astype(object)}
    for name in var.columns:
        values = np.asarray(var[name])
        if values.dtype.kind in "OUS":
            columns[str(name)] = values.astype(str).astype(object)
    return gene_table(columns)


def _has_x(adata: Any) -> bool:
    if getattr(adata, "is_view", False):
        return adata[:0].X is not None
    return adata.X is not None


def _layer_getter(name: str) -> Callable[[Any], Any]:
    return lambda part: part.layers[name]


def _layer(
    name: str, parent: Any, get: Callable[[Any], Any], genes: GeneTable, *, whole: bool
) -> InMemoryLayer:
    """Open a layer: of a whole object the array itself, else a part of the object at a time."""
    n_cells = int(parent.shape[0])
    if whole:
        matrix = get(parent)
        _check_kind(name, matrix)
        gene_major = kind_of(matrix) == "csc"
        sparse = is_sparse(matrix)
        cut = _cutter(matrix, gene_major=gene_major)
    else:
        matrix = get(parent[:1])
        _check_kind(name, matrix)
        gene_major, sparse = False, False

        def cut(part: range) -> Any:
            return get(parent[part.start : part.stop])

    return InMemoryLayer(
        name=name,
        cut=cut,
        n_cells=n_cells,
        genes=genes,
        cell_major=not gene_major,
        n_values=int(matrix.nnz) if sparse else None,
        value_bytes=int(matrix.dtype.itemsize),
    )


def _cutter(matrix: Any, *, gene_major: bool) -> Callable[[range], Any]:
    """Return what cuts consecutive cells (or genes) out of a matrix without copying its values."""
    if not is_sparse(matrix):
        return lambda part: matrix[part.start : part.stop]

    def cut(part: range) -> _Slice:
        first, last = int(matrix.indptr[part.start]), int(matrix.indptr[part.stop])
        return _Slice(
            indptr=np.asarray(matrix.indptr[part.start : part.stop + 1]) - first,
            indices=matrix.indices[first:last],
            data=matrix.data[first:last],
            format="csc" if gene_major else "csr",
        )

    return cut


@dataclass(frozen=True)
class _Slice:
    """Consecutive cells or genes of a compressed sparse matrix."""

    indptr: NDArray[Any]
    indices: NDArray[Any]
    data: NDArray[Any]
    format: str


def _check_kind(name: str, matrix: Any) -> None:
    """Check that a matrix is of a kind that can be read.

    Raises:
        UnknownFormatError: It is not.
    """
    dense = hasattr(matrix, "__array__") or hasattr(matrix, "__getitem__")
    kind = getattr(getattr(matrix, "dtype", None), "kind", "O")
    if not (is_sparse(matrix) or dense) or cast("str", kind) not in "iufb":
        raise UnknownFormatError(
            f"{name} is a {type(matrix).__name__} of {getattr(matrix, 'dtype', 'unknown type')}; "
            "this program reads scipy's CSR and CSC and dense arrays of numbers"
        )
