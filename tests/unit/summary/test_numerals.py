"""Numbers as text have at most three digits, or all of a whole number; never a power of ten."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.summary.numerals import number


@pytest.mark.parametrize(
    ("value", "text"),
    [(999.4, "999"), (999.5, "1,000"), (999.96, "1,000"), (-999.7, "-1,000"), (99.96, "100")],
)
def test_a_number_below_a_thousand_is_rounded_to_it(value: float, text: str) -> None:
    """Three digits of it would be written with an exponent."""
    assert number(value) == text


@given(st.floats(1e-4, 1e12))
def test_no_number_has_an_exponent(value: float) -> None:
    """But for those below 0.0001; the text is the number to within half a unit of three digits."""
    text = number(value)
    assert "e" not in text
    shown = float(text.replace(",", ""))
    assert math.isclose(shown, value, rel_tol=0.0051)
