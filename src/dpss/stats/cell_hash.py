"""A hash of cells by their index, for random samples in any order of cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def hash_cells(cells: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a hash of each cell's index, shape as given: the finaliser of SplitMix64.

    Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014, doi:10.1145/2660193.2660195. The function is one-to-one.

    >>> hash_cells(np.array([0, 1])).tolist()
    [16294208416658607535, 10451216379200822465]
    """
    state = (cells.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(state ^ (state >> np.uint64(31)))
