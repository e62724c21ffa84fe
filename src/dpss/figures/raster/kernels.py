"""The compiled loops that draw polygons, glyphs, lines and dots.

Places are pixels from the upper left corner, ``float64``. Colours are tuples of three numbers
from 0 to 255. For coverage and pictures see `dpss.figures.raster.coverage`; coverage is zero
before and after each call. See `dpss.compute.jit`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled
from dpss.figures.raster.coverage import add_edge, first_pixel, last_pixel, paint, raise_line


@compiled
def fill_polygons(
    x: Any, y: Any, starts: Any, colour: Any, alpha: float, cover: Any, picture: Any
) -> None:
    """Fill polygons, each of one contour.

    Args:
        x: Corners of all polygons, shape ``(n_points,)``.
        y: Corners, as ``x``.
        starts: ``int64``, shape ``(n_polygons + 1,)``: where each begins, then the end of the last.
        colour: Colour of all polygons.
        alpha: Opacity of each.
        cover: Working memory.
        picture: The picture; changed.
    """
    height, width = cover.shape[0], cover.shape[1] - 2
    for n in range(len(starts) - 1):
        first, end = starts[n], starts[n + 1]
        low_x = high_x = x[first]
        low_y = high_y = y[first]
        for i in range(first, end):
            j = i + 1 if i + 1 < end else first
            add_edge(cover, x[i], y[i], x[j], y[j])
            low_x, high_x = min(low_x, x[i]), max(high_x, x[i])
            low_y, high_y = min(low_y, y[i]), max(high_y, y[i])
        box = (
            first_pixel(low_y, height), last_pixel(high_y, height),
            first_pixel(low_x, width), last_pixel(high_x, width),
        )  # fmt: skip
        paint(cover, picture, box, colour, alpha, True)


@compiled
def fill_glyphs(  # noqa: PLR0913 (arrays)
    outlines: Any, contours: Any, glyphs: Any, placed: Any, places: Any, knots: Any,
    heights: Any, colours: Any, alpha: float, halo: float, cover: Any, picture: Any,
) -> None:  # fmt: skip
    """Draw glyphs, or the ground around them.

    Args:
        outlines: Points of all contours in parts of the type size, y upwards, shape
            ``(n_points, 2)``.
        contours: ``int64``, shape ``(n_contours + 1,)``: first point of each, and the end.
        glyphs: ``int64``, shape ``(n_glyphs + 1,)``: first contour of each, and the end.
        placed: ``int64``, shape ``(n_placed, 2)``: the glyph, and 1 where it is turned by a quarter
            to the left.
        places: Shape ``(n_placed, 3)``: origin of each, and its type size.
        knots: Heights of small letters and of capitals in parts of the type size.
        heights: Shape ``(n_placed, 2)``: heights that these have in the picture.
        colours: ``int64``, shape ``(n_placed, 3)``: red, green and blue.
        alpha: Opacity of each.
        halo: Half the width of a line around each glyph that is drawn instead of the glyph,
            in pixels; 0 for the glyph.
        cover: Working memory.
        picture: The picture; changed.
    """
    height, width = cover.shape[0], cover.shape[1] - 2
    middle, cap = knots
    if not (middle > 0.0 and middle < cap):
        return
    for n in range(len(placed)):
        glyph, upward = placed[n, 0], placed[n, 1] == 1
        origin_x, origin_y, size = places[n, 0], places[n, 1], places[n, 2]
        drawn_middle, drawn_cap = heights[n, 0], heights[n, 1]
        lower, upper = drawn_middle / middle, (drawn_cap - drawn_middle) / (cap - middle)
        top, bottom, left, right = height, 0, width, 0
        for contour in range(glyphs[glyph], glyphs[glyph + 1]):
            first, end = contours[contour], contours[contour + 1]
            before_x = before_y = 0.0
            for i in range(first, end + 1):
                point = i if i < end else first
                along = outlines[point, 0] * size
                high = outlines[point, 1]
                up = high * size
                if high > cap:
                    up = drawn_cap + (high - cap) * size
                elif high > middle:
                    up = drawn_middle + (high - middle) * upper
                elif high > 0.0:
                    up = high * lower
                px = origin_x - up if upward else origin_x + along
                py = origin_y - along if upward else origin_y - up
                if i > first:
                    if halo > 0.0:
                        a, b, c, d = raise_line(cover, before_x, before_y, px, py, halo)
                        if b > a and d > c:
                            top, bottom = min(top, a), max(bottom, b)
                            left, right = min(left, c), max(right, d)
                    else:
                        add_edge(cover, before_x, before_y, px, py)
                if halo == 0.0:
                    top = min(top, first_pixel(py, height))
                    bottom = max(bottom, last_pixel(py, height))
                    left = min(left, first_pixel(px, width))
                    right = max(right, last_pixel(px, width))
                before_x, before_y = px, py
        colour = (colours[n, 0], colours[n, 1], colours[n, 2])
        paint(cover, picture, (top, bottom, left, right), colour, alpha, halo == 0.0)


@compiled
def draw_lines(
    x: Any, y: Any, starts: Any, half: float, colour: Any, alpha: float, cover: Any, picture: Any
) -> None:
    """Draw lines through points, with round ends and joins.

    Args:
        x: Points of all lines, shape ``(n_points,)``.
        y: Points, as ``x``.
        starts: ``int64``, shape ``(n_lines + 1,)``: where each begins, then the end of the last.
        half: Half of the width in pixels.
        colour: Colour of all lines.
        alpha: Opacity of each.
        cover: Working memory.
        picture: The picture; changed.
    """
    height, width = cover.shape[0], cover.shape[1] - 2
    for n in range(len(starts) - 1):
        top, bottom, left, right = height, 0, width, 0
        for i in range(starts[n], starts[n + 1] - 1):
            a, b, c, d = raise_line(cover, x[i], y[i], x[i + 1], y[i + 1], half)
            if b > a and d > c:
                top, bottom, left, right = min(top, a), max(bottom, b), min(left, c), max(right, d)
        paint(cover, picture, (top, bottom, left, right), colour, alpha, False)


@compiled
def draw_dots(
    x: Any, y: Any, radius: float, half_rim: float, colour: Any, rim: Any, alpha: float,
    picture: Any,
) -> None:  # fmt: skip
    """Draw dots in their order, later ones over earlier ones.

    Args:
        x: Centres, shape ``(n_dots,)``.
        y: Centres, as ``x``.
        radius: Radius of all dots.
        half_rim: Half the width of a ring on the edge; 0 for none.
        colour: Colour of all dots.
        rim: Colour of the ring.
        alpha: Opacity of each.
        picture: The picture; changed.
    """
    height, width = picture.shape[0], picture.shape[1] // 3
    reach = radius + half_rim + 0.5
    beyond = reach * reach
    for n in range(len(x)):
        across, down = x[n], y[n]
        if not abs(across) + abs(down) < 1e9:
            continue
        for row in range(first_pixel(down - reach, height), last_pixel(down + reach, height)):
            dy = row + 0.5 - down
            for column in range(
                first_pixel(across - reach, width), last_pixel(across + reach, width)
            ):
                dx = column + 0.5 - across
                square = dx * dx + dy * dy
                if square >= beyond:
                    continue
                distance = np.sqrt(square)
                share = min(max(radius + 0.5 - distance, 0.0), 1.0) * alpha
                edge = 0.0
                if half_rim > 0.0:
                    off = abs(distance - radius)
                    edge = max(min(half_rim, off + 0.5) - max(-half_rim, off - 0.5), 0.0) * alpha
                at = 1 + 3 * column
                for k in range(3):
                    old = float(picture[row, at + k])
                    new = old + (colour[k] - old) * share
                    new += (rim[k] - new) * edge
                    picture[row, at + k] = np.uint8(new + 0.5)
