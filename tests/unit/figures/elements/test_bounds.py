"""Bounds of axes that a few far cells do not set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.figures.elements.axes import make_axis
from dpss.figures.elements.bounds import near_bounds
from dpss.figures.elements.specification import Scale, shortest_span
from dpss.stats.histogram import Distribution

FEW = st.lists(st.integers(1, 10**6), min_size=4, max_size=60)


def of(values: list[float]) -> Distribution:
    """Return a distribution of cells."""
    found, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    return Distribution(found, counts.astype(np.int64))


@pytest.mark.parametrize("scale", list(Scale))
def test_one_far_cell_sets_no_bound(scale: Scale) -> None:
    """Of 101 cells between 100 and 200 and one at a million, the bounds are of the former."""
    cells = of([*range(100, 201), 10**6])
    assert near_bounds(cells, scale) == (100, 200)


def test_so_many_cells_at_most_lie_beyond() -> None:
    """A tenth of the cells, far away, are beyond only where so many may be."""
    cells = of([*range(100, 190), *[10**6] * 10])
    assert near_bounds(cells, Scale.LINEAR)[1] == 189
    assert near_bounds(cells, Scale.LINEAR, 0.05)[1] == 10**6


def test_cells_that_are_mostly_alike_have_no_far_ones() -> None:
    """Where the middle half has no width, the bounds are the ends."""
    assert near_bounds(of([5] * 90 + [1, 70]), Scale.LOG) == (1, 70)


@given(st.lists(st.integers(0, 50), min_size=20, max_size=300), st.floats(0, 0.8))
def test_one_cell_sets_no_axis_of_shares(tenths: list[int], part_of_zeros: float) -> None:
    """Of cells below 5 %, most of them at 0 or not, one at 97 % lies beyond."""
    shares = [n / 10 for n in tenths]
    shares[: int(part_of_zeros * len(shares))] = [0.0] * int(part_of_zeros * len(shares))
    calm = of(shares)
    if calm.quantile(0.05) < calm.quantile(0.95):
        low, high = near_bounds(of([*shares, 97.0]), Scale.ROOT, 0.005)
        assert 0 <= low <= high <= 5


@given(FEW, st.sampled_from([Scale.LINEAR, Scale.ROOT, Scale.LOG]))
def test_bounds_squeeze_no_points(values: list[int], scale: Scale) -> None:
    """80 % of all cells take a tenth of the axis or more, unless half of them are alike."""
    cells = of([float(value) for value in values])
    low, high = near_bounds(cells, scale)
    placed = Distribution(scale.forward(cells.values), cells.counts)
    middle = placed.quantile(0.75) - placed.quantile(0.25)
    assert cells.values[0] <= low <= high <= cells.values[-1]
    if middle > 0 and low < high:
        assert shortest_span(make_axis("", low, high, scale), cells.values, cells.counts) >= 0.1
