"""Lines of text as glyphs in their places.

Baselines lie on whole pixels, and the tops of small letters and of capitals, too, so that type
of 20 pixels is crisp; across, glyphs lie anywhere, and keep their widths and kerning.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.font import load_font
from dpss.figures.elements.marks import Text

_ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}


@cache
def _outline(character: str, bold: bool) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Return a character's outline, in parts of the type size, and contour lengths."""
    font = load_font(bold)
    contours = font.outline(font.glyph_of(character))
    points = np.concatenate(contours) / font.units if contours else np.empty((0, 2))
    return points, tuple(map(len, contours))


@cache
def letter_heights() -> tuple[float, float]:
    """Return the heights of small letters and of capitals in parts of the type size."""
    return float(_outline("x", False)[0][:, 1].max()), float(_outline("H", False)[0][:, 1].max())


def steps(text: str, *, bold: bool) -> tuple[list[float], float]:
    """Return each glyph's start and the line's width, in parts of the type size."""
    font = load_font(bold)
    starts, at, before = [], 0, -1
    for character in text:
        glyph = font.glyph_of(character)
        at += font.kerning.get((before, glyph), 0)
        starts.append(at / font.units)
        at += font.advances[glyph]
        before = glyph
    return starts, at / font.units


class GlyphLines:
    """The glyphs of texts, as `dpss.figures.raster.kernels.fill_glyphs` takes them."""

    def __init__(self, texts: Sequence[tuple[Text, tuple[int, int, int]]], scale: float) -> None:
        """Place the glyphs of texts with colours; ``scale`` is in pixels per point."""
        numbers: dict[tuple[str, bool], int] = {}
        placed: list[int] = []
        along: list[float] = []
        whole: list[float] = []
        for text, _ in texts:
            starts, wide = steps(text.text, bold=text.bold)
            along += starts
            whole.append(wide * _ANCHORS[text.anchor])
            placed.extend(numbers.setdefault((c, text.bold), len(numbers)) for c in text.text)
        outlines = [_outline(*key) for key in numbers]
        lengths = [length for _, contours in outlines for length in contours]
        self.outlines = np.concatenate([np.empty((0, 2)), *(points for points, _ in outlines)])
        self.contours = np.cumsum([0, *lengths])
        self.glyphs = np.cumsum([0, *(len(contours) for _, contours in outlines)])
        of = np.repeat(np.arange(len(texts)), [len(text.text) for text, _ in texts])
        lines = np.array([(text.x, text.y, text.size) for text, _ in texts]).reshape(-1, 3) * scale
        upward = np.array([text.upward for text, _ in texts], dtype=bool)
        sizes = lines[:, 2]
        self.heights = np.rint(np.outer(sizes, letter_heights()))[of]
        self.colours = np.array([c for _, c in texts], dtype=np.int64).reshape(-1, 3)[of]
        x, y = (
            np.where(upward, np.rint(lines[:, 0]), lines[:, 0])[of],
            np.where(upward, lines[:, 1], np.rint(lines[:, 1]))[of],
        )
        before = (np.array(along) - np.array(whole)[of]) * sizes[of]
        self.placed = np.stack([np.array(placed, dtype=np.int64), upward[of]], axis=1)
        self.places = np.stack(
            [np.where(upward[of], x, x + before), np.where(upward[of], y - before, y), sizes[of]],
            axis=1,
        )
