"""How a fold over shares is spread: over threads, or over machines.

A `Fold` says what is to be done, an `Executor` where. All accumulators give the same
bits whichever shares they saw, so that an executor is free to deal them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

A = TypeVar("A", bound="Mergeable")

Advance = Callable[[int], None]
"""Called with the number of values that were just read; from any thread."""


class Mergeable(Protocol):
    """Whatever a fold leaves behind."""

    def merge(self: A, other: A) -> None:
        """Add all that another one holds."""


class Fold(Protocol, Generic[A]):
    """What to do with each share. It can be pickled."""

    def start(self) -> A:
        """Make an empty accumulator."""

    def add(self, accumulator: A, share: range, advance: Advance) -> None:
        """Read a share into an accumulator."""


@runtime_checkable
class Foreseeing(Protocol):
    """A fold that likes to know which shares come next."""

    def expect(self, shares: Sequence[range]) -> None:
        """Say which shares will be read in this process, in this order."""


class Executor(Protocol):
    """Deals the shares of a fold out and merges what comes back."""

    def fold(self, job: Fold[A], shares: Sequence[range], advance: Advance) -> A:
        """Do all shares and return one merged accumulator.

        The first error ends the fold and is raised.
        """
