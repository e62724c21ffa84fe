"""The loops that draw: widths, clipping, order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.figures.raster.kernels import draw_dots, draw_lines
from tests.examples import examples
from tests.unit.figures.raster.pictures import blank, darkness

BLACK = (0, 0, 0)
PLACE = st.floats(2.0, 58.0, allow_subnormal=False)
TRIANGLE = st.tuples(*[st.tuples(PLACE, PLACE)] * 3)
MOVES = st.tuples(st.integers(-40, 40), st.integers(-40, 40))


@given(TRIANGLE, MOVES)
@settings(max_examples=examples(30), deadline=None)
def test_lines_and_dots_are_cut_off_at_the_edge_too(corners: object, move: tuple[int, int]) -> None:
    """A line through the corners, and a dot on each, are the same within the picture."""
    found = []
    for size, shift in ((60, 0), (180, 60)):
        x, y = (np.ascontiguousarray(p) for p in (np.array(corners) + move + shift).T)
        cover, picture = blank(size, size)
        draw_lines(x, y, np.array([0, 3]), 1.3, BLACK, 0.8, cover, picture)
        draw_dots(x, y, 4.0, 1.0, (9, 90, 200), BLACK, 0.7, picture)
        assert not cover.any()
        found.append(picture[:, 1:].reshape(size, size, 3))
    assert np.abs(found[0].astype(int) - found[1][60:120, 60:120]).max() <= 1


@pytest.mark.parametrize(("half", "ink"), [(0.25, 20.0), (0.5, 40.0), (1.0, 80.0), (2.5, 200.0)])
def test_a_line_has_its_width(half: float, ink: float) -> None:
    """Also one that is thinner than a pixel: it is fainter; its ends are half dots."""
    cover, picture = blank()
    x, y = np.array([10.0, 50.0]), np.array([30.5, 30.5])
    draw_lines(x, y, np.array([0, 2]), half, BLACK, 1.0, cover, picture)
    assert darkness(picture).sum() == pytest.approx(ink + np.pi * half**2, rel=0.03, abs=0.6)


def test_a_line_s_joins_are_not_drawn_twice() -> None:
    """Of many short pieces, a faint line is as dark as of one long piece."""
    pictures = []
    for n in (2, 400):
        cover, picture = blank()
        x, y = np.linspace(10, 50, n), np.linspace(12, 40, n)
        draw_lines(x, y, np.array([0, n]), 1.2, BLACK, 0.5, cover, picture)
        pictures.append(darkness(picture))
    np.testing.assert_allclose(*pictures, atol=0.03)


@pytest.mark.parametrize("radius", [1.6, 2.5, 3.4, 9.0])
def test_a_dot_covers_its_area(radius: float) -> None:
    """Wherever its centre lies within a pixel."""
    for at in (30.0, 30.25, 30.5):
        _, picture = blank()
        draw_dots(np.array([at]), np.array([at]), radius, 0.0, BLACK, BLACK, 1.0, picture)
        assert darkness(picture).sum() == pytest.approx(np.pi * radius**2, rel=0.04)


def test_later_dots_lie_on_earlier_ones() -> None:
    """And each adds its opacity."""
    _, picture = blank()
    x = np.array([30.0, 30.0])
    draw_dots(x, x, 5.0, 0.0, BLACK, BLACK, 0.5, picture)
    assert darkness(picture)[30, 30] == pytest.approx(0.75, abs=0.01)
