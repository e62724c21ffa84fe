"""Matrices of R and of its package Matrix: genes × cells by convention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, UnknownFormatError, plural
from dpss.formats.annotation.cell_names import note_cell_names
from dpss.formats.annotation.gene_table import Note
from dpss.formats.arrays.memory import Compressed, cut_compressed
from dpss.formats.r.values import attributes_of, class_of, numbers_of, strings_of, type_of

_COLUMNS, _ROWS, _TRIPLETS = "CMatrix", "RMatrix", "TMatrix"


@dataclass(frozen=True)
class RMatrix:
    """A matrix of an R object, cells × genes."""

    n_cells: int
    n_genes: int
    values: Compressed | NDArray[Any]
    """Dense: shape ``(n_cells, n_genes)``."""
    gene_names: list[str]
    """Names of the rows in R; empty without names."""
    cell_names: list[str]
    notes: tuple[Note, ...] = ()
    """Notes about names that were not used."""

    @property
    def cell_major(self) -> bool:
        """Whether whole cells can be cut out."""
        return not isinstance(self.values, Compressed) or self.values.format == "csr"

    def cut(self, part: range) -> Any:
        """Return consecutive cells, or genes of a gene-major matrix."""
        if not isinstance(self.values, Compressed):
            return self.values[part.start : part.stop]
        return cut_compressed(self.values, part)


def is_matrix(obj: Any) -> bool:
    """Return whether an object is a matrix of numbers, dense or sparse."""
    if type_of(obj) == "S4":
        name = class_of(obj)
        return len(name) == 9 and name[2:] in (_COLUMNS, _ROWS, _TRIPLETS)
    size = numbers_of(attributes_of(obj).get("dim"))
    return size is not None and len(size) == 2 and numbers_of(obj) is not None


def read_matrix(obj: Any, where: str) -> RMatrix:
    """Return a matrix, with its parts checked against each other.

    Raises:
        CorruptMatrixError: The parts contradict each other.
        UnknownFormatError: The matrix has an unsupported class.
    """
    slots = attributes_of(obj)
    sparse = type_of(obj) == "S4"
    size = numbers_of(slots.get("Dim" if sparse else "dim"))
    if size is None or len(size) != 2 or not (np.isfinite(size).all() and size.min() >= 0):
        raise CorruptMatrixError(f"{where}: a matrix without dimensions")
    n_genes, n_cells = (int(n) for n in size)
    names = slots.get("Dimnames" if sparse else "dimnames")
    sides = [strings_of(each) for each in names.value] if names and type_of(names) == "VEC" else []
    rows, columns = sides if len(sides) == 2 else ([], [])
    if rows and len(rows) != n_genes:
        raise CorruptMatrixError(
            f"{where}: {plural(len(rows), 'name')} for {plural(n_genes, 'row')}"
        )
    notes: tuple[Note, ...] = ()
    if columns and len(columns) != n_cells:
        notes, columns = note_cell_names("Dimnames", len(columns), n_cells), []
    values: Compressed | NDArray[Any]
    if sparse:
        values = _read_sparse(slots, class_of(obj), (n_genes, n_cells), where)
    else:
        flat = numbers_of(obj)
        if flat is None or len(flat) != n_genes * n_cells:
            raise CorruptMatrixError(f"{where}: its values are not {n_genes:,} × {n_cells:,}")
        # R stores columns: the genes of a cell are adjacent.
        values = flat.reshape(n_cells, n_genes)
    return RMatrix(n_cells, n_genes, values, rows, columns, notes)


def _read_sparse(
    slots: dict[str, Any], name: str, shape: tuple[int, int], where: str
) -> Compressed:
    n_genes, n_cells = shape
    if name[1] != "g":
        raise UnknownFormatError(f"{where}: {name}, a symmetric or triangular matrix, no counts")
    kind = name[2:]
    rows = None if kind == _ROWS else _indices(slots, "i", n_genes, where)
    columns = None if kind == _COLUMNS else _indices(slots, "j", n_cells, where)
    minor = rows if rows is not None else columns
    data = numbers_of(slots.get("x"))
    if data is None and minor is not None and name[0] == "n":
        data = np.ones(len(minor), dtype=np.bool_)
    if minor is None or data is None or len(data) != len(minor):
        raise CorruptMatrixError(f"{where}: {name} has other numbers of values and indices")
    if rows is not None and columns is not None:
        if len(rows) != len(columns):
            raise CorruptMatrixError(f"{where}: {name} has other numbers of rows and columns")
        return _compress(rows, columns, data, n_cells)
    indptr = numbers_of(slots.get("p"))
    n_major = n_cells if kind == _COLUMNS else n_genes
    if indptr is None or len(indptr) != n_major + 1 or indptr.dtype.kind != "i":
        raise CorruptMatrixError(f"{where}: {name} has no {plural(n_major + 1, 'pointer')}")
    if indptr[0] != 0 or indptr[-1] != len(data) or bool((np.diff(indptr) < 0).any()):
        raise CorruptMatrixError(f"{where}: the pointers of {name} do not span its values")
    return Compressed("csr" if kind == _COLUMNS else "csc", indptr.astype(np.int64), minor, data)


def _indices(slots: dict[str, Any], slot: str, n: int, where: str) -> NDArray[np.int32]:
    found = numbers_of(slots.get(slot))
    if found is None or found.dtype.kind != "i":
        raise CorruptMatrixError(f"{where}: the indices {slot} are no whole numbers")
    if len(found) and not 0 <= int(found.min()) <= int(found.max()) < n:
        raise CorruptMatrixError(f"{where}: indices {slot} outside the {n:,} that there are")
    return found.astype(np.int32, copy=False)


def _compress(
    rows: NDArray[np.int32], columns: NDArray[np.int32], data: NDArray[Any], n_cells: int
) -> Compressed:
    """Sort triplets by cell and gene; blocks add up those of the same cell and gene.

    Those of a logical matrix and of a pattern are one: R combines them by "or".
    """
    order = np.lexsort((rows, columns))
    if data.dtype.kind == "b" and len(data):
        repeats = (np.diff(rows[order]) == 0) & (np.diff(columns[order]) == 0)
        first = np.flatnonzero(np.concatenate([[True], ~repeats]))
        data = np.logical_or.reduceat(data[order], first)
        rows, columns = rows[order][first], columns[order][first]
        order = np.arange(len(first))
    indptr = np.zeros(n_cells + 1, dtype=np.int64)
    np.cumsum(np.bincount(columns, minlength=n_cells), out=indptr[1:])
    return Compressed("csr", indptr, rows[order], data[order])
