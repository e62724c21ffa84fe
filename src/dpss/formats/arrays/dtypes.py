"""Conversion of a file's numbers to the dtypes of blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_values(data: NDArray[Any]) -> NDArray[Any]:
    """Return values in one of the kernels' types: float or int of 32 or 64 bits.

    Unsigned values beyond ``int64`` become the nearest ``float64``.
    """
    if not data.dtype.isnative:
        data = data.astype(data.dtype.newbyteorder("="))
    kind, size = data.dtype.kind, data.dtype.itemsize
    if kind == "f":
        return data if size in (4, 8) else data.astype(np.float32 if size < 4 else np.float64)
    if kind == "i" and size in (4, 8):
        return data
    if size < 8:
        return data.astype(np.int32 if size < 4 else np.int64)
    beyond = kind == "u" and data.size and int(data.max()) > np.iinfo(np.int64).max
    return data.astype(np.float64 if beyond else np.int64)


def as_indices(indices: NDArray[Any]) -> NDArray[Any]:
    """Return indices in one of the kernels' types: signed, 32 or 64 bits."""
    known = indices.dtype.kind == "i" and indices.dtype.itemsize in (4, 8)
    if known and indices.dtype.isnative:
        return indices
    return indices.astype(np.int64 if indices.dtype.itemsize > 2 else np.int32)
