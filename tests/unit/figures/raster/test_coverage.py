"""Coverage of pixels by polygons: areas and clipping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from dpss.figures.raster import coverage
from dpss.figures.raster.kernels import fill_polygons
from tests.examples import examples
from tests.unit.figures.raster.pictures import blank, darkness

BLACK = (0, 0, 0)
PLACE = st.floats(2.0, 58.0, allow_subnormal=False)
TRIANGLE = st.tuples(*[st.tuples(PLACE, PLACE)] * 3)
MOVES = st.tuples(st.integers(-40, 40), st.integers(-40, 40))


def polygon(corners: object, move: tuple[float, float] = (0, 0), size: int = 60) -> np.ndarray:
    points = np.array(corners, dtype=np.float64) + move
    cover, picture = blank(size, size)
    x, y = (np.ascontiguousarray(part) for part in points.T)
    fill_polygons(x, y, np.array([0, len(x)]), BLACK, 1.0, cover, picture)
    assert not cover.any()
    assert not picture[:, 0].any()
    return darkness(picture)


def supersampled(corners: object, parts: int = 16) -> np.ndarray:
    """Return what Pillow covers of each pixel with so many parts along each side."""
    image = Image.new("L", (60 * parts, 60 * parts))
    scaled = [(x * parts - 0.5, y * parts - 0.5) for x, y in corners]
    ImageDraw.Draw(image).polygon(scaled, fill=255)
    return np.asarray(image).reshape(60, parts, 60, parts).mean(axis=(1, 3)) / 255


@given(TRIANGLE)
@example(((2.0, 2.0), (2.0, 28.0), (57.0, 3.0))).via("left 1e-16 beside its pixels")
@settings(max_examples=examples(60), deadline=None)
def test_a_polygon_covers_its_area(corners: object) -> None:
    """The sum over all pixels is the area, to within the rounding of each."""
    (ax, ay), (bx, by), (cx, cy) = corners
    area = abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2
    found = polygon(corners)
    assert found.sum() == pytest.approx(area, abs=0.004 * np.count_nonzero(found) + 0.3)


@pytest.mark.parametrize(
    "corners",
    [
        [(5.25, 5.5), (40.0, 7.75), (20.5, 50.25)],
        [(10, 10), (50, 10), (50, 50), (10, 50)],
        [(3.3, 30.1), (30.2, 3.4), (56.6, 30.3), (30.4, 56.5)],
        [(5, 5), (55, 6), (8, 30), (54, 55), (6, 52)],
    ],
)
def test_each_pixel_is_covered_as_by_many_samples(corners: object) -> None:
    """Pillow's polygon at 16 times the resolution, averaged."""
    assert np.abs(polygon(corners) - supersampled(corners)).max() < 0.15
    assert np.abs(polygon(corners) - supersampled(corners)).mean() < 0.005


@given(TRIANGLE, MOVES)
@settings(max_examples=examples(60), deadline=None)
def test_what_lies_beyond_the_picture_is_cut_off(corners: object, move: tuple[int, int]) -> None:
    """Partly outside, a polygon is drawn as it would be within."""
    moved = polygon(corners, move)
    wide = polygon(corners, (60 + move[0], 60 + move[1]), size=180)[60:120, 60:120]
    assert np.abs(moved - wide).max() < 0.01


@pytest.mark.parametrize(
    ("value", "first", "end"),
    [(-3.5, 0, 0), (0.0, 0, 0), (0.5, 0, 1), (7.0, 7, 8), (59.5, 59, 60), (99.0, 60, 60)],
)
def test_pixels_of_a_place(value: float, first: int, end: int) -> None:
    """The first that a shape may touch and the end of those, within the picture."""
    assert coverage.first_pixel.function(value, 60) == first
    assert coverage.last_pixel.function(value, 60) == end
    assert coverage.first_pixel.function(float("nan"), 60) == 0
