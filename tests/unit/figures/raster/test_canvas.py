"""A picture that shapes are drawn on."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.figures.elements.marks import Text
from dpss.figures.raster.canvas import Canvas, rgb


def canvas() -> Canvas:
    """Return a white picture of 72 × 72 pixels, one to the point."""
    return Canvas(72.0, 72.0, 72.0, "#ffffff")


def test_colours_are_read() -> None:
    """Red, green and blue."""
    assert rgb("#0068a3") == (0, 0x68, 0xA3)


def test_a_new_picture_has_one_colour() -> None:
    """And each row begins with the number of no filter."""
    new = Canvas(10.0, 5.0, 144.0, "#182029")
    assert new.pixels.shape == (10, 20, 3)
    assert (new.pixels == rgb("#182029")).all()
    assert not new.rows[:, 0].any()


@pytest.mark.parametrize("at", [30.0, 30.2, 30.5, 30.9])
@pytest.mark.parametrize("width", [1.0, 2.0, 3.0])
def test_level_and_upright_lines_are_sharp(at: float, width: float) -> None:
    """Of whole width they cover whole pixels, wherever they were to lie."""
    for ends in ((10.0, at, 60.0, at), (at, 10.0, at, 60.0)):
        picture = canvas()
        picture.segments(np.array(ends)[:, None], width, "#000000")
        inner = picture.pixels[20:50, 20:50, 0]
        assert set(np.unique(inner).tolist()) == {0, 255}
        assert (inner == 0).sum() == 30 * width


def test_rectangles_that_touch_leave_no_gap() -> None:
    """Edges are rounded, the same way for both neighbours."""
    picture = canvas()
    edges = np.linspace(5.0, 61.0, 24)
    one = np.ones(len(edges) - 1)
    picture.rectangles(np.stack([edges[:-1], 10.3 * one, edges[1:], 20.2 * one]), "#000000")
    assert (picture.pixels[10:20, 5:61] == 0).all()
    assert (picture.pixels[:, :5] == 255).all()
    assert (picture.pixels[20:] == 255).all()


@pytest.mark.parametrize("upward", [False, True])
def test_text_is_drawn_from_its_anchor(upward: bool) -> None:
    """Above the baseline, to the right; upward, left of it and above."""
    picture = canvas()
    text = Text(36.0, 36.0, "HHH", 10.0, upward=upward)
    picture.texts([(text, "#000000")])
    down, across = np.nonzero(picture.pixels[:, :, 0] < 128)
    assert down.max() < 36
    assert across.max() < 36 if upward else across.min() >= 36
    tall = np.ptp(across if upward else down) + 1
    assert tall == 7


def test_a_halo_hides_what_lies_under_a_text() -> None:
    """In part, and around the text only."""
    picture = Canvas(72.0, 72.0, 72.0, "#000000")
    picture.texts([(Text(30.0, 40.0, "I", 12.0), "#ffffff")], halo=2.0)
    assert picture.pixels.max() == round(255 * 0.75)
    assert picture.pixels[:20].max() == 0
