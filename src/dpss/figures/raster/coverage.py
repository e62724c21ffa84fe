"""Coverage of pixels by shapes: exact for polygons, by distance for others.

The functions add to or raise an array of coverage, and `paint` blends a colour into the
picture by it and clears it again. The area of a polygon in a pixel is the sum, from the left,
of what its edges cut off: the method of R. Levien's font-rs and of FreeType's smooth raster.
All parts of compiled loops: see `dpss.compute.jit`.

Coverage is ``float32``, shape ``(height, width + 2)``; a picture is ``uint8``, shape
``(height, 1 + 3 * width)``, each row a PNG filter's number and the pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import part

_UPRIGHT = 1e-9
"""Distance across within a row of pixels up to which an edge counts as upright."""
_NOTHING = 1.0 / 1024.0
"""Coverage that changes no pixel."""


@part(inline="always")
def first_pixel(value: float, size: int) -> int:
    """Return the pixel of a place, at least 0 and at most ``size``."""
    if not value > 0.0:
        return 0
    return size if value >= size else int(value)


@part(inline="always")
def last_pixel(value: float, size: int) -> int:
    """Return the end of the pixels up to a place, at least 0 and at most ``size``."""
    if not value > 0.0:
        return 0
    return size if value >= size - 1 else int(value) + 1


@part()
def add_edge(cover: Any, x0: float, y0: float, x1: float, y1: float) -> None:
    """Add the area that an edge of a polygon cuts off in each pixel that it crosses."""
    height, width = cover.shape[0], cover.shape[1] - 2
    if y0 == y1 or not (abs(x0) + abs(y0) + abs(x1) + abs(y1) < 1e9):
        return
    way = 1.0
    if y0 > y1:
        x0, y0, x1, y1 = x1, y1, x0, y0
        way = -1.0
    if y1 <= 0.0 or y0 >= height:
        return
    slope = (x1 - x0) / (y1 - y0)
    least, most = min(x0, x1), max(x0, x1)
    top, end = max(y0, 0.0), min(y1, float(height))
    for row in range(int(top), last_pixel(end, height)):
        above, below = max(top, float(row)), min(end, row + 1.0)
        part_of_row = (below - above) * way
        if part_of_row == 0.0:
            continue
        a, b = x0 + (above - y0) * slope, x0 + (below - y0) * slope
        if a > b:
            a, b = b, a
        a, b = max(a, least), min(b, most)  # Rounding could leave the edge's pixels.
        if b <= 0.0:  # All pixels of the row are right of the edge.
            cover[row, 0] += part_of_row
            continue
        if a >= width:
            continue
        if b - a < _UPRIGHT:
            a = b = min(max((a + b) * 0.5, 0.0), float(width))
            inside = a - int(a)
            cover[row, int(a)] += part_of_row * (1.0 - inside)
            cover[row, int(a) + 1] += part_of_row * inside
            continue
        rate = part_of_row / (b - a)
        if a < 0.0:
            cover[row, 0] -= a * rate
            a = 0.0
        b = min(b, float(width))
        first, last = int(a), int(b)
        reached = a
        for column in range(first, last + 1):
            stop = min(b, column + 1.0)
            share = (stop - reached) * rate
            # The area right of this part of the edge is that right of its middle.
            inside = (reached + stop) * 0.5 - column
            cover[row, column] += share * (1.0 - inside)
            cover[row, column + 1] += share * inside
            reached = stop


@part()
def paint(
    cover: Any,
    picture: Any,
    box: Any,
    colour: Any,
    alpha: float,
    summed: bool,
) -> None:
    """Blend a colour into the picture where there is coverage, and clear that.

    Args:
        cover: Coverage; zero afterwards.
        picture: Changed.
        box: First and end row, first and end column; all coverage lies within.
        colour: Red, green and blue.
        alpha: Opacity.
        summed: Whether coverage is that of polygons, to be summed from the left.
    """
    top, bottom, left, right = box
    for row in range(top, bottom):
        total = 0.0
        for column in range(left, right):
            total = total + cover[row, column] if summed else cover[row, column]
            cover[row, column] = 0.0
            share = min(abs(total), 1.0) * alpha
            if share < _NOTHING:
                continue
            at = 1 + 3 * column
            for n in range(3):
                old = float(picture[row, at + n])
                picture[row, at + n] = np.uint8(old + (colour[n] - old) * share + 0.5)
        cover[row, right] = 0.0
        cover[row, right + 1] = 0.0


@part()
def raise_line(
    cover: Any, x0: float, y0: float, x1: float, y1: float, half: float
) -> tuple[int, int, int, int]:
    """Raise coverage to that of a line with round ends.

    Returns:
        The pixels that it may have touched, as `paint` takes them.
    """
    height, width = cover.shape[0], cover.shape[1] - 2
    reach = half + 1.0
    if not (abs(x0) + abs(y0) + abs(x1) + abs(y1) < 1e9):
        return 0, 0, 0, 0
    top, bottom = first_pixel(min(y0, y1) - reach, height), last_pixel(max(y0, y1) + reach, height)
    left, right = first_pixel(min(x0, x1) - reach, width), last_pixel(max(x0, x1) + reach, width)
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    scale = 1.0 / square if square > 1e-12 else 0.0
    for row in range(top, bottom):
        y = row + 0.5 - y0
        for column in range(left, right):
            x = column + 0.5 - x0
            along = min(max((x * dx + y * dy) * scale, 0.0), 1.0)
            across, down = x - along * dx, y - along * dy
            distance = np.sqrt(across * across + down * down)
            share = min(half, distance + 0.5) - max(-half, distance - 0.5)
            cover[row, column] = max(cover[row, column], share)
    return top, bottom, left, right
