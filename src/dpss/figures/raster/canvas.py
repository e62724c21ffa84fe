"""A picture that shapes are drawn on, in points from its upper left corner."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.marks import Text, Values
from dpss.figures.raster.glyph_lines import GlyphLines, letter_heights
from dpss.figures.raster.kernels import draw_dots, draw_lines, fill_glyphs, fill_polygons

Colour = tuple[int, int, int]
_FAINT = 0.75
"""Opacity of the ground around texts."""


def rgb(colour: str) -> Colour:
    """Return red, green and blue of a colour such as ``#0068a3``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


class Canvas:
    """A picture of pixels on which shapes are drawn.

    All lengths are points; arrays of places have the shape ``(n,)``.
    """

    def __init__(self, width: float, height: float, dpi: float, background: str) -> None:
        """Make a picture of one colour, with its size in points and its resolution."""
        self._scale = dpi / 72
        self.width, self.height = int(width * self._scale), int(height * self._scale)
        self.rows = np.empty((self.height, 1 + 3 * self.width), dtype=np.uint8)
        """Rows of a 0, PNG's number for no filter, and three bytes per pixel."""
        self.rows[:] = np.array([0, *rgb(background) * self.width], dtype=np.uint8)
        self._cover = np.zeros((self.height, self.width + 2), dtype=np.float32)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The pixels, shape ``(height, width, 3)``."""
        return self.rows[:, 1:].reshape(self.height, self.width, 3)

    def dots(
        self, x: Values, y: Values, radius: float, colour: str, alpha: float = 1.0,
        rim: str = "", rim_width: float = 0.0,
    ) -> None:  # fmt: skip
        """Draw dots of a radius; ``rim`` is the colour of a ring on the edge."""
        scale = self._scale
        draw_dots(
            x * scale, y * scale, float(radius * scale), rim_width * scale / 2 if rim else 0.0,
            rgb(colour), rgb(rim or colour), float(alpha), self.rows,
        )  # fmt: skip

    def polygons(self, x: Values, y: Values, colour: str, alpha: float = 1.0) -> None:
        """Fill polygons; ``x`` and ``y`` have the shape ``(n_polygons, n_corners)``."""
        starts = np.arange(len(x) + 1) * (x.shape[1] if len(x) else 0)
        xs, ys = (np.ascontiguousarray(part.ravel() * self._scale) for part in (x, y))
        fill_polygons(xs, ys, starts, rgb(colour), float(alpha), self._cover, self.rows)

    def rectangles(self, edges: Values, colour: str) -> None:
        """Fill rectangles, whose edges are moved to whole pixels.

        Args:
            edges: Left, upper, right and lower edges, shape ``(4, n)``.
            colour: Colour of all shapes.
        """
        fill = np.array(rgb(colour), dtype=np.uint8)
        for x0, y0, x1, y1 in np.rint(edges * self._scale).astype(np.int64).T.tolist():
            self.pixels[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = fill

    def line(self, x: Values, y: Values, width: float, colour: str) -> None:
        """Draw a line through points, with round ends and joins."""
        self._lines(x, y, np.array([0, len(x)]), width, colour)

    def segments(
        self, ends: Values, width: float, colour: str, *, round_ends: bool = False
    ) -> None:
        """Draw straight lines; level and upright ones are moved to whole pixels.

        Args:
            ends: Places across and down of one end, and of the other, shape ``(4, n)``.
            width: Width of all lines.
            colour: Colour of all lines.
            round_ends: Whether half a dot follows each end.
        """
        x, y = ends[0::2], ends[1::2]
        if round_ends:
            starts = np.arange(ends.shape[1] + 1) * 2
            self._lines(x.T.ravel(), y.T.ravel(), starts, width, colour)
            return
        x, y = self._snapped(x, width), self._snapped(y, width)
        long = np.hypot(x[1] - x[0], y[1] - y[0])
        across = np.divide(width / 2, long, out=np.zeros_like(long), where=long > 0)
        dx, dy = (y[0] - y[1]) * across, (x[1] - x[0]) * across
        self.polygons(
            np.stack([x[0] + dx, x[1] + dx, x[1] - dx, x[0] - dx], axis=1),
            np.stack([y[0] + dy, y[1] + dy, y[1] - dy, y[0] - dy], axis=1),
            colour,
        )

    def _lines(
        self, x: Values, y: Values, starts: NDArray[np.int64], width: float, colour: str
    ) -> None:
        scale = self._scale
        draw_lines(
            x * scale, y * scale, starts, width * scale / 2, rgb(colour), 1.0,
            self._cover, self.rows,
        )  # fmt: skip

    def _snapped(self, places: Values, width: float) -> Values:
        """Move lines that are parallel to an axis to where their edges fit whole pixels."""
        odd = round(width * self._scale) % 2 / 2
        moved = (np.floor(places * self._scale - odd + 0.5) + odd) / self._scale
        return np.where(places[0] == places[1], moved, places)

    def texts(self, texts: Iterable[tuple[Text, str]], *, halo: float = 0.0) -> None:
        """Write texts in colours, or draw a faint outline of width ``halo`` around."""
        found = GlyphLines([(text, rgb(colour)) for text, colour in texts], self._scale)
        fill_glyphs(
            found.outlines, found.contours, found.glyphs, found.placed, found.places,
            letter_heights(), found.heights, found.colours, _FAINT if halo else 1.0,
            halo * self._scale, self._cover, self.rows,
        )  # fmt: skip
