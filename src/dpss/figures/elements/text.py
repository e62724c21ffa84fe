"""Preparation of texts for figures: one line, known glyphs, limited width."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
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


def elide_names(names: Sequence[str], points: float, size: float) -> list[str]:
    """Return clean lines of at most this width that differ if the names do.

    A longer name ends in an ellipsis; names that would look alike then keep their ends, too.
    """
    lines = [elide(name, points, size) for name in names]
    cut = [line for name, line in zip(names, lines, strict=True) if line != clean(name[:500])]
    alike = {line for line in cut if cut.count(line) > 1}
    return [
        _elide_middle(name, points, size) if line in alike else line
        for name, line in zip(names, lines, strict=True)
    ]


def _elide_middle(text: str, points: float, size: float) -> str:
    """Return a clean line of at most this width, of both ends of a longer one."""
    line = clean(text[:500])
    n = len(line)
    while n > 2 and width(_ends(line, n), size) > points:
        n -= 1
    both = _ends(line, n)
    return both if width(both, size) <= points else elide(text, points, size)


def _ends(line: str, n: int) -> str:
    """Return the ends of a line, ``n`` characters in all, with an ellipsis between."""
    tail = n // 2
    return f"{line[: n - tail].rstrip()}…{line[len(line) - tail :].lstrip()}"
