"""The font's tables, held against FreeType's reading of the same files."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.ft2font import FT2Font, Kerning, LoadFlags

from dpss.figures.elements import font as module
from dpss.figures.elements.font import Font, load_font
from tests.examples import examples

FOLDER = Path(module.__file__).parents[1] / "fonts"
BOLD = pytest.mark.parametrize("bold", [False, True])


def freetype(bold: bool) -> FT2Font:
    return FT2Font(FOLDER / f"DejaVuSans{'-Bold' if bold else ''}.ttf")


def area_of(contours: list[np.ndarray]) -> float:
    return float(
        sum(
            0.5 * (c[:, 0] * np.roll(c[:, 1], -1) - c[:, 1] * np.roll(c[:, 0], -1)).sum()
            for c in contours
        )
    )


@BOLD
def test_the_files_are_those_that_matplotlib_draws_with(bold: bool) -> None:
    """Figures in notebooks and files are set in the same type."""
    name = f"DejaVuSans{'-Bold' if bold else ''}.ttf"
    theirs = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    assert (FOLDER / name).read_bytes() == theirs.read_bytes()


@BOLD
def test_code_points_are_freetype_s(bold: bool) -> None:
    """All 5,900 characters, with their glyphs."""
    assert load_font(bold).glyphs == {k: int(v) for k, v in freetype(bold).get_charmap().items()}


@BOLD
@pytest.mark.parametrize("character", ["a", "W", "Ä", "é", "…", "□", " ", "·", "ǅ", "�"])
def test_widths_and_outlines_are_freetype_s(bold: bool, character: str) -> None:
    """Simple glyphs, ones made of others, and empty ones."""
    compare(bold, character)


@BOLD
@given(st.data())
@settings(max_examples=examples(40), deadline=None)
def test_any_character_has_freetype_s_width_and_outline(bold: bool, data: st.DataObject) -> None:
    """Whatever the font has."""
    compare(bold, chr(data.draw(st.sampled_from(sorted(load_font(bold).glyphs)))))


def compare(bold: bool, character: str) -> None:
    ours, theirs = load_font(bold), freetype(bold)
    glyph = theirs.load_char(ord(character), flags=LoadFlags.NO_SCALE)
    number = ours.glyph_of(character)
    assert ours.advances[number] == glyph.horiAdvance
    outline = ours.outline(number)
    if not outline:
        assert len(theirs.get_path()[0]) == 0
        return
    points = np.concatenate(outline)
    x0, y0, x1, y1 = glyph.bbox
    # A curve's control points, which FreeType's box holds, may lie outside of it. FreeType moves
    # 26 glyphs by one unit, 1/2048 of the type size, to the left edge that another table states.
    assert x0 <= points[:, 0].min() + 1 + 1e-9
    assert y0 <= points[:, 1].min() + 1e-9
    assert points[:, 0].max() <= x1 + 1 + 1e-9
    assert points[:, 1].max() <= y1 + 1e-9
    assert points[:, 0].max() - points[:, 0].min() >= 0.8 * (x1 - x0) - 1
    assert points[:, 1].max() - points[:, 1].min() >= 0.8 * (y1 - y0) - 1


@BOLD
@pytest.mark.parametrize("character", ["o", "S", "8", "ä"])
def test_curves_are_followed_closely(bold: bool, character: str) -> None:
    """The area differs by a hundredth from that within matplotlib's curves."""
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), character, size=2048, prop=prop(bold))
    theirs = abs(area_of([np.asarray(polygon) for polygon in path.to_polygons()]))
    ours = load_font(bold)
    drawn = abs(area_of(list(ours.outline(ours.glyph_of(character)))))
    assert drawn == pytest.approx(theirs, rel=0.02)


def prop(bold: bool) -> object:
    from matplotlib.font_manager import FontProperties

    return FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")


@pytest.mark.parametrize("pair", ["AV", "To", "P.", "nn", "LT"])
def test_kerning_is_freetype_s(pair: str) -> None:
    """Pairs that come closer, and one that does not."""
    ours, theirs = load_font(), freetype(False)
    theirs.set_size(2048, 72)  # a pixel to the unit
    left, right = (ours.glyph_of(character) for character in pair)
    units = theirs.get_kerning(left, right, Kerning.UNFITTED) / 64
    assert ours.kerning.get((left, right), 0) == pytest.approx(units, abs=1)


def test_a_character_that_the_font_lacks_has_the_glyph_of_none() -> None:
    """As FreeType gives it."""
    font: Font = load_font()
    assert font.glyph_of("基") == 0
    assert font.advances[0] > 0
