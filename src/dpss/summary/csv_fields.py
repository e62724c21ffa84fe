"""Columns of a table as the fields of CSV."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from dpss.stats.ranks import UNRANKED

_UNRANKED = str(UNRANKED)
_QUOTE = '"'
_PLAIN_FROM, _PLAIN_TO = 1e-4, 1e16
"""Absolute values that Python writes without an exponent, from the first on, below the second."""
_SPECIAL = re.compile('[,"\r\n]')
"""Characters that require quotes around a field (RFC 4180)."""


def csv_fields(column: NDArray[Any], name: str) -> Iterable[str]:
    """Return a column as CSV fields: numbers as Python's, names quoted at need."""
    if name.startswith("rank_"):
        return ["" if text == _UNRANKED else text for text in _texts_of_numbers(column)]
    if column.dtype.kind == "f":
        return _texts_of_floats(column)
    if column.dtype.kind in "iu":
        return _texts_of_numbers(column)
    if column.dtype.kind == "b":
        return map(str, column.tolist())
    texts = [str(value) for value in column.tolist()]
    if not _SPECIAL.search("".join(texts)):
        return texts
    return [quoted(value) for value in texts]


def quoted(text: str) -> str:
    """Return a text as a CSV field, with quotes where it needs them (RFC 4180)."""
    return f'"{text.replace(_QUOTE, 2 * _QUOTE)}"' if _SPECIAL.search(text) else text


def _texts_of_floats(column: NDArray[np.floating[Any]]) -> list[str]:
    """Return floats as Python writes them; the undefined is empty."""
    values = np.ascontiguousarray(column, dtype=np.float64)
    texts = _texts_of_numbers(values)
    size = np.abs(values)
    others = np.flatnonzero(~(((size >= _PLAIN_FROM) & (size < _PLAIN_TO)) | (size == 0)))
    for i, value in zip(others.tolist(), values[others].tolist(), strict=True):
        texts[i] = "" if math.isnan(value) else repr(value)
    return texts


def _texts_of_numbers(column: NDArray[Any]) -> list[str]:
    """Return numbers as text: floats with the shortest digits, ten times as fast.

    Python writes numbers with an exponent, infinite and undefined ones in another form.
    """
    if not len(column):
        return []
    listed = orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)
    return listed[1:-1].decode().split(",")
