"""JSON of any origin is a value, or refused with one kind of error."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.storage.json_text import parse_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e300, 1e300) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_json_is_its_value(value: object) -> None:
    """Text and bytes of a value give it back."""
    text = json.dumps(value)
    assert parse_json(text) == value
    assert parse_json(text.encode()) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"[NaN]",
        b"-Infinity",
        b"1e999",
        b"1" * 400,
    ],
)
def test_other_bytes_are_one_kind_of_error(data: bytes) -> None:
    """Cut, no text, deep, not a number, too long: a `ValueError`, which callers expect."""
    with pytest.raises(ValueError, match=r"."):
        parse_json(data)


@given(st.binary())
def test_any_bytes_are_a_value_or_that_error(data: bytes) -> None:
    """No bytes raise another error."""
    with contextlib.suppress(ValueError):
        parse_json(data)
