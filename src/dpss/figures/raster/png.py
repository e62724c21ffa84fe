"""A page as PNG, drawn without matplotlib, in the colours for light paper."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.layout import DPI, axis_texts
from dpss.figures.elements.marks import (
    Area,
    Curve,
    Dots,
    Mark,
    Page,
    Panel,
    Rectangles,
    Segments,
    Values,
)
from dpss.figures.elements.palette import LIGHT, Theme, colour_of
from dpss.figures.raster.canvas import Canvas

_RGB, _BITS = 2, 8
_LEVEL = 6
_INCHES_PER_METRE = 1 / 0.0254
_DASH, _SPACE = 4.0, 3.0
"""Lengths of a dash and of the space after it, in widths of the line."""
_FRAME, _RIM, _BOX_RIM = 0.8, 1.0, 0.9
"""Widths of axes and grid, and of the outlines of areas and of rectangles, in points."""
_TICK = 3.0
_DIAMOND = 2**0.5
"""Half the width of a diamond, in radii of a dot: its area is that of a square around the dot."""
_HALO = 1.25
"""Points around a text on which the ground shows."""


def draw(page: Page, dpi: float = DPI, theme: Theme = LIGHT) -> Canvas:
    """Return a page as pixels."""
    canvas = Canvas(page.width, page.height, dpi, theme.background)
    texts = list(page.texts)
    for panel in page.panels:
        _draw_frame(canvas, panel, theme)
        for mark in panel.marks:
            _draw_mark(canvas, panel, mark, theme)
        texts.extend(axis_texts(panel))
    for x, y, kind, role in page.swatches:
        _draw_swatch(canvas, x, y, kind, colour_of(theme, role))
    halos = [(text, theme.background) for text in texts if text.halo]
    if halos:
        canvas.texts(halos, halo=_HALO)
    canvas.texts((text, colour_of(theme, text.colour)) for text in texts)
    return canvas


def png_of(page: Page) -> bytes:
    """Return a page as PNG; the same page gives the same bytes."""
    canvas = draw(page)
    return png_bytes(canvas.rows, DPI)


def png_bytes(rows: NDArray[np.uint8], dpi: float) -> bytes:
    """Put a PNG file together (W3C, "Portable Network Graphics", third edition, 2025).

    Args:
        rows: For each row a filter number and its pixels, three bytes each.
        dpi: Pixels per inch.
    """
    import deflate

    height, width = rows.shape[0], rows.shape[1] // 3
    per_metre = round(dpi * _INCHES_PER_METRE)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, _BITS, _RGB, 0, 0, 0)),
        (b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
        (b"IDAT", bytes(deflate.zlib_compress(rows.data, _LEVEL))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _draw_frame(canvas: Canvas, panel: Panel, theme: Theme) -> None:
    """Draw grid, axis lines and tick marks."""
    box = panel.box
    x = box.left + panel.x.fractions([value for value, _ in panel.x.ticks]) * box.width
    y = box.bottom - panel.y.fractions([value for value, _ in panel.y.ticks]) * box.height
    if "x" in panel.grid:
        canvas.segments(_ends(x, box.top, x, box.bottom), _FRAME, theme.grid)
    if "y" in panel.grid:
        canvas.segments(_ends(box.left, y, box.right, y), _FRAME, theme.grid)
    if "x" in panel.frame:
        axis = _ends(box.left, box.bottom, box.right, box.bottom)
        canvas.segments(axis, _FRAME, theme.line)
        canvas.segments(_ends(x, box.bottom, x, box.bottom + _TICK), _FRAME, theme.line)
    if "y" in panel.frame:
        canvas.segments(_ends(box.left, box.top, box.left, box.bottom), _FRAME, theme.line)
        canvas.segments(_ends(box.left - _TICK, y, box.left, y), _FRAME, theme.line)


def _ends(x0: Any, y0: Any, x1: Any, y1: Any) -> Values:
    """Return ends of lines or edges, shape ``(4, n)``, of arrays or numbers."""
    return np.stack(np.broadcast_arrays(*map(np.atleast_1d, (x0, y0, x1, y1))))


def _draw_mark(canvas: Canvas, panel: Panel, mark: Mark, theme: Theme) -> None:
    colour = colour_of(theme, mark.colour)
    if isinstance(mark, Dots):
        x, y = panel.place(mark.x, mark.y)
        rim = colour_of(theme, mark.rim) if mark.rim else ""
        if mark.diamond:
            _draw_diamonds(canvas, x, y, mark.radius, colour, mark.alpha, rim, mark.rim_width)
        else:
            canvas.dots(x, y, mark.radius, colour, mark.alpha, rim, mark.rim_width)
    elif isinstance(mark, Rectangles):
        left, top = panel.place(mark.left, mark.top)
        right, bottom = panel.place(mark.right, mark.bottom)
        _draw_rectangles(canvas, _ends(left, top, right, bottom), mark, theme)
    elif isinstance(mark, Segments):
        ends = _ends(*panel.place(mark.x0, mark.y0), *panel.place(mark.x1, mark.y1))
        if mark.dashed:
            ends = _dashes(ends, mark.width)
        canvas.segments(ends, mark.width, colour, round_ends=mark.round_ends)
    elif isinstance(mark, Curve):
        canvas.line(*panel.place(mark.x, mark.y), mark.width, colour)
    else:
        _draw_area(canvas, panel, mark, theme)


def _draw_area(canvas: Canvas, panel: Panel, mark: Area, theme: Theme) -> None:
    x, y = panel.place(mark.x, mark.y)
    canvas.polygons(x[None], y[None], colour_of(theme, mark.colour))
    rim = colour_of(theme, mark.rim)
    canvas.line(_closed(x), _closed(y), _RIM, rim)


def _draw_rectangles(canvas: Canvas, edges: Values, mark: Rectangles, theme: Theme) -> None:
    left, right = np.minimum(edges[0], edges[2]), np.maximum(edges[0], edges[2])
    top, bottom = np.minimum(edges[1], edges[3]), np.maximum(edges[1], edges[3])
    canvas.rectangles(_ends(left, top, right, bottom), colour_of(theme, mark.colour))
    if mark.rim:
        rim, half = colour_of(theme, mark.rim), _BOX_RIM / 2
        for y in (top, bottom):
            canvas.segments(_ends(left - half, y, right + half, y), _BOX_RIM, rim)
        for x in (left, right):
            canvas.segments(_ends(x, top, x, bottom), _BOX_RIM, rim)


def _draw_diamonds(
    canvas: Canvas, x: Values, y: Values, radius: float, colour: str, alpha: float = 1.0,
    rim: str = "", rim_width: float = 0.0,
) -> None:  # fmt: skip
    reach = radius * _DIAMOND
    across = np.stack([x, x + reach, x, x - reach], axis=1)
    down = np.stack([y - reach, y, y + reach, y], axis=1)
    for corners_x, corners_y in zip(across, down, strict=True):
        canvas.polygons(corners_x[None], corners_y[None], colour, alpha)
        if rim:
            canvas.line(_closed(corners_x), _closed(corners_y), rim_width, rim)


def _closed(places: Values) -> Values:
    return np.append(places, places[:1])


def _dashes(lines: Values, width: float) -> Values:
    """Return the dashes of straight lines as lines, shape ``(4, n_dashes)``."""
    found = [np.empty((4, 0))]
    for x, y, end_x, end_y in lines.T.tolist():
        long = float(np.hypot(end_x - x, end_y - y))
        if long == 0:
            continue
        starts = np.arange(0.0, long, (_DASH + _SPACE) * width)
        ends = np.minimum(starts + _DASH * width, long)
        dx, dy = (end_x - x) / long, (end_y - y) / long
        found.append(_ends(x + starts * dx, y + starts * dy, x + ends * dx, y + ends * dy))
    return np.concatenate(found, axis=1)


def _draw_swatch(canvas: Canvas, x: float, y: float, kind: str, colour: str) -> None:
    at_x, at_y = np.array([x]), np.array([y])
    if kind in ("median", "limit"):
        line = _ends(at_x - 5, at_y, at_x + 5, at_y)
        canvas.segments(_dashes(line, 1.2) if kind == "limit" else line, 1.2, colour)
    elif kind == "bin":
        canvas.rectangles(_ends(at_x - 3.5, at_y - 3.5, at_x + 3.5, at_y + 3.5), colour)
    elif kind == "diamond":
        _draw_diamonds(canvas, at_x, at_y, 3 / _DIAMOND, colour)
    else:
        canvas.dots(at_x, at_y, 2.4, colour)
