"""Panels of medians with their spread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.figures.elements.marks import Dots, PaperArea, Segments
from dpss.figures.elements.specification import Scale
from dpss.figures.elements.spreads import spread_panel
from dpss.stats.histogram import Distribution, Tally
from tests.examples import examples

BOX = PaperArea(10.0, 10.0, 120.0, 60.0)


def distribution(values: list[float]) -> Distribution:
    """Count values."""
    tally = Tally()
    tally.add(np.array(values, dtype=float))
    return tally.distribution()


@settings(max_examples=examples(50), deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 10**6), min_size=1, max_size=9), min_size=1, max_size=9),
    st.sampled_from([Scale.LOG, Scale.LINEAR]),
)
def test_every_row_lies_within_its_panel(groups: list[list[int]], scale: Scale) -> None:
    """Each group has a line, a bar and a dot, whatever its values are."""
    found = [distribution([float(v) for v in values]) for values in groups]
    whole = distribution([float(v) for values in groups for v in values])
    panel = spread_panel(BOX, found, whole, scale, ["blue"] * len(found))
    for mark in panel.marks:
        x = mark.x if isinstance(mark, Dots) else np.stack([mark.x0, mark.x1])  # type: ignore[union-attr]
        assert (panel.x.fractions(x) >= -1e-9).all()
        assert (panel.x.fractions(x) <= 1 + 1e-9).all()
    lines = [mark for mark in panel.marks if isinstance(mark, Segments) and not mark.dashed]
    assert len(lines) == 2 * len(found)
    assert len(panel.x.ticks) > 1


@pytest.mark.parametrize("marked", [[], [1], [0, 1, 2]])
def test_marked_rows_are_diamonds(marked: list[int]) -> None:
    """They are told apart without their colour."""
    groups = [distribution([1.0, 2.0, 3.0])] * 3
    panel = spread_panel(BOX, groups, groups[0], Scale.LOG, ["blue"] * 3, marked=marked)
    dots = [mark for mark in panel.marks if isinstance(mark, Dots)]
    assert sorted(row for mark in dots if mark.diamond for row in mark.y) == marked
    assert sum(len(mark.y) for mark in dots) == 3


def test_names_are_the_ticks_of_the_rows() -> None:
    """The first is on top."""
    group = distribution([5.0])
    panel = spread_panel(BOX, [group] * 2, group, Scale.LINEAR, ["blue"] * 2, names=["a", "b"])
    assert panel.y.ticks == ((0.0, "a"), (1.0, "b"))
    assert panel.y.fractions(0.0) > panel.y.fractions(1.0)
