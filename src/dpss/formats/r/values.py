"""Attributes, names and plain values of R's objects as rdata parses them, without evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_VECTORS = ("INT", "REAL", "LGL")
_OTHERS = frozenset(("factor", "Date", "POSIXct", "POSIXt", "difftime"))
"""Classes of vectors whose numbers count nothing."""
_BIT64 = "integer64"


def kind_of(thing: Any) -> str:
    """Return R's type of an object: ``S4``, ``VEC`` (a list), ``REAL``, ``STR``, ..."""
    return str(thing.info.type.name)


def pairs_of(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of a pair list, such as attributes."""
    while thing is not None and kind_of(thing) == "LIST":
        head, tail = thing.value
        yield _symbol(thing.tag), head
        thing = tail


def _symbol(tag: Any) -> str:
    if tag is not None and kind_of(tag) == "REF":
        tag = tag.referenced_object
    if tag is None or kind_of(tag) != "SYM":
        return ""
    return _string(tag.value)


def _string(thing: Any) -> str:
    value = thing.value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def attributes_of(thing: Any) -> dict[str, Any]:
    """Return an object's attributes; those of S4 are its slots."""
    return dict(pairs_of(thing.attributes))


def class_of(thing: Any) -> str:
    """Return an object's class; empty if it has none."""
    names = strings_of(attributes_of(thing).get("class"))
    return names[0] if names else ""


def classes_of(thing: Any) -> list[str]:
    """Return all classes of an object, its own first."""
    return strings_of(attributes_of(thing).get("class"))


def strings_of(thing: Any) -> list[str]:
    """Return a vector of strings, an empty list for anything else."""
    if thing is None or kind_of(thing) != "STR":
        return []
    return [_string(each) for each in thing.value]


def numbers_of(thing: Any) -> NDArray[Any] | None:
    """Return a vector of numbers; ``NA`` among whole numbers turns them into floats.

    The codes of a factor and the numbers of dates and times are none: ``None``, as for anything
    else. Whole numbers of the package bit64 are the bits of fractions.
    """
    values = _stored_numbers(thing)
    if values is None or thing.attributes is None:
        return values
    classes = classes_of(thing)
    if _OTHERS.intersection(classes):
        return None
    if _BIT64 not in classes or kind_of(thing) != "REAL":
        return values
    whole = np.asarray(values, dtype=np.float64).view(np.int64)
    missing = whole == np.iinfo(np.int64).min
    return np.where(missing, np.nan, whole) if missing.any() else whole


def _stored_numbers(thing: Any) -> NDArray[Any] | None:
    """Return the numbers of a vector as they are stored, whatever they stand for."""
    if thing is None or kind_of(thing) not in _VECTORS:
        return None
    if isinstance(thing.value, np.ma.MaskedArray):
        values = np.ma.getdata(thing.value).astype(np.float64)
        values[np.ma.getmaskarray(thing.value)] = np.nan
        return values
    return np.asarray(thing.value)


def labels_of(thing: Any) -> NDArray[np.object_]:
    """Return a factor or vector as text, ``None`` for ``NA``; empty for anything else."""
    numbers = _stored_numbers(thing)
    levels = strings_of(attributes_of(thing).get("levels")) if numbers is not None else []
    if numbers is not None and not levels and (decoded := numbers_of(thing)) is not None:
        numbers = decoded
    found: list[str | None]
    if numbers is None:
        found = [each or None for each in strings_of(thing)]
    elif levels:
        found = [levels[int(n) - 1] if 1 <= n <= len(levels) else None for n in numbers.tolist()]
    elif kind_of(thing) == "LGL":
        found = [{0: "FALSE", 1: "TRUE"}.get(n) for n in numbers.tolist()]
    else:
        found = [f"{n:.12g}" if n == n else None for n in numbers.tolist()]  # noqa: PLR0124
    return np.array([*found, None], dtype=object)[:-1]


def items_of(thing: Any) -> list[tuple[str, Any]]:
    """Return the names and values of a list; names are empty where it has none."""
    if thing is None or kind_of(thing) != "VEC":
        return []
    names = strings_of(attributes_of(thing).get("names"))
    names += [""] * (len(thing.value) - len(names))
    return list(zip(names, thing.value, strict=False))
