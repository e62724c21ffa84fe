"""Vectors of strings as numpy's arrays of objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def object_array(items: Sequence[Any]) -> NDArray[np.object_]:
    """Return objects as a vector, shape ``(n,)``.

    >>> object_array(["ACTB", None])
    array(['ACTB', None], dtype=object)
    """
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


def as_string(value: Any) -> str:
    """Return a value as ``str``; bytes are decoded as UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def as_strings(values: NDArray[Any]) -> NDArray[np.object_]:
    """Return values as ``str``, shape ``(n,)``; bytes are decoded as UTF-8.

    >>> as_strings(np.array([b"ACTB", 7], dtype=object))
    array(['ACTB', '7'], dtype=object)
    """
    return object_array(
        [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values]
    )
