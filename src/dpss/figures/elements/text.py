"""Preparation of texts for figures: one line, known glyphs, limited width."""

from __future__ import annotations

import unicodedata
from functools import cache

from dpss.figures.elements.font import load_font

_UNKNOWN = "\N{WHITE SQUARE}"
_HIDDEN = ("Cf", "Cs", "Cn", "Co")


@cache
def _advance(character: str, bold: bool) -> float:
    """Return the width of a character in parts of the type size."""
    font = load_font(bold)
    return font.advances[font.glyph_of(character)] / font.units


def clean(text: str) -> str:
    """Return a text as one line of glyphs that the font has.

    Control characters become spaces, invisible ones (directions, joiners) go, and characters that
    the font lacks become white squares.
    """
    kept = (
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in text
        if unicodedata.category(c) not in _HIDDEN
    )
    line = " ".join("".join(kept).split())
    glyphs = load_font().glyphs
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
