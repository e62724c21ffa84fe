"""Zarr groups with the interface `dpss.formats.annotation.data_frame.Elements`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import UnknownFormatError
from dpss.formats.annotation.gene_table import MAX_FEATURES
from dpss.formats.annotation.strings import as_strings
from dpss.formats.zarr.array import ZarrArray
from dpss.formats.zarr.group import ZarrTree


@dataclass(frozen=True)
class ZarrElements:
    """A zarr hierarchy; see `dpss.formats.annotation.data_frame.Elements`."""

    tree: ZarrTree

    @property
    def url(self) -> str:
        """Path or address of the hierarchy."""
        return self.tree.url

    def children(self, path: str) -> list[str]:
        """Return the names of the members of a group; an empty list for other objects."""
        return self.tree.children(path) if path in self.tree else []

    def attributes(self, path: str) -> Mapping[str, Any]:
        """Return the attributes of a group or array."""
        return self.tree.attributes(path) if path in self.tree else {}

    def kind(self, path: str) -> str:
        """Return the kind of a vector's dtype, ``O`` for text; empty for other objects."""
        array = self._open(path)
        return "" if array is None or len(array.shape) != 1 else str(array.dtype.kind)

    def length(self, path: str) -> int:
        """Return the length of a vector."""
        return len(self.tree.array(path))

    def vector(self, path: str) -> NDArray[Any]:
        """Return a whole vector; text as ``str`` in an object array.

        Raises:
            CorruptMatrixError: The bytes are damaged.
            LimitError: The vector is longer than a table of genes can be.
        """
        values = self.tree.array(path).read_all(MAX_FEATURES)
        return as_strings(values) if values.dtype.kind in "SUO" else values

    def part(self, path: str, start: int, stop: int) -> NDArray[Any]:
        """Return a part of a vector.

        Raises:
            CorruptMatrixError: The bytes are damaged.
        """
        return self.tree.array(path).read(start, stop)

    def text(self, path: str) -> str | None:
        """Return a single text, ``None`` where there is none at the path.

        Raises:
            CorruptMatrixError: The bytes are damaged.
        """
        array = self._open(path)
        if array is None or array.dtype.kind not in "SUO" or prod(array.shape) != 1:
            return None
        # The single item of an object array of no axis is the text itself.
        return str(as_strings(np.asarray(array.read_all(1), dtype=object).ravel())[0])

    def old_categories(self, path: str) -> NDArray[Any] | None:
        """Return the categories that an array names, as AnnData wrote up to 0.7."""
        stated = self.attributes(path).get("categories")
        where = f"{path.rpartition('/')[0]}/{stated}"
        return self.vector(where) if isinstance(stated, str) and self.kind(where) else None

    def _open(self, path: str) -> ZarrArray | None:
        """Return an array; ``None`` for other objects and unsupported arrays."""
        try:
            return self.tree.array(path) if self.tree.is_array(path) else None
        except UnknownFormatError:
            return None
