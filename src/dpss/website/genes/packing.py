"""Numbers as base64 that scripts read fast: words of 24 bits.

A float keeps its sign, its exponent and 16 significant bits (relative error below 2**-16,
whole numbers exact up to 65,536): more than a page shows, in half the bytes of decimals.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_CHARACTERS = 4
"""Characters of a word."""
MAX_WORD = (1 << 24) - 1
"""The largest whole number that fits into a word."""

_NAN = np.uint32(0x7FC00000)


def float_words(values: NDArray[Any]) -> NDArray[np.uint32]:
    """Return floats as words, shape as given; undefined values are NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    bits = np.where(np.isnan(values), _NAN, bits)
    rounded: NDArray[np.uint32] = (bits + np.uint32(0x80)) >> np.uint32(8)
    return rounded


def whole_words(values: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return whole numbers, at most `MAX_WORD`, as words, shape as given."""
    return np.clip(values, 0, MAX_WORD).astype(np.uint32)


def word_text(words: NDArray[np.uint32]) -> str:
    """Return words, row by row, as base64.

    >>> word_text(np.array([0, 1, 2**24 - 1], dtype=np.uint32))
    'AAAAAAAB////'
    """
    big = np.ascontiguousarray(words, dtype=">u4").view(np.uint8).reshape(-1, 4)
    return base64.b64encode(big[:, 1:].tobytes()).decode()
