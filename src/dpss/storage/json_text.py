"""Values of JSON texts that may have been changed or damaged."""

from __future__ import annotations

import json
from typing import Any

_LARGEST = 1e300
"""Largest number, so that sums and percentages of numbers are finite, too."""
_MOST_DIGITS = 300
"""Most characters of a whole number."""


def parse_json(data: bytes | str) -> Any:
    """Return the value of a JSON text.

    >>> parse_json('{"n": [1, 2.5]}')
    {'n': [1, 2.5]}

    Raises:
        ValueError: The text is not JSON, is nested too deeply, or holds a number that is not
            finite or beyond 1e300.
    """
    try:
        return json.loads(
            data, parse_constant=_refuse_constant, parse_float=_parse_float, parse_int=_parse_int
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _parse_float(text: str) -> float:
    found = float(text)
    if not abs(found) <= _LARGEST:
        raise ValueError(f"the number {text[:20]} is too large")
    return found


def _parse_int(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"the number {text[:20]}… is too large")
    return int(text)
