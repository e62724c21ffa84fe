"""How a fold over partitions is spread: over threads, or over machines.

A `Fold` says what is to be done, an `Executor` where. All accumulators give the same
bits whichever partitions they saw, so that an executor is free to deal them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

A = TypeVar("A", bound="Mergeable")

Advance = Callable[[int], None]
"""Called with the number of values that were just read; from any thread."""


class Mergeable(Protocol):
    """Whatever a fold leaves behind."""

    def merge(self: A, other: A) -> None:
        """Add all that another one holds."""


class Fold(Protocol, Generic[A]):
    """The work on each partition. A fold can be pickled."""

    def start(self) -> A:
        """Make an empty accumulator."""

    def add(self, accumulator: A, partition: range, advance: Advance) -> None:
        """Read a partition into an accumulator."""


class Executor(Protocol):
    """Deals the partitions of a fold out and merges what comes back."""

    def fold(self, job: Fold[A], partitions: Sequence[range], advance: Advance) -> A:
        """Do all partitions and return one merged accumulator.

        The first error ends the fold and is raised.
        """
