"""Vectors of strings hold ``str`` and are of one axis, whatever the file's type is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.formats.annotation.strings import as_strings, object_array


@pytest.mark.parametrize(("values", "expected"), [
    (np.array(["a", "b"]), ["a", "b"]),
    (np.array([b"\xc3\xa9", b"\xff"]), ["é", "\N{REPLACEMENT CHARACTER}"]),
    (np.array([b"a", "b", 3, None], dtype=object), ["a", "b", "3", "None"]),
    (np.array([1, -2]), ["1", "-2"]),
    (np.array([], dtype="S3"), []),
])  # fmt: skip
def test_values_of_any_type_become_strings(
    values: np.ndarray[Any, Any], expected: list[str]
) -> None:
    found = as_strings(values)
    assert found.tolist() == expected
    assert found.dtype == object


@given(st.lists(st.one_of(st.none(), st.text(), st.integers())))
def test_objects_stay_as_they_are(items: list[object]) -> None:
    found = object_array(items)
    assert found.tolist() == items
    assert (found.shape, found.dtype) == ((len(items),), object)
