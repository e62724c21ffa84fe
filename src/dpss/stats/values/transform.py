"""Transforms of stored values before they are counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.stats.values.logarithms import undo_logarithm

NOISE_32 = 1e-6
"""Largest relative distance from a whole number that is rounding noise in 32 bits."""
NOISE_64 = 1e-9
"""Largest relative distance from a whole number that is rounding noise in 64 bits."""
MOST_NOISE = 0.25
"""Beyond this distance from a whole number no value is a whole number with noise."""


@dataclass(frozen=True)
class Transform:
    """The steps from stored values to counts; none of them by default."""

    base: float | None = None
    """Base of the logarithms that are undone; ``None`` if values are no logarithms."""
    rounded: bool = False
    """Whether whole numbers with rounding noise become whole."""

    def apply(self, data: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return values as counts, shape ``(n_values,)``; as given without a transform."""
        if self.base is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                return undo_logarithm(data, self.base)
        if self.rounded and data.dtype.kind == "f":
            return np.where(is_noisy(data), np.rint(data), data)
        return data


AS_STORED = Transform()
"""Values are counted as they are stored."""


def is_noisy(data: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return which values are whole numbers with rounding noise, but not whole.

    Args:
        data: Values, shape ``(n_values,)``; their dtype sets the size of noise.
    """
    if data.dtype.kind != "f":
        return np.zeros(len(data), dtype=bool)
    values = data.astype(np.float64)
    nearest = np.rint(values)
    noise = NOISE_64 if data.dtype.itemsize == np.float64().itemsize else NOISE_32
    with np.errstate(invalid="ignore"):
        distance = np.abs(values - nearest)
        limit = np.minimum(noise * nearest, MOST_NOISE)
        return np.asarray((distance > 0) & (distance <= limit))
