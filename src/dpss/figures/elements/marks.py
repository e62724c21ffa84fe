"""A figure as data: panels with axes and marks, and texts on the paper.

Lengths are points of 1/72 inch; places on the paper are measured from its upper left
corner. Colours are roles, fields of `dpss.figures.elements.palette.Theme`, or colours that are the
same in both themes, such as ``#e69f00``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.specification import Axis
from dpss.figures.elements.text import width

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Dots:
    """Round marks."""

    x: Values
    y: Values
    colour: str
    radius: float
    alpha: float = 1.0
    rim: str = ""
    """Colour of an outline; empty for none."""
    rim_width: float = 0.7
    diamond: bool = False


@dataclass(frozen=True, eq=False)
class Rectangles:
    """Filled rectangles between values of both axes."""

    left: Values
    bottom: Values
    right: Values
    top: Values
    colour: str
    rim: str = ""


@dataclass(frozen=True, eq=False)
class Segments:
    """Straight lines between two places each."""

    x0: Values
    y0: Values
    x1: Values
    y1: Values
    colour: str
    width: float = 1.0
    dashed: bool = False
    round_ends: bool = False


@dataclass(frozen=True, eq=False)
class Curve:
    """A line through places in order."""

    x: Values
    y: Values
    colour: str
    width: float = 2.0


@dataclass(frozen=True, eq=False)
class Area:
    """A filled outline."""

    x: Values
    y: Values
    colour: str
    rim: str


Mark = Dots | Rectangles | Segments | Curve | Area

Swatch = tuple[float, float, str, str]
"""A legend's mark: centre (x, y), kind and colour as in `LegendEntry`."""


@dataclass(frozen=True)
class PaperArea:
    """A rectangle on the paper."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Right edge, in points."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Lower edge, in points."""
        return self.top + self.height


@dataclass(frozen=True)
class Text:
    """A line of text on the paper; its anchor is at ``x``, its baseline at ``y``."""

    x: float
    y: float
    text: str
    size: float
    colour: str = "muted"
    bold: bool = False
    anchor: str = "start"
    """Part of the text at ``x``: ``start``, ``middle`` or ``end``."""
    upward: bool = False
    """Whether the text is turned by 90 degrees, to be read upwards."""
    halo: bool = False
    """Whether the text has an outline in the background's colour, where it may lie on marks."""

    @property
    def box(self) -> PaperArea:
        """Rectangle on the paper that it takes, from the font's widths and common heights."""
        long = width(self.text, self.size, bold=self.bold)
        before = long * {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor]
        above, below = 0.74 * self.size, 0.2 * self.size
        if self.upward:
            return PaperArea(self.x - above, self.y - long + before, above + below, long)
        return PaperArea(self.x - before, self.y - above, long, above + below)

    def overlaps(self, other: Text) -> bool:
        """Return whether two texts lie on each other."""
        a, b = self.box, other.box
        across = min(a.right, b.right) - max(a.left, b.left)
        down = min(a.bottom, b.bottom) - max(a.top, b.top)
        return across > 0.5 and down > 0.5


@dataclass(frozen=True, eq=False)
class Panel:
    """A rectangle of the paper with two axes."""

    box: PaperArea
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    grid: str = "xy"
    """Axes whose ticks have a faint line across."""
    frame: str = "xy"
    """Axes that are drawn as a line with tick marks."""
    name_size: float = 0.0
    """Type size of the y axis's ticks where these are names in ink; 0 for numbers."""

    def place(self, x: Values, y: Values) -> tuple[Values, Values]:
        """Return places on the paper of values of both axes, shapes as given."""
        across, up = self.x.fractions(x), self.y.fractions(y)
        return self.box.left + across * self.box.width, self.box.bottom - up * self.box.height


@dataclass(frozen=True, eq=False)
class Page:
    """A figure as data: panels, texts, legend and size of the paper."""

    title: str
    width: float
    height: float
    panels: tuple[Panel, ...]
    texts: tuple[Text, ...]
    swatches: tuple[Swatch, ...] = ()
