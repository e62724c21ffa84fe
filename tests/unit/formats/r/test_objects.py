"""Vectors of strings are parsed as rdata does, and each string counts as an object."""

from __future__ import annotations

import struct

import pytest
import rdata.parser
from hypothesis import given
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, LimitError, plural
from dpss.formats.r.objects import parse_objects

_HEADER = b"X\n" + struct.pack(">3i", 2, 0x00040300, 0x00020300)
_STRINGS, _LIST, _INTEGERS, _NIL, _PAIRS, _SYMBOL = 16, 19, 13, 254, 2, 1
_CHAR, _ATTRIBUTES, _TAG = 9, 1 << 9, 1 << 10
_ENCODINGS = {"ascii": 1 << 18, "utf-8": 1 << 15, "latin-1": 1 << 14}


def _string(text: str | None, encoding: str = "ascii") -> bytes:
    if text is None:
        return struct.pack(">ii", _CHAR, -1)
    data = text.encode(encoding, "replace")
    return struct.pack(">ii", _CHAR | _ENCODINGS[encoding], len(data)) + data


def _vector(kind: int, elements: list[bytes]) -> bytes:
    return struct.pack(">ii", kind, len(elements)) + b"".join(elements)


def _strange_string(text: str) -> bytes:
    """A string with an attribute, which R does not write today."""
    data = text.encode()
    symbol = struct.pack(">i", _SYMBOL) + _string("a")
    pairs = struct.pack(">i", _PAIRS | _TAG) + symbol + _string("b") + struct.pack(">i", _NIL)
    return struct.pack(">ii", _CHAR | _ATTRIBUTES, len(data)) + data + pairs


_TEXTS = st.one_of(
    st.none().map(_string),
    st.builds(_string, st.text(max_size=6), st.sampled_from(sorted(_ENCODINGS))),
    st.text(max_size=3).map(_strange_string),
)
_VECTORS = st.one_of(
    st.lists(_TEXTS, max_size=5).map(lambda each: _vector(_STRINGS, each)),
    st.lists(st.integers(-9, 9), max_size=3).map(
        lambda each: _vector(_INTEGERS, [struct.pack(">i", n) for n in each])
    ),
    st.just(struct.pack(">i", _NIL)),
)


@given(st.lists(_VECTORS, max_size=4))
def test_objects_are_those_of_rdata(vectors: list[bytes]) -> None:
    """Strings of any encoding, missing ones, those with attributes; in vectors and lists."""
    data = _HEADER + _vector(_LIST, vectors)
    plain = rdata.parser.parse_data(data, extension=".rds").object
    assert parse_objects(data, "a.rds", 1000) == plain


@pytest.mark.parametrize("n", [1, 3, 50])
def test_each_string_counts(n: int) -> None:
    data = _HEADER + _vector(_STRINGS, [_string("ACTB")] * n)
    assert len(parse_objects(data, "a.rds", n + 1).value) == n
    with pytest.raises(LimitError, match=f"more than {plural(n, 'object')}"):
        parse_objects(data, "a.rds", n)


@given(st.lists(_TEXTS, min_size=1, max_size=5), st.data())
def test_a_vector_that_is_cut_off_is_damaged(texts: list[bytes], data: st.DataObject) -> None:
    """Within a string's flags or length, or at its end."""
    whole = _HEADER + _vector(_STRINGS, texts)
    n_before = len(whole) - len(texts[-1])
    cut = data.draw(st.integers(n_before, n_before + 7))
    with pytest.raises(CorruptMatrixError, match="can't be parsed"):
        parse_objects(whole[:cut], "a.rds", 1000)
