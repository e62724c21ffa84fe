"""Tables of the cells: names and columns of annotation, read in parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dpss.errors import ColumnError, FetchError, MatrixError, plural
from dpss.formats.annotation.data_frame import OLD_CATEGORIES, Elements
from dpss.formats.annotation.strings import as_strings, object_array

Labels = NDArray[np.object_]
"""Text (``str``) of each cell, ``None`` where it is missing."""
PART_CELLS = 1 << 16
"""Number of cells in a part."""
MAX_CATEGORIES = 1 << 20
_MISSING = ("", "nan", "NaN", "NA", "None")
_TRUTH = np.array(["False", "True"], dtype=object)
"""Categories of truth values, by their code."""


class CellElements(Elements, Protocol):
    """Elements of a file from which parts of vectors can be read."""

    def part(self, path: str, start: int, stop: int) -> NDArray[Any]:
        """Return a part of a vector; text as ``str`` or bytes in an object array."""


@dataclass(frozen=True)
class ElementsTable:
    """The table of the cells of a file; see `dpss.formats.base.CellTable`."""

    elements: CellElements
    path: str
    """Path of the group of columns."""
    name: str | None
    """Name of the column with the cells' names; ``None`` without one."""

    def columns(self) -> list[str]:
        """Return the names of the columns, also of those for which `labels` raises."""
        hidden = (OLD_CATEGORIES, self.name)
        listed = self.elements.children(self.path)
        return [name for name in listed if name not in hidden and self._is_column(name)]

    def _is_column(self, column: str) -> bool:
        try:
            return bool(self._values_path(column))
        except FetchError:
            raise
        except MatrixError:
            return True

    def labels(self, column: str) -> Iterator[Labels]:
        """Yield a column in parts.

        Raises:
            ColumnError: The column is damaged, or has an unsupported encoding.
        """
        return self._parts(column, label)

    def categories(self, column: str) -> Labels | None:
        """Return the categories of a column; ``None`` without; two for truth values.

        Raises:
            ColumnError: The column is damaged, or has an unsupported encoding.
        """
        where, path = self._find(column)
        found = self._categories(where, label)
        return _TRUTH if found is None and self.elements.kind(path) == "b" else found

    def codes(self, column: str) -> Iterator[NDArray[np.int64]]:
        """Yield the index of each cell's category in parts, -1 where it is missing.

        Raises:
            ColumnError: The codes are damaged.
        """
        where, path = self._find(column)
        categories = self.categories(column)
        n_categories = 0 if categories is None else len(categories)
        for values, missing in self._values(where, path):
            codes = values.astype(np.int64)
            if missing is not None:
                codes[missing] = -1
            check_codes(codes, n_categories, where)
            yield codes

    def _parts(self, column: str, to_text: Callable[[NDArray[Any]], Labels]) -> Iterator[Labels]:
        where, path = self._find(column)
        categories = self._categories(where, to_text)
        for values, missing in self._values(where, path):
            found = (
                to_text(values) if categories is None else decode_codes(values, categories, where)
            )
            if missing is not None:
                found[missing] = None
            yield found

    def _values(
        self, where: str, path: str
    ) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_] | None]]:
        """Yield values or codes in parts, each with the mask of missing ones, if any."""
        mask = f"{where}/mask" if "mask" in self.elements.children(where) else ""
        is_factor = path.endswith("/values") and "levels" in self.elements.children(where)
        n = self.elements.length(path)
        if mask and (not self.elements.kind(mask) or self.elements.length(mask) != n):
            raise ColumnError(f"{where}: its mask is not of {plural(n, 'value')}")
        for start in range(0, n, PART_CELLS):
            stop = min(start + PART_CELLS, n)
            values = self.elements.part(path, start, stop)
            missing = self.elements.part(mask, start, stop).astype(bool) if mask else None
            yield codes_of_factor(values) if is_factor else values, missing

    def _find(self, column: str) -> tuple[str, str]:
        """Return the path of a column, and the path of its values or codes.

        Raises:
            ColumnError: The column has an unsupported encoding.
        """
        where = f"{self.path}/{column}".strip("/")
        path = self._values_path(column)
        if not path:
            raise ColumnError(f"{where} is of an encoding that is not read")
        return where, path

    def names(self) -> Iterator[Labels]:
        """Yield the names of the cells in parts.

        Raises:
            ColumnError: The cells have no names, or the names are damaged.
        """
        if self.name is None:
            raise ColumnError(f"{self.path} has no names of cells")
        return self._parts(self.name, name_cells)

    def _values_path(self, column: str) -> str:
        """Return the path of a column's values or codes; empty if not supported."""
        where = f"{self.path}/{column}".strip("/")
        parts = set(self.elements.children(where))
        inner = "/codes" if {"codes", "categories"} <= parts else "/values" * ("values" in parts)
        kind = self.elements.kind(where + inner)
        allowed = "iu" if inner == "/codes" or "levels" in parts else "SUOTiufb"
        return where + inner if kind and kind in allowed else ""

    def _categories(self, where: str, to_text: Callable[[NDArray[Any]], Labels]) -> Labels | None:
        """Return the categories of a column; ``None`` without."""
        parts = set(self.elements.children(where))
        if {"codes", "categories"} <= parts or {"values", "levels"} <= parts:
            inner = f"{where}/categories" if "codes" in parts else f"{where}/levels"
            if "values" in self.elements.children(inner):
                inner += "/values"
            if not self.elements.kind(inner) or self.elements.length(inner) > MAX_CATEGORIES:
                raise ColumnError(f"{where}: its categories can't be read")
            return to_text(self.elements.vector(inner))
        old = None if parts else self.elements.old_categories(where)
        return None if old is None else to_text(old)


@dataclass(frozen=True)
class BarcodeTable(ElementsTable):
    """A table of the cells that has names but no columns."""

    def columns(self) -> list[str]:
        """Return an empty list."""
        return []


@dataclass(frozen=True)
class TableBesideNames(ElementsTable):
    """A table of the cells whose names are not among its columns."""

    names_path: str = ""
    """Path of the vector of names."""

    def names(self) -> Iterator[Labels]:
        """Yield the names of the cells in parts.

        Raises:
            ColumnError: The names are damaged or missing.
        """
        return ElementsTable(self.elements, "", self.names_path).names()


def label(values: NDArray[Any]) -> Labels:
    """Return values as text; ``None`` for empty text and NaN.

    >>> label(np.array([1.0, 2.5, np.nan])).tolist()
    ['1', '2.5', None]
    >>> label(np.array([True, False])).tolist()
    ['True', 'False']
    """
    if values.dtype.kind == "f":
        found = [None if math.isnan(value) else f"{value:.12g}" for value in values.tolist()]
    elif values.dtype.kind in "iub":
        found = [str(value) for value in values.tolist()]
    else:
        found = [None if value in _MISSING else value for value in as_strings(values)]
    return object_array(found)


def name_cells(values: NDArray[Any]) -> Labels:
    """Return values as names of cells: as `label`, but only empty text is missing.

    >>> name_cells(np.array(["AAAC", "NA", ""], dtype=object)).tolist()
    ['AAAC', 'NA', None]
    """
    if values.dtype.kind in "fiub":
        return label(values)
    return object_array([value or None for value in as_strings(values)])


def decode_codes(codes: NDArray[Any], categories: Labels, where: str) -> Labels:
    """Return the category of each code; ``None`` for -1.

    Raises:
        ColumnError: A code has no category.
    """
    numbers = codes.astype(np.int64)
    check_codes(numbers, len(categories), where)
    return np.array([*categories.tolist(), None], dtype=object)[numbers]


def check_codes(codes: NDArray[np.int64], n_categories: int, where: str) -> None:
    """Check that each code is -1 or the index of a category.

    Raises:
        ColumnError: A code has no category.
    """
    if len(codes) and not -1 <= codes.min() <= codes.max() < n_categories:
        raise ColumnError(f"{where}: its codes are damaged")


def codes_of_factor(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the codes of R's factor, from 0; -1 for ``NA``.

    >>> codes_of_factor(np.array([1, 3, -2147483648, 0])).tolist()
    [0, 2, -1, -1]
    """
    return np.maximum(values.astype(np.int64), 0) - 1


@dataclass(frozen=True)
class InMemoryTable:
    """A table of the cells in memory; see `dpss.formats.base.CellTable`."""

    values: dict[str, Any]
    """Columns by name: arrays of any kind, shape ``(n_cells,)``."""
    cell_names: Any = None
    """Names of the cells, shape ``(n_cells,)``; ``None`` without."""

    def columns(self) -> list[str]:
        """Return the names of the columns."""
        return list(self.values)

    def labels(self, column: str) -> Iterator[Labels]:
        """Yield a column in parts."""
        return _cut(self.values[column], label)

    def categories(self, column: str) -> Labels | None:
        """Return the categories of a column, ``None`` for one that is not categorical."""
        accessor = getattr(self.values[column], "cat", None)
        return None if accessor is None else label(np.asarray(accessor.categories))

    def codes(self, column: str) -> Iterator[NDArray[np.int64]]:
        """Yield the index of each cell's category in parts, -1 where it is missing."""
        return _cut(self.values[column].cat.codes, lambda values: values.astype(np.int64))

    def names(self) -> Iterator[Labels]:
        """Yield the names of the cells in parts.

        Raises:
            ColumnError: The cells have no names.
        """
        if self.cell_names is None:
            raise ColumnError("there are no names of cells")
        return _cut(self.cell_names, name_cells)


def _cut(values: Any, convert: Callable[[NDArray[Any]], NDArray[Any]]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(values), PART_CELLS):
        yield convert(np.asarray(values[start : start + PART_CELLS]))
