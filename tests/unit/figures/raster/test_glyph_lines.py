"""Lines of text as glyphs."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.figures.elements.marks import Text
from dpss.figures.elements.text import width
from dpss.figures.raster.glyph_lines import GlyphLines, letter_heights, steps

INK = (1, 2, 3)


@pytest.mark.parametrize("text", ["nnn", "median 2.8 %", "Genes per cell"])
@pytest.mark.parametrize("bold", [False, True])
def test_a_line_is_as_wide_as_it_was_measured(text: str, bold: bool) -> None:
    """Kerning aside, which is a few hundredths of the type size."""
    _, wide = steps(text, bold=bold)
    assert wide == pytest.approx(width(text, 1.0, bold=bold), abs=0.15)


def test_pairs_are_kerned() -> None:
    """AV is narrower than A and V."""
    assert steps("AV", bold=False)[1] < width("AV", 1.0)
    assert steps("", bold=False) == ([], 0.0)


@pytest.mark.parametrize(("anchor", "part"), [("start", 0.0), ("middle", 0.5), ("end", 1.0)])
@pytest.mark.parametrize("upward", [False, True])
def test_a_line_hangs_on_its_anchor(anchor: str, part: float, upward: bool) -> None:
    """Level and upward; the baseline lies on whole pixels."""
    text = Text(100.3, 50.4, "Genes", 10.0, anchor=anchor, upward=upward)
    x, y, size = GlyphLines([(text, INK)], 2.0).places[0]
    long = steps("Genes", bold=False)[1] * 20.0 * part
    assert size == 20.0
    if upward:
        assert x == 201.0
        assert y == pytest.approx(100.8 + long)
    else:
        assert x == pytest.approx(200.6 - long)
        assert y == 101.0


def test_glyphs_are_shared_and_point_to_their_outlines() -> None:
    """Each character's outline is there once for each weight; a space has none."""
    texts = [Text(0, 0, "aa b", 9.0), Text(0, 9, "ab", 9.0, bold=True)]
    lines = GlyphLines([(text, INK) for text in texts], 2.0)
    assert lines.placed[:, 0].tolist() == [0, 0, 1, 2, 3, 4]
    assert len(lines.glyphs) == 6
    contours = np.diff(lines.glyphs).tolist()
    assert contours == [2, 0, 2, 2, 2]
    assert lines.contours[-1] == len(lines.outlines)
    assert (lines.colours == INK).all()


def test_no_texts_are_no_glyphs() -> None:
    """An empty page has none."""
    lines = GlyphLines([], 2.0)
    assert lines.placed.shape == (0, 2)
    assert lines.places.shape == (0, 3)


def test_letters_end_on_whole_pixels() -> None:
    """Small letters and capitals are rounded to pixels, whatever the size."""
    small, capital = letter_heights()
    assert 0.5 < small < capital < 0.8
    found = GlyphLines([(Text(0, 0, "x", 9.3), INK)], 2.0).heights[0]
    assert found.tolist() == [round(small * 18.6), round(capital * 18.6)]
