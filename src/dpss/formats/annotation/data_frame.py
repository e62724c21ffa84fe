"""Reader of AnnData's data frames in HDF5 and zarr, with all encodings of columns.

The encodings are those of AnnData's on-disk specification: arrays, ``string-array``,
``categorical`` (also as AnnData 0.7 and earlier wrote it), ``nullable-integer``,
``nullable-boolean`` and ``nullable-string-array``; and the records of AnnData 0.6 and earlier.
Columns in other encodings are skipped and named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dpss.errors import ColumnError, CorruptMatrixError
from dpss.formats.annotation.gene_table import NAMING_COLUMNS, Note
from dpss.formats.annotation.strings import as_string, as_strings

Column = NDArray[np.object_]

_TEXT = "SUOT"
_NUMBERS = "iufb"
OLD_CATEGORIES = "__categories"
"""Name of the group with the categories of all columns in AnnData 0.7 and earlier."""


class Elements(Protocol):
    """The interface of a file with data frames: groups, and vectors in them."""

    @property
    def url(self) -> str:
        """Path or address of the file."""

    def children(self, path: str) -> list[str]:
        """Return the names of the members of a group; an empty list for other objects."""

    def attributes(self, path: str) -> Mapping[str, Any]:
        """Return the attributes of a group or vector, text as ``str``."""

    def kind(self, path: str) -> str:
        """Return the kind of a vector's dtype, ``O`` for text; empty for other objects."""

    def length(self, path: str) -> int:
        """Return the length of a vector."""

    def vector(self, path: str) -> NDArray[Any]:
        """Return a whole vector; text as ``str`` in an object array."""

    def old_categories(self, path: str) -> NDArray[Any] | None:
        """Return the categories that a vector's attribute refers to; ``None`` without."""


@dataclass(frozen=True)
class Frame:
    """The columns of text of a data frame."""

    columns: dict[str, Column]
    """Columns of shape ``(n,)`` by name; the index is the first, called ``index``."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Encoding of each column that is not read, by the column's name."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """Notes about columns that were skipped."""
        if not self.skipped:
            return ()
        listed = ", ".join(f"{name} ({why})" for name, why in self.skipped.items())
        needed = any(name.lower() in NAMING_COLUMNS for name in self.skipped)
        sentence = f"Columns of the gene table that this program can't read: {listed}."
        return (("gene_columns", "warn" if needed else "pass", sentence),)


def note_others(layers: Mapping[str, str]) -> tuple[Note, ...]:
    """Return notes about layers that are not matrices of numbers.

    Args:
        layers: Encodings of these layers, by name.
    """
    if not layers:
        return ()
    listed = ", ".join(f"{name} ({encoding})" for name, encoding in layers.items())
    return (("layers", "warn", f"Passed over, as they are no matrices of numbers: {listed}."),)


def unknown_array(attributes: Mapping[str, Any]) -> str:
    """Return the stated encoding of an array if it is not supported; else empty.

    Args:
        attributes: The array's attributes; AnnData before 0.7 stated no encoding.
    """
    encoding = as_string(attributes.get("encoding-type", ""))
    return "" if encoding in ("", "array") else encoding


def read_frame(elements: Elements, path: str) -> Frame:
    """Read the index and all columns of text of a data frame.

    Args:
        elements: The file.
        path: Path of the data frame's group.

    Raises:
        CorruptMatrixError: The index can't be read, neither an index nor another column names
            the lines, or columns differ in length.
    """
    path = path.strip("/")
    index = find_index(elements, path)
    columns: dict[str, Column] = {}
    skipped: dict[str, str] = {}
    if index is not None:
        try:
            columns["index"] = _read(elements, f"{path}/{index}")
        except ColumnError as error:
            raise CorruptMatrixError(
                f"{elements.url}: {path}/{index}, the index of {path}, can't be read ({error})"
            ) from error
    for name in elements.children(path):
        if name in (index, OLD_CATEGORIES):
            continue
        try:
            if _is_text(elements, f"{path}/{name}"):
                columns[_unused_name(name, columns)] = _read(elements, f"{path}/{name}")
        except ColumnError as error:
            skipped[name] = str(error)
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {n:,}" for name, n in list(lengths.items())[:6])
        raise CorruptMatrixError(
            f"{elements.url}: the columns of {path} have different lengths ({shown})"
        )
    if index is None and not any(name.lower() in NAMING_COLUMNS for name in columns):
        raise CorruptMatrixError(f"{elements.url}: {path} has no index, hence no names")
    return Frame(columns, skipped)


def read_records(elements: Elements, table: NDArray[Any], categories: str) -> Frame:
    """Return the columns of text of records, which AnnData wrote up to 0.6.

    Args:
        elements: The file.
        table: All records, shape ``(n,)``; the index is a field.
        categories: Path of the group with the categories of a field ``x`` under the name
            ``x_categories``.
    """
    columns: dict[str, Column] = {}
    skipped: dict[str, str] = {}
    for name in table.dtype.names or ():
        values, where = table[name], f"{categories}/{name}_categories"
        if values.dtype.kind in _TEXT:
            columns[name] = as_strings(values)
        elif values.dtype.kind in "iu" and elements.kind(where):
            try:
                if _is_text(elements, where):
                    columns[name] = _decode_codes(values, _values(elements, where))
            except ColumnError as error:
                skipped[name] = str(error)
    return Frame(columns, skipped)


def find_index(elements: Elements, path: str) -> str | None:
    """Return the name of a data frame's index; ``None`` without one.

    Raises:
        CorruptMatrixError: The stated column is missing.
    """
    names = set(elements.children(path))
    stated = elements.attributes(path).get("_index")
    for name in ("_index", "index") if stated is None else (stated,):
        if isinstance(name, str) and name in names:
            return name
    if stated is not None:
        raise CorruptMatrixError(f"{elements.url}: {path} has no index: there is no {stated!r:.80}")
    return None


def frame_length(elements: Elements, path: str) -> int | None:
    """Return the number of lines of a data frame; ``None`` without a readable column.

    Raises:
        CorruptMatrixError: The index can't be read.
    """
    path = path.strip("/")
    index = find_index(elements, path)
    for name in elements.children(path) if index is None else [index]:
        for part in ("", "/codes", "/values"):
            where = f"{path}/{name}{part}"
            if name != OLD_CATEGORIES and elements.kind(where):
                return elements.length(where)
    if index is not None:
        encoding = _encoding(elements, f"{path}/{index}")
        raise CorruptMatrixError(f"{elements.url}: the index {index} is {encoding}")
    return None


def _is_text(elements: Elements, path: str) -> bool:
    """Return whether a column, its categories or its values hold text."""
    parts = set(elements.children(path))
    if {"codes", "categories"} <= parts:
        return _is_text(elements, f"{path}/categories")
    kind = elements.kind(f"{path}/values" if "values" in parts else path)
    if not kind:
        raise ColumnError(_encoding(elements, path))
    return kind in _TEXT or ("values" not in parts and elements.old_categories(path) is not None)


def _read(elements: Elements, path: str) -> Column:
    """Return a column of any encoding as text; missing values are empty."""
    parts = set(elements.children(path))
    if {"codes", "categories"} <= parts:
        return _decode(elements, f"{path}/codes", _values(elements, f"{path}/categories"))
    categories = None if parts else elements.old_categories(path)
    if categories is not None:
        return _decode(elements, path, as_strings(categories))
    return _values(elements, path)


def _values(elements: Elements, path: str) -> Column:
    """Return a vector of text or numbers, with or without a mask, as text."""
    parts = set(elements.children(path))
    where = f"{path}/values" if "values" in parts else path
    kind = elements.kind(where)
    if not kind or kind not in _TEXT + _NUMBERS:
        raise ColumnError(_encoding(elements, path))
    values = elements.vector(where)
    if values.dtype.kind != "O":
        values = as_strings(values)
    if "mask" not in parts:
        return values
    mask = f"{path}/mask"
    if elements.kind(mask) not in ("i", "u", "b") or elements.length(mask) != len(values):
        raise ColumnError("its mask is damaged")
    return np.where(elements.vector(mask).astype(bool), "", values).astype(object)


def _decode(elements: Elements, codes: str, categories: Column) -> Column:
    """Return a categorical column as text; a code of -1 is missing."""
    kind = elements.kind(codes)
    if not kind or kind not in "iu":
        raise ColumnError("its codes are no whole numbers")
    return _decode_codes(elements.vector(codes), categories)


def _decode_codes(numbers: NDArray[Any], categories: Column) -> Column:
    """Return the category of each code; empty for -1."""
    if len(numbers) and not -1 <= int(numbers.min()) <= int(numbers.max()) < len(categories):
        raise ColumnError("its codes are damaged")
    decoded: Column = np.append(categories, "")[numbers]
    return decoded


def _encoding(elements: Elements, path: str) -> str:
    return str(elements.attributes(path).get("encoding-type") or "of an unknown encoding")


def _unused_name(name: str, columns: Mapping[str, Column]) -> str:
    """Return a column's name, or another one if that is taken by the index."""
    return f"{name} (column)" if name in columns else name
