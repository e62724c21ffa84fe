"""The font of the figures: widths, kerning and outlines from a TrueType file.

Lengths are font units: parts of the type size times `Font.units`; y grows upwards from the
baseline. Source of the tables' layout: ISO/IEC 14496-22, "Open Font Format", and Apple,
"TrueType Reference Manual". The files come with the program and are not checked.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FILES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
_PARTS = 4
"""Straight lines that replace a curve: at 40 pixels per em they are within 0.1 pixels of it."""
_ON_CURVE, _SHORT_X, _SHORT_Y, _REPEAT, _SAME_X, _SAME_Y = 1, 2, 4, 8, 16, 32
_WORDS, _OFFSETS, _ONE_SCALE, _MORE, _TWO_SCALES, _MATRIX = 1, 2, 8, 32, 64, 128
_FULL_UNICODE = (3, 10)
"""Platform and encoding of the table of all code points."""

Outline = tuple[NDArray[np.float64], ...]
"""Contours of a glyph, each of shape ``(n_points, 2)``; the last point joins the first."""


@dataclass(frozen=True)
class Font:
    """A font, whose tables are read when they are asked for."""

    data: bytes
    """The file."""

    @cached_property
    def _tables(self) -> dict[bytes, bytes]:
        (count,) = struct.unpack_from(">H", self.data, 4)
        found = {}
        for n in range(count):
            tag, _, offset, length = struct.unpack_from(">4s3I", self.data, 12 + 16 * n)
            found[tag] = self.data[offset : offset + length]
        return found

    @cached_property
    def units(self) -> int:
        """Font units per type size (em)."""
        return int(struct.unpack_from(">H", self._tables[b"head"], 18)[0])

    @cached_property
    def glyphs(self) -> dict[int, int]:
        """Number of the glyph of each code point that the font has."""
        table = self._tables[b"cmap"]
        (count,) = struct.unpack_from(">H", table, 2)
        for n in range(count):
            *kind, offset = struct.unpack_from(">HHI", table, 4 + 8 * n)
            if tuple(kind) == _FULL_UNICODE:
                break
        (n_groups,) = struct.unpack_from(">I", table, offset + 12)
        found: dict[int, int] = {}
        for first, last, glyph in struct.iter_unpack(
            ">3I", table[offset + 16 : offset + 16 + 12 * n_groups]
        ):
            found.update(zip(range(first, last + 1), range(glyph, glyph + last - first + 1)))  # noqa: B905
        return found

    @cached_property
    def advances(self) -> list[int]:
        """Width of each glyph, by its number."""
        n = int(struct.unpack_from(">H", self._tables[b"hhea"], 34)[0])
        widths: list[int] = np.frombuffer(self._tables[b"hmtx"], ">u2", 2 * n)[::2].tolist()
        return widths + widths[-1:] * (len(self._places) - 1 - n)

    @cached_property
    def kerning(self) -> dict[tuple[int, int], int]:
        """Distance that is added between two glyphs, by their numbers."""
        table = self._tables[b"kern"]
        (n,) = struct.unpack_from(">H", table, 10)
        pairs = np.frombuffer(table, [("left", ">u2"), ("right", ">u2"), ("by", ">i2")], n, 18)
        keys = zip(pairs["left"].tolist(), pairs["right"].tolist(), strict=True)
        return dict(zip(keys, pairs["by"].tolist(), strict=True))

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        (is_long,) = struct.unpack_from(">h", self._tables[b"head"], 50)
        places = np.frombuffer(self._tables[b"loca"], ">u4" if is_long else ">u2")
        return places.astype(np.int64) * (1 if is_long else 2)

    def glyph_of(self, character: str) -> int:
        """Return the number of a character's glyph; 0 for one that the font lacks."""
        return self.glyphs.get(ord(character), 0)

    def outline(self, glyph: int) -> Outline:
        """Return a glyph's contours with straight lines in place of curves."""
        start, end = self._places[glyph : glyph + 2]
        if start == end:
            return ()
        data = self._tables[b"glyf"][start:end]
        (n_contours,) = struct.unpack_from(">h", data)
        return self._joined(data) if n_contours < 0 else _contours(data, n_contours)

    def _joined(self, data: bytes) -> Outline:
        """Return the contours of a glyph made of others, such as a letter with an accent."""
        found: list[NDArray[np.float64]] = []
        at, flags = 10, _MORE
        while flags & _MORE:
            flags, glyph = struct.unpack_from(">2H", data, at)
            x, y = struct.unpack_from(">2h" if flags & _WORDS else ">2b", data, at + 4)
            at += 8 if flags & _WORDS else 6
            n = 4 if flags & _MATRIX else 2 if flags & _TWO_SCALES else int(flags & _ONE_SCALE > 0)
            scales = [part / 2**14 for part in struct.unpack_from(f">{n}h", data, at)]
            at += 2 * n
            matrix = np.diag(scales * (2 if n == 1 else 1)) if n in (1, 2) else np.eye(2)
            matrix = np.array(scales).reshape(2, 2) if n == 4 else matrix
            moved = (x, y) if flags & _OFFSETS else (0, 0)
            found.extend(contour @ matrix + moved for contour in self.outline(glyph))
        return tuple(found)


def _contours(data: bytes, n_contours: int) -> Outline:
    """Return the contours of a glyph's record."""
    ends = struct.unpack_from(f">{n_contours}H", data, 10)
    n_points = ends[-1] + 1
    at = 10 + 2 * n_contours
    at += 2 + struct.unpack_from(">H", data, at)[0]  # After the instructions.
    flags: list[int] = []
    while len(flags) < n_points:
        flag = data[at]
        repeats = data[at + 1] if flag & _REPEAT else 0
        flags.extend([flag] * (repeats + 1))
        at += 2 if flag & _REPEAT else 1
    x, at = _coordinates(data, at, flags, _SHORT_X, _SAME_X)
    y, at = _coordinates(data, at, flags, _SHORT_Y, _SAME_Y)
    found, first = [], 0
    for end in ends:
        points = [(x[n], y[n], bool(flags[n] & _ON_CURVE)) for n in range(first, end + 1)]
        found.append(_flat(points))
        first = end + 1
    return tuple(found)


def _coordinates(
    data: bytes, at: int, flags: list[int], short: int, same: int
) -> tuple[list[int], int]:
    """Return one coordinate of each point, and where the next table begins."""
    found, value = [], 0
    for flag in flags:
        if flag & short:
            value += data[at] if flag & same else -data[at]
            at += 1
        elif not flag & same:
            value += struct.unpack_from(">h", data, at)[0]
            at += 2
        found.append(value)
    return found, at


def _flat(points: list[tuple[int, int, bool]]) -> NDArray[np.float64]:
    """Return a contour of quadratic curves as straight lines."""
    whole: list[tuple[float, float, bool]] = []
    for (x0, y0, on0), (x1, y1, on1) in zip(points[-1:] + points[:-1], points, strict=True):
        if not on0 and not on1:  # The end half way between two control points is not stored.
            whole.append(((x0 + x1) / 2, (y0 + y1) / 2, True))
        whole.append((x1, y1, on1))
    start = next(n for n, point in enumerate(whole) if point[2])
    whole = whole[start:] + whole[: start + 1]
    found = []
    for n, (x, y, on) in enumerate(whole):
        if on:
            found.append((x, y))
            continue
        (a, b, _), (c, d, _) = whole[n - 1], whole[n + 1]
        for part in range(1, _PARTS):
            t = part / _PARTS
            u, v, w = (1 - t) ** 2, 2 * t * (1 - t), t * t
            found.append((u * a + v * x + w * c, u * b + v * y + w * d))
    return np.array(found[:-1], dtype=np.float64)


@cache
def load_font(bold: bool = False) -> Font:
    """Return the font of the figures: DejaVu Sans, upright."""
    return Font((Path(__file__).parents[1] / "fonts" / _FILES[bold]).read_bytes())
