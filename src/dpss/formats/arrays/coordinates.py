"""Coordinates of the cells in a file, such as a UMAP, read in parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dpss.errors import ColumnError, MatrixError
from dpss.formats.arrays.vectors import Cursor, Vector, VectorFile

PART_NUMBERS = 1 << 18
"""Numbers that are read at a time, or those of one cell."""
MAX_AXES = 1000
"""Most axes of coordinates that are read."""
_FIRST = re.compile(r"(.*?)([-_. ]?)(x|1)", re.IGNORECASE)
_SECOND = {"x": "y", "X": "Y", "1": "2"}
_MAP = re.compile(r".*(umap|t-?sne|phate).*", re.IGNORECASE)


class Members(Protocol):
    """Groups and arrays of a file, by path."""

    def children(self, path: str) -> list[str]:
        """Return the names of the members of a group; an empty list for other objects."""


@dataclass(frozen=True)
class ArrayCoordinates:
    """Coordinates in the arrays of a group; see `dpss.formats.base.CellCoordinates`.

    An array is opened when it is read, so that a fault of one concerns no other.
    """

    file: VectorFile
    members: Members
    path: str
    """Path of the group."""

    def names(self) -> list[str]:
        """Return the names of the members of the group, coordinates or not.

        Raises:
            OtherFileError: The group is in another file.
            CorruptMatrixError: The file is damaged there.
        """
        return self.members.children(self.path)

    def n_axes(self, name: str) -> int:
        """Return the number of axes.

        Raises:
            ColumnError: The values are not the same number for each cell.
            OtherFileError: The coordinates are in another file.
            CorruptMatrixError: The file is damaged there.
        """
        where = f"{self.path}/{name}"
        if self.members.children(where):
            raise ColumnError(f"{name} is a group, not an array")
        return count_axes(self.file.array(where).shape)

    def points(self, name: str) -> Iterator[NDArray[np.float64]]:
        """Yield the first two coordinates of the cells in parts of shape ``(n, 2)``.

        Raises:
            ColumnError: The values are not the same number for each cell.
            OtherFileError: The coordinates are in another file.
            CorruptMatrixError: The file is damaged there.
        """
        n_axes = self.n_axes(name)
        array = self.file.array(f"{self.path}/{name}")
        cursor = Cursor(array)
        for part in _parts(len(array), n_axes):
            yield first_two([cursor.read(part.start, part.stop)])


@dataclass(frozen=True)
class AttributeCoordinates(ArrayCoordinates):
    """Coordinates among loom's attributes of cells: two vectors, or one array."""

    def names(self) -> list[str]:
        """Return the names of pairs of vectors, of arrays, and of maps."""
        names = sorted(super().names())
        pairs = find_pairs(names)
        paired = {name for pair in pairs.values() for name in pair}
        return [
            *pairs,
            *(n for n in names if n not in paired and (_MAP.fullmatch(n) or self._has_axes(n))),
        ]

    def n_axes(self, name: str) -> int:
        """Return the number of axes, two of a pair."""
        return 2 if self._vectors(name) else super().n_axes(name)

    def points(self, name: str) -> Iterator[NDArray[np.float64]]:
        """Yield the points of a pair, or the first two coordinates of an array."""
        vectors = self._vectors(name)
        if not vectors:
            yield from super().points(name)
            return
        cursors = [Cursor(vector) for vector in vectors]
        for part in _parts(len(vectors[0]), 2):
            yield first_two([cursor.read(part.start, part.stop) for cursor in cursors])

    def _vectors(self, name: str) -> list[Vector]:
        """Return the two vectors of a pair; an empty list for other objects."""
        pair = find_pairs(self.members.children(self.path)).get(name)
        found = [self.file.array(f"{self.path}/{axis}") for axis in pair or ()]
        shapes = {tuple(vector.shape) for vector in found}
        if found and (len(shapes) > 1 or len(found[0].shape) != 1):
            listed = " and ".join(str(tuple(vector.shape)) for vector in found)
            raise ColumnError(f"its axes have the shapes {listed}")
        return found

    def _has_axes(self, name: str) -> bool:
        try:
            return super().n_axes(name) > 1
        except MatrixError:
            return False


@dataclass(frozen=True)
class AxisMajorCoordinates(ArrayCoordinates):
    """Coordinates with a row per axis, as HDF5 gives R's matrices, in groups."""

    array: str
    """Name of the array in each group."""

    def n_axes(self, name: str) -> int:
        """Return the number of axes: the array's rows."""
        return count_axes(self._vector(name).shape[::-1])

    def points(self, name: str) -> Iterator[NDArray[np.float64]]:
        """Yield the first two coordinates of all cells, shape ``(n_cells, 2)``."""
        self.n_axes(name)
        yield first_two([Cursor(self._vector(name)).read(0, 2).T])

    def _vector(self, name: str) -> Vector:
        return self.file.array(f"{self.path}/{name}/{self.array}")


@dataclass(frozen=True)
class InMemoryCoordinates:
    """Coordinates in memory; see `dpss.formats.base.CellCoordinates`."""

    arrays: Mapping[str, Any]
    """Arrays of shape ``(n_cells, n_axes)``, by name."""

    def names(self) -> list[str]:
        """Return the names of the coordinates."""
        return list(self.arrays)

    def n_axes(self, name: str) -> int:
        """Return the number of axes.

        Raises:
            ColumnError: The values are not the same number for each cell.
        """
        values = self.arrays[name]
        if values.dtype.kind not in "iufb":
            raise ColumnError(f"it holds no numbers ({values.dtype})")
        return count_axes(values.shape)

    def points(self, name: str) -> Iterator[NDArray[np.float64]]:
        """Yield the first two coordinates of the cells in parts of shape ``(n, 2)``.

        Raises:
            ColumnError: The values are not the same number for each cell.
        """
        n_axes, values = self.n_axes(name), self.arrays[name]
        for part in _parts(len(values), n_axes):
            yield first_two([np.asarray(values[part.start : part.stop])])


def count_axes(shape: Sequence[int]) -> int:
    """Return the number of axes of coordinates in an array of this shape.

    Raises:
        ColumnError: The shape is not ``(n_cells, n_axes)`` with 2 to `MAX_AXES` axes.
    """
    if len(shape) != 2 or not 2 <= shape[1] <= MAX_AXES:
        raise ColumnError(f"it has the shape {tuple(int(n) for n in shape)}")
    return int(shape[1])


def _parts(n_cells: int, n_axes: int) -> Iterator[range]:
    """Yield ranges of consecutive cells with about `PART_NUMBERS` numbers each."""
    size = max(PART_NUMBERS // n_axes, 1)
    for start in range(0, n_cells, size):
        yield range(start, min(start + size, n_cells))


def first_two(parts: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Return points, shape ``(n, 2)``, of an array, or of a vector per axis."""
    if len(parts) == 1:
        return parts[0][:, :2].astype(np.float64)
    return np.column_stack([part.astype(np.float64) for part in parts])


def find_pairs(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the pairs of columns that are axes of coordinates, by a name for both.

    >>> find_pairs(["_X", "_Y", "UMAP_1", "UMAP_2", "Age", "tSNE1"])
    {'_X, _Y': ('_X', '_Y'), 'UMAP_1, UMAP_2': ('UMAP_1', 'UMAP_2')}
    """
    found = {}
    for name in names:
        match = _FIRST.fullmatch(name)
        if match is None:
            continue
        second = name[: match.start(3)] + _SECOND[match[3]]
        is_axis = match[3] in "xX" or re.search("umap|tsne|phate", match[1], re.IGNORECASE)
        if second in names and is_axis:
            found[f"{name}, {second}"] = (name, second)
    return found
