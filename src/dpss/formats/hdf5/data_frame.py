"""HDF5 groups as `dpss.formats.annotation.data_frame` wants them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError
from dpss.formats.annotation.cell_names import (
    note_cell_names,
    note_missing_cells,
    note_unreadable_cells,
)
from dpss.formats.annotation.data_frame import as_text, frame_length
from dpss.formats.annotation.gene_table import Note
from dpss.formats.hdf5.file import Hdf5File, reading
from dpss.formats.hdf5.strings import read_whole


@dataclass(frozen=True)
class Hdf5Elements:
    """An HDF5 file as `dpss.formats.annotation.data_frame.Elements`."""

    file: Hdf5File

    @property
    def url(self) -> str:
        """Path or address of the file."""
        return self.file.blob.url

    def children(self, path: str) -> list[str]:
        """Return the names of what lies directly in a group; none for what is no group."""
        node = self.file.h5.get(path)
        return list(node) if isinstance(node, h5py.Group) else []

    def attributes(self, path: str) -> Mapping[str, Any]:
        """Return the attributes that tell of encodings, as text."""
        node = self.file.h5.get(path)
        names = ("encoding-type", "_index") if node is not None else ()
        return {name: _text(node.attrs[name]) for name in names if name in node.attrs}

    def kind(self, path: str) -> str:
        """Return numpy's letter for a vector's type, ``O`` for text; empty for other things."""
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
            LimitError: It is longer than a table of genes can be.
        """
        values = read_whole(self.file, self.file.h5[path])
        return as_text(values) if values.dtype.kind in "SUO" else values

    def old_categories(self, path: str) -> NDArray[Any] | None:
        """Return the categories that a vector refers to, as AnnData 0.7 and earlier wrote them."""
        node = self.file.h5[path]
        reference = node.attrs.get("categories")
        if not isinstance(reference, h5py.Reference) or not reference:
            return None
        return read_whole(self.file, self.file.h5[reference])


def note_cells(file: Hdf5File, path: str, n_cells: int, *, needed: bool = True) -> tuple[Note, ...]:
    """Return what is to be said of the names of the cells, which no number needs.

    Args:
        file: The file.
        path: Where a vector of names, or a data frame whose index they are, is expected.
        n_cells: Number of cells of the matrix.
        needed: Whether the layout always has it, so that a warning says that it is missing.

    Raises:
        OtherFileError: It is in another file.
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


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
