"""The interface of executors, which distribute a fold over threads or machines.

A `Fold` defines the work on a partition, an `Executor` distributes it. Accumulators give the same
bits for any grouping of partitions, so that an executor may distribute them freely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

A = TypeVar("A", bound="Mergeable")

Advance = Callable[[int], None]
"""Called with the number of values that were just read; from any thread."""


class Mergeable(Protocol):
    """An accumulator: the result of a fold, which can be merged with another."""

    def merge(self: A, other: A) -> None:
        """Add the content of another accumulator."""


class Fold(Protocol, Generic[A]):
    """The work on each partition. A fold can be pickled."""

    def start(self) -> A:
        """Return an empty accumulator."""

    def add(self, accumulator: A, partition: range, advance: Advance) -> None:
        """Read a partition and add it to an accumulator."""


class Executor(Protocol):
    """Distributes the partitions of a fold and merges the accumulators."""

    is_local: bool
    """Whether partitions are processed in this process, which has the scratch space."""

    def fold(self, fold: Fold[A], partitions: Sequence[range], advance: Advance) -> A:
        """Process all partitions and return one merged accumulator.

        The first error ends the fold and is raised.
        """
