"""HDF5 groups with the interface `dpss.formats.annotation.data_frame.Elements`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dpss.errors import ColumnError, CorruptMatrixError
from dpss.formats.annotation.cell_names import (
    note_cell_names,
    note_missing_cells,
    note_unreadable_cells,
)
from dpss.formats.annotation.cell_table import (
    PART_CELLS,
    ElementsTable,
    Labels,
    decode_codes,
    label,
    name_cells,
)
from dpss.formats.annotation.data_frame import find_index, frame_length
from dpss.formats.annotation.gene_table import Note
from dpss.formats.annotation.strings import as_string, as_strings
from dpss.formats.hdf5.file import Hdf5File, reading
from dpss.formats.hdf5.strings import check_heaps, read_whole

_MAX_TEXT_BYTES = 1 << 16
"""Most bytes of a single text of fixed size; a file may declare more without holding them."""


@dataclass(frozen=True)
class Hdf5Elements:
    """An HDF5 file with the interface `dpss.formats.annotation.data_frame.Elements`."""

    file: Hdf5File

    @property
    def url(self) -> str:
        """Path or address of the file."""
        return self.file.blob.url

    def children(self, path: str) -> list[str]:
        """Return the names of the members of a group; an empty list for other objects."""
        node = self.file.h5.get(path)
        return [_name(name) for name in node] if isinstance(node, h5py.Group) else []

    def attributes(self, path: str) -> Mapping[str, Any]:
        """Return the attributes ``encoding-type`` and ``_index``, as text."""
        node = self.file.h5.get(path)
        names = ("encoding-type", "_index") if node is not None else ()
        return {name: as_string(node.attrs[name]) for name in names if name in node.attrs}

    def kind(self, path: str) -> str:
        """Return the kind of a vector's dtype, ``O`` for text; empty for other objects."""
        node = self.file.h5.get(path)
        if not isinstance(node, h5py.Dataset) or node.ndim != 1:
            return ""
        if node.dtype.kind == "O" and h5py.check_string_dtype(node.dtype) is None:
            return ""
        return str(node.dtype.kind)

    def length(self, path: str) -> int:
        """Return the length of a vector."""
        return int(self.file.h5[path].shape[0])

    def vector(self, path: str) -> NDArray[Any]:
        """Return a whole vector; text as ``str`` in an object array.

        Raises:
            CorruptMatrixError: The heap that holds its strings is damaged.
            LimitError: The vector is longer than a table of genes can be.
        """
        values = read_whole(self.file, self.file.h5[path])
        return as_strings(values) if values.dtype.kind in "SUO" else values

    def part(self, path: str, start: int, stop: int) -> NDArray[Any]:
        """Return a part of a vector; text as bytes in an object array.

        Raises:
            CorruptMatrixError: The bytes are damaged.
        """
        with reading(self.file):
            node = self.file.h5[path]
            if start == 0:
                check_heaps(self.file, node)
            values: NDArray[Any] = node[start:stop]
        return values

    def text(self, path: str) -> str | None:
        """Return a single text, ``None`` where there is none at the path.

        Raises:
            CorruptMatrixError: The heap that holds it is damaged.
        """
        with reading(self.file):
            node = self.file.h5.get(path)
            if not isinstance(node, h5py.Dataset) or node.size != 1 or node.dtype.kind not in "SO":
                return None
            if node.dtype.kind == "O" and h5py.check_string_dtype(node.dtype) is None:
                return None
            if node.dtype.itemsize > _MAX_TEXT_BYTES:
                return None
            check_heaps(self.file, node)
            return str(as_strings(np.ravel(node[()]))[0])

    def old_categories(self, path: str) -> NDArray[Any] | None:
        """Return the categories that a vector refers to, as AnnData wrote up to 0.7."""
        node = self.file.h5[path]
        reference = node.attrs.get("categories")
        if not isinstance(reference, h5py.Reference) or not reference:
            return None
        return read_whole(self.file, self.file.h5[reference])


@dataclass(frozen=True)
class RecordTable:
    """A table of the cells in records, which AnnData wrote up to 0.6."""

    file: Hdf5File
    path: str
    categories: str
    """Path of the group with the categories of a field ``x`` under the name ``x_categories``."""

    def columns(self) -> list[str]:
        """Return the names of the columns."""
        dtype = self.file.h5[self.path].dtype
        return [name for name in dtype.names if name != "index" and dtype[name].kind in "SUiufb"]

    def labels(self, column: str) -> Iterator[NDArray[Any]]:
        """Yield a column in parts.

        Raises:
            ColumnError: Its codes are damaged.
            CorruptMatrixError: The file is damaged.
        """
        return self._parts(column, label)

    def _parts(self, column: str, to_text: Callable[[NDArray[Any]], Labels]) -> Iterator[Labels]:
        where = f"{self.categories}/{column}_categories"
        with reading(self.file):
            node = self.file.h5[self.path]
            codes = node.dtype[column].kind in "iu" and where in self.file.h5
            known = to_text(read_whole(self.file, self.file.h5[where])) if codes else None
            for start in range(0, len(node), PART_CELLS):
                values = node.fields(column)[start : start + PART_CELLS]
                yield to_text(values) if known is None else decode_codes(values, known, column)

    def names(self) -> Iterator[NDArray[Any]]:
        """Yield the names of the cells in parts.

        Raises:
            ColumnError: There are none.
        """
        if "index" not in (self.file.h5[self.path].dtype.names or ()):
            raise ColumnError(f"{self.path} has no names of cells")
        return self._parts("index", name_cells)


def cell_table(
    file: Hdf5File, path: str, categories: str = "uns"
) -> ElementsTable | RecordTable | None:
    """Return the table of the cells in a group or of records; ``None`` without.

    Args:
        file: The file.
        path: Path of the group or the records.
        categories: Path of the group with the categories of records.
    """
    where, elements = path.strip("/"), Hdf5Elements(file)
    try:
        with reading(file):
            node = file.h5.get(where)
            if isinstance(node, h5py.Dataset) and node.dtype.names and node.ndim == 1:
                return RecordTable(file, where, categories)
            if not isinstance(node, h5py.Group):
                return None
            return ElementsTable(elements, where, find_index(elements, where))
    except CorruptMatrixError:
        return None


def note_cells(file: Hdf5File, path: str, n_cells: int, *, needed: bool = True) -> tuple[Note, ...]:
    """Return notes about the names of the cells.

    Args:
        file: The file.
        path: Path of the vector of names, or of a data frame whose index they are.
        n_cells: Number of cells of the matrix.
        needed: Whether missing names give a warning.

    Raises:
        OtherFileError: The names are in another file.
    """
    where = path.strip("/")
    try:
        with reading(file):
            if where not in file.h5:
                return note_missing_cells(where) if needed else ()
            node = file.h5[where]
            if isinstance(node, h5py.Dataset):
                n_names = int(node.shape[0]) if node.ndim == 1 else None
            else:
                n_names = frame_length(Hdf5Elements(file), where)
            return note_cell_names(where, n_names, n_cells)
    except CorruptMatrixError as error:
        return note_unreadable_cells(where, error, file.blob.url)


def _name(name: str | bytes) -> str:
    """Return a name as text; h5py gives one that is not UTF-8 as bytes."""
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
