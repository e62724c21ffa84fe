"""Ticks of axes: what is written is where the tick is."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dpss.figures.elements.axes import make_axis, tick_text
from dpss.figures.elements.specification import Scale


def value_of(text: str) -> float:
    """Return the number that a tick's text names."""
    millions = text.endswith(" M")
    return float(text.removesuffix(" M").replace(",", "")) * (1e6 if millions else 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10.75, "10.75"),
        (10.25, "10.25"),
        (1002.5, "1,002.5"),
        (100.5, "100.5"),
        (12_500_000, "12.5 M"),
        (30_000_000, "30 M"),
        (2000, "2,000"),
        (0.25, "0.25"),
    ],
)
def test_a_tick_says_its_value(value: float, text: str) -> None:
    """Three digits are not enough where an axis shows a small part of large numbers."""
    assert tick_text(value) == text


@given(
    st.floats(-1e9, 1e9),
    st.floats(1e-3, 1e9),
    st.sampled_from(list(Scale)),
    st.booleans(),
)
def test_each_tick_of_an_axis_says_its_value(
    low: float, width: float, scale: Scale, whole: bool
) -> None:
    """Ticks are at least two, within the axis, and named exactly, whatever the axis shows."""
    low = abs(low) if scale in (Scale.LOG, Scale.ROOT) else low
    low = max(low, 1e-3) if scale is Scale.LOG else low
    assume(width > 1e-6 * abs(low))
    axis = make_axis("counts", low, low + width, scale, whole=whole)
    assert len(axis.ticks) >= 2
    for value, text in axis.ticks:
        assert value_of(text) == pytest.approx(value, rel=1e-9, abs=1e-9 * width)
