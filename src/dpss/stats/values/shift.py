"""Recognition of values to which a constant was added, so that no value is 0."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

_FREQUENT = 0.2
"""Least part of the values, 0 to 1, that equal the smallest where it stands for counts of 0."""
_MIN_VALUES = 100


@dataclass(frozen=True)
class ShiftTraits:
    """Facts about the smallest of the values above 0; joins with ``+``."""

    n_values: int = 0
    """Values above 0 that were looked at."""
    n_places: int | None = None
    """Places of the matrix that were looked at; ``None`` where that is not known."""
    smallest: float = np.inf
    n_smallest: int = 0
    """Values that are equal to the smallest."""

    def __add__(self, other: ShiftTraits) -> ShiftTraits:
        """Join the traits of two parts of the values."""
        smallest = min(self.smallest, other.smallest)
        unknown = self.n_places is None or other.n_places is None
        return ShiftTraits(
            self.n_values + other.n_values,
            None if unknown else (self.n_places or 0) + (other.n_places or 0),
            smallest,
            sum(each.n_smallest for each in (self, other) if each.smallest == smallest),
        )

    def with_zeros(self, n_values: int, n_places: int) -> ShiftTraits:
        """Return the traits of a matrix or part of it whose number of zeros is known.

        Args:
            n_values: Values above 0.
            n_places: Places, those of zeros included.
        """
        has_zeros = n_values < n_places
        return replace(self, n_places=self.n_values + has_zeros)

    @property
    def is_shifted(self) -> bool:
        """Whether no value is 0, and the smallest is frequent."""
        return (
            self.n_values >= _MIN_VALUES
            and self.n_values == self.n_places
            and self.n_smallest >= _FREQUENT * self.n_values
        )


def shift_traits_of(data: NDArray[np.float64]) -> ShiftTraits:
    """Return the traits of values.

    Args:
        data: Finite values, shape ``(n_values,)``.
    """
    found = data[data > 0]
    if not len(found):
        return ShiftTraits()
    smallest = found.min()
    n_smallest = int(np.count_nonzero(found == smallest))
    return ShiftTraits(len(found), None, float(smallest), n_smallest)
