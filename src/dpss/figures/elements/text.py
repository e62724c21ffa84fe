"""Texts from outside, made fit to draw: one line, known glyphs, no wider than its place."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

_UNKNOWN = "\N{WHITE SQUARE}"
_HIDDEN = ("Cf", "Cs", "Cn", "Co")


@cache
def _font(bold: bool) -> Any:
    """Return the font, which is matplotlib's own."""
    from matplotlib import font_manager

    weight = "bold" if bold else "normal"
    path = font_manager.findfont(font_manager.FontProperties(family="DejaVu Sans", weight=weight))
    return font_manager.get_font(path)


@cache
def _glyphs() -> frozenset[int]:
    """Return the code points that the font has."""
    return frozenset(_font(False).get_charmap())


@cache
def _advance(character: str, bold: bool) -> float:
    """Return the width of a character in parts of the type size."""
    from matplotlib.ft2font import LoadFlags

    font = _font(bold)
    glyph = font.load_char(ord(character), flags=LoadFlags.NO_SCALE)
    return float(glyph.horiAdvance / font.units_per_EM)


def clean(text: str) -> str:
    """Return a text as one line of glyphs that the font has.

    Control characters become spaces, invisible ones (directions, joiners) go, and
    what the font lacks becomes a white square.
    """
    kept = (
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in text
        if unicodedata.category(c) not in _HIDDEN
    )
    line = " ".join("".join(kept).split())
    glyphs = _glyphs()
    return "".join(c if ord(c) in glyphs else _UNKNOWN for c in line)


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a line in points, kerning aside."""
    return size * sum(_advance(character, bold) for character in text)


def elide(text: str, points: float, size: float) -> str:
    """Return a clean line of at most this width; a longer one ends in an ellipsis."""
    line = clean(text[:500])
    if width(line, size) <= points and len(text) <= 500:
        return line
    fits, too_long = 0, len(line) + 1
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if width(line[:middle].rstrip() + "…", size) <= points:
            fits = middle
        else:
            too_long = middle
    return line[:fits].rstrip() + "…"
