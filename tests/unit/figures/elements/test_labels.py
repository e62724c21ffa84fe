"""Labels in a crowd: the law of their places, checked by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dpss.figures.elements.labels import (
    MARKED_RADIUS,
    RADIUS,
    Place,
    most_hidden,
    place_labels,
)

AREA = (300.0, 220.0)


def touched(box: tuple[float, float, float, float], points: np.ndarray, radius: float) -> int:
    """Return how many discs of a radius a rectangle touches."""
    left, low, right, high = box
    gaps = np.maximum(0, np.maximum([left, low] - points, points - [right, high]))
    return int(np.count_nonzero((gaps**2).sum(axis=1) < radius**2))


def check_law(
    places: list[Place | None],
    points: np.ndarray,
    sizes: list[tuple[float, float]],
    marked: np.ndarray,
    others: np.ndarray,
) -> None:
    """Each label is inside, off labels, lines and marked points, and hides few others."""
    boxes = [
        None if each is None else (each.x, each.y, each.x + wide, each.y + high)
        for each, (wide, high) in zip(places, sizes, strict=True)
    ]
    found = [each for each in boxes if each is not None]
    for n, (left, low, right, high) in enumerate(found):
        assert left >= 0
        assert low >= 0
        assert right <= AREA[0]
        assert high <= AREA[1]
        assert touched(found[n], marked, MARKED_RADIUS) == 0
        assert touched(found[n], others, RADIUS) <= most_hidden(len(others))
        for a, b, c, d in found[:n]:
            assert min(right, c) <= max(left, a) or min(high, d) <= max(low, b)
    for place, (x, y), size in zip(places, points, sizes, strict=True):
        if place is None or not place.far:
            continue
        end = place.nearest(x, y, size)
        along = np.linspace((x, y), end, 200)
        for box, other in zip(boxes, places, strict=True):
            if box is not None and other is not place:
                assert touched(box, along, 1e-9) == 0


def crowd(seed: int, n: int, n_marked: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return marked and other points around a few middles, all inside the area."""
    rng = np.random.default_rng(seed)
    middles = rng.uniform((20, 20), (280, 200), (3, 2))
    points = middles[rng.integers(0, 3, n + n_marked)] + rng.normal(0, spread, (n + n_marked, 2))
    points = np.clip(points, 0, AREA)
    return points[:n_marked], points[n_marked:]


@given(
    st.integers(0, 10**6),
    st.integers(0, 4000),
    st.integers(1, 25),
    st.sampled_from([1.0, 8.0, 30.0, 200.0]),
    st.integers(10, 130),
)
@example(21, 18, 25, 1.0, 22)
def test_no_label_lies_on_another_or_on_a_marked_point(
    seed: int, n: int, n_marked: int, spread: float, wide: int
) -> None:
    """Whatever the crowd, each label keeps the law or is left out; twice the same."""
    marked, others = crowd(seed, n, n_marked, spread)
    points = marked[: max(1, n_marked // 2)]
    sizes = [(10.0 + (wide * (i + 1)) % 50, 9.9) for i in range(len(points))]
    places = place_labels(points, sizes, AREA, marked, others)
    check_law(places, points, sizes, marked, others)
    assert places == place_labels(points, sizes, AREA, marked, others)


def test_points_on_top_of_each_other_get_labels_apart() -> None:
    """Half of twelve labels of one place have room at least around it."""
    points = np.array([[150.0, 100.0]] * 12)
    sizes = [(40.0, 9.0)] * 12
    places = place_labels(points, sizes, AREA, points, np.empty((0, 2)))
    assert sum(place is not None for place in places) >= 6
    check_law(places, points, sizes, points, np.empty((0, 2)))


@pytest.mark.parametrize("n", [1, 2000])
def test_a_label_stands_beside_its_point_where_there_is_room(n: int) -> None:
    """Right of it, without a line; a crowd elsewhere changes nothing."""
    others = np.full((n, 2), 30.0)
    points = np.array([[150.0, 100.0]])
    (place,) = place_labels(points, [(30.0, 10.0)], AREA, points, others)
    assert place == Place(155.0, 95.0, far=False)


def test_a_label_without_a_free_place_is_left_out() -> None:
    """In an area full of points no name is written; the others stay."""
    full = np.stack(np.meshgrid(np.arange(0, 300, 3.0), np.arange(0, 220, 3.0)), -1).reshape(-1, 2)
    points = np.array([[150.0, 100.0]])
    assert place_labels(points, [(30.0, 10.0)], AREA, points, full) == [None]
