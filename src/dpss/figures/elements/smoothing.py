"""A smooth outline of a distribution: a kernel density estimate on a grid.

Gaussian kernel, bandwidth by B. W. Silverman's rule of thumb ("Density Estimation for
Statistics and Data Analysis", 1986, formula 3.31). The values are binned linearly
first, so that a million cells cost as much as a thousand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_POINTS = 256


def smooth(
    values: NDArray[np.float64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a grid and the density at its points; the highest density is 1.

    Args:
        values: Distinct values, ascending, shape ``(n,)``, at least one.
        counts: How often each occurs, shape ``(n,)``.

    Returns:
        Two arrays of shape ``(N_POINTS,)`` from the lowest to the highest value; with a
        single value, both are of shape ``(1,)``.
    """
    low, high = float(values[0]), float(values[-1])
    if high - low <= 1e-9 * max(abs(high), 1.0):
        return np.array([low]), np.array([1.0])
    grid = np.linspace(low, high, N_POINTS)
    step = (high - low) / (N_POINTS - 1)
    at = (values - low) / step
    left = np.minimum(at.astype(np.int64), N_POINTS - 2)
    share = at - left
    weights = np.bincount(left, counts * (1 - share), N_POINTS)
    weights += np.bincount(left + 1, counts * share, N_POINTS)
    bandwidth = max(_bandwidth(values, counts), 1.5 * step)
    offsets = np.arange(-N_POINTS + 1, N_POINTS) * step
    kernel = np.exp(-0.5 * (offsets / bandwidth) ** 2)
    density = np.convolve(weights, kernel)
    density = density[N_POINTS - 1 : 2 * N_POINTS - 1]
    return grid, density / density.max()


def _bandwidth(values: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    n = counts.sum()
    mean = np.average(values, weights=counts)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=counts))
    ends = np.cumsum(counts)
    q1, q3 = values[np.searchsorted(ends, [0.25 * n, 0.75 * n])]
    spread = min(deviation, (q3 - q1) / 1.34) if q3 > q1 else deviation
    return float(0.9 * spread * n**-0.2)
