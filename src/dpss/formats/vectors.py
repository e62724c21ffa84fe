"""What the reader of sparse matrices wants of a file: long vectors, read in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


class Vector(Protocol):
    """An array in chunks, read by ranges of its first axis. Safe in several threads."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""

    def __len__(self) -> int:
        """Return the length of the first axis."""

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return the elements ``start..stop`` of the first axis."""

    def layout(self) -> Any:
        """Return what has a ``chunk_shape``; ``None`` where only `read_by_library` works."""

    def read_by_library(self, start: int, stop: int) -> NDArray[Any]:
        """Return the elements ``start..stop``, whatever the chunks."""

    def read_slabs(self, layout: Any, first: int, stop: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the rows of chunks ``first..stop`` with their numbers, decoded."""


@runtime_checkable
class ForeseeingVector(Protocol):
    """A vector that can have bytes sent for before they're read."""

    def expect(self, start: int, stop: int) -> None:
        """Say that the elements ``start..stop`` will be read."""


class Addressed(Protocol):
    """Whatever has an address."""

    @property
    def url(self) -> str:
        """Path or address, fit to be shown."""


class VectorFile(Protocol):
    """A file that holds vectors. It can be pickled."""

    @property
    def blob(self) -> Addressed:
        """Where it is."""

    def array(self, path: str) -> Vector:
        """Return a vector by its path."""
