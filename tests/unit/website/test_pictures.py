"""Sizes of pictures: read from the file's head, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.figures.export import figure_files
from dpss.figures.registry import FIGURES
from dpss.website.pictures import png_size, svg_size
from tests.unit.figures.builder import build, simulate
from tests.unit.website.portal import png


@given(st.integers(1, 300), st.integers(1, 300))
def test_the_size_is_the_picture_s_own(width: int, height: int) -> None:
    """Any width and height are read again."""
    assert png_size(png(width, height)) == (width, height)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(60), png()[:20]])
def test_another_file_has_no_size(data: bytes) -> None:
    """An empty, a cut and another file: the page then leaves the size to the browser."""
    assert png_size(data) is None


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.slug)
def test_a_drawing_has_the_shape_of_its_picture(figure) -> None:
    """A page that reads only the drawing keeps the picture's room, but for rounding."""
    files = figure_files(figure, build(simulate(60, 80)))
    drawn, pixels = svg_size(files[f"{figure.slug}.svg"]), png_size(files[f"{figure.slug}.png"])
    assert drawn is not None and pixels is not None
    assert max(abs(a - b) for a, b in zip(drawn, pixels, strict=True)) <= 1


@given(st.floats(1, 9999), st.floats(1, 9999))
def test_a_drawing_s_size_is_in_its_head(width: float, height: float) -> None:
    """Points become the pixels of a PNG of 165 dots per inch, whatever stands before."""
    head = f'<?xml version="1.0"?>\n<svg xmlns="x" width="{width:.2f}pt" height="{height:.2f}pt"'
    found = svg_size(head.encode())
    assert found is not None
    assert found == pytest.approx((width * 165 / 72, height * 165 / 72), abs=1.1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg/>",
        b'<svg width="64" height="40"/>',
        b'<svg width="1.2.3pt" height="4pt">',
        b'<svg width="0pt" height="4pt">',
        bytes(5000) + b'<svg width="1pt" height="4pt">',
    ],
)
def test_a_drawing_without_points_has_no_size(data: bytes) -> None:
    """No head, other units and no numbers: the PNG is read then."""
    assert svg_size(data) is None
