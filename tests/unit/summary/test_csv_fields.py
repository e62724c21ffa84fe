"""Fields of ``genes.csv`` are Python's."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.summary.csv_fields import csv_fields

_EDGES = [1e-4, 0.00011, 9999999999999998.0, 1e16, 5e-324, 1.7976931348623157e308]
_FLOATS = st.floats() | st.sampled_from(
    [0.0, -0.0, math.nan, 1e-12, 0.1 + 0.2, math.inf, *_EDGES, *(-edge for edge in _EDGES)]
    + [math.nextafter(edge, 0) for edge in _EDGES]
)


@given(st.lists(_FLOATS, max_size=40))
def test_floats_are_written_as_python_writes_them(values: list[float]) -> None:
    """Whether they have an exponent or not; -0.0 keeps its sign, what is undefined is empty."""
    found = list(csv_fields(np.array(values, dtype=np.float64), "means"))
    assert found == ["" if math.isnan(value) else repr(value) for value in values]


@pytest.mark.slow
def test_a_million_floats_are_written_as_python_writes_them() -> None:
    """Of all bit patterns, and of numbers as tables have them."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 1 << 64, 300_000, dtype=np.uint64).view(np.float64)
    for values in (
        bits[~np.isnan(bits)],
        10.0 ** rng.uniform(-7, 18, 300_000),
        rng.random(400_000),
    ):
        assert list(csv_fields(values, "means")) == list(map(repr, values.tolist()))


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=40))
def test_whole_numbers_are_written_with_all_digits(values: list[int]) -> None:
    """A rank of 0 is none."""
    column = np.array(values, dtype=np.int64)
    assert list(csv_fields(column, "n_cells")) == [str(value) for value in values]
    assert list(csv_fields(column, "rank_x")) == [str(value) if value else "" for value in values]


@given(st.lists(st.text('a",\r\n;é', min_size=1, max_size=5), min_size=1, max_size=6))
def test_names_come_back(names: list[str]) -> None:
    """Those with commas, quotes and ends of lines are quoted, and no others."""
    fields = list(csv_fields(np.array(names, dtype=object), "gene_name"))
    assert next(csv.reader(io.StringIO(",".join(fields), newline=""))) == names
    assert [field for field, name in zip(fields, names, strict=True) if field != name] == [
        field for field in fields if field.startswith('"')
    ]
