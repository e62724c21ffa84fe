"""Attributes, names and values of R's objects as rdata parses them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.formats.annotation.strings import object_array

_VECTORS = ("INT", "REAL", "LGL")
_NO_NUMBERS = frozenset(("factor", "Date", "POSIXct", "POSIXt", "difftime"))
"""Classes of vectors whose numbers are codes or times."""
_BIT64 = "integer64"


def type_of(obj: Any) -> str:
    """Return R's type of an object: ``S4``, ``VEC`` (a list), ``REAL``, ``STR``, ..."""
    return str(obj.info.type.name)


def pairs_of(obj: Any) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of a pair list, such as attributes."""
    while obj is not None and type_of(obj) == "LIST":
        head, tail = obj.value
        yield _symbol(obj.tag), head
        obj = tail


def _symbol(tag: Any) -> str:
    if tag is not None and type_of(tag) == "REF":
        tag = tag.referenced_object
    if tag is None or type_of(tag) != "SYM":
        return ""
    return _string(tag.value)


def _string(obj: Any) -> str:
    value = obj.value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def attributes_of(obj: Any) -> dict[str, Any]:
    """Return an object's attributes; those of S4 are its slots."""
    return dict(pairs_of(obj.attributes))


def class_of(obj: Any) -> str:
    """Return an object's class; empty if it has none."""
    return next(iter(classes_of(obj)), "")


def classes_of(obj: Any) -> list[str]:
    """Return all classes of an object, its own first."""
    return strings_of(attributes_of(obj).get("class"))


def strings_of(obj: Any) -> list[str]:
    """Return the elements of a vector of strings; an empty list for other objects."""
    if obj is None or type_of(obj) != "STR":
        return []
    return [_string(each) for each in obj.value]


def numbers_of(obj: Any) -> NDArray[Any] | None:
    """Return a vector of numbers, shape ``(n,)``; ``None`` for other objects.

    Whole numbers with ``NA`` become floats. Factors, dates and times are no numbers. The package
    bit64 stores whole numbers as the bits of floats.
    """
    values = _stored_numbers(obj)
    if values is None or obj.attributes is None:
        return values
    classes = classes_of(obj)
    if _NO_NUMBERS.intersection(classes):
        return None
    if _BIT64 not in classes or type_of(obj) != "REAL":
        return values
    whole = np.asarray(values, dtype=np.float64).view(np.int64)
    missing = whole == np.iinfo(np.int64).min
    return np.where(missing, np.nan, whole) if missing.any() else whole


def _stored_numbers(obj: Any) -> NDArray[Any] | None:
    """Return the stored numbers of a vector, also those of factors, dates and times."""
    if obj is None or type_of(obj) not in _VECTORS:
        return None
    if isinstance(obj.value, np.ma.MaskedArray):
        values = np.ma.getdata(obj.value).astype(np.float64)
        values[np.ma.getmaskarray(obj.value)] = np.nan
        return values
    return np.asarray(obj.value)


def labels_of(obj: Any) -> NDArray[np.object_]:
    """Return a factor or vector as text, ``None`` for ``NA``; empty for other objects."""
    numbers = _stored_numbers(obj)
    levels = strings_of(attributes_of(obj).get("levels")) if numbers is not None else []
    if numbers is not None and not levels and (decoded := numbers_of(obj)) is not None:
        numbers = decoded
    found: list[str | None]
    if numbers is None:
        found = [each or None for each in strings_of(obj)]
    elif levels:
        found = [levels[int(n) - 1] if 1 <= n <= len(levels) else None for n in numbers.tolist()]
    elif type_of(obj) == "LGL":
        found = [{0: "FALSE", 1: "TRUE"}.get(n) for n in numbers.tolist()]
    else:
        found = [f"{n:.12g}" if n == n else None for n in numbers.tolist()]  # noqa: PLR0124
    return object_array(found)


def items_of(obj: Any) -> list[tuple[str, Any]]:
    """Return the names and values of a list; empty names where it has none."""
    if obj is None or type_of(obj) != "VEC":
        return []
    names = strings_of(attributes_of(obj).get("names"))
    names += [""] * (len(obj.value) - len(names))
    return list(zip(names, obj.value, strict=False))


def columns_of(frame: Any) -> list[tuple[str, Any]]:
    """Return the titles and columns of Bioconductor's DataFrame."""
    return [] if frame is None else items_of(attributes_of(frame).get("listData"))
