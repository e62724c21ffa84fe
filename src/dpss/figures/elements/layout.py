"""Layout of heading, legend and axes' texts, on wide or narrow paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dpss.errors import plural
from dpss.figures.elements.marks import Panel, PaperArea, Swatch, Text
from dpss.figures.elements.specification import LegendEntry
from dpss.figures.elements.text import elide, width

if TYPE_CHECKING:
    from dpss.summary.record import Summary

WIDE = 470.0
"""Width of a figure: two columns of a page show it at about 1.2 CSS pixels to the point."""
DPI = 165
"""Pixels to the inch of PNG files."""
NARROW = 248.0
"""Width of a figure for phones, which show it at about 1.3 CSS pixels to the point."""
LARGE, MEDIUM, SMALL = 14.0, 10.0, 9.0
"""Type sizes: heading; names and axis titles; numbers and notes."""
MARGIN = 16.0
"""Width of the white border, in points."""
GAP = 4.0
"""Distance between a tick label and its axis, in points."""
_SWATCH = 12.0
_BETWEEN = 14.0
LINE = 13.0
"""Distance between lines of small type, in points."""
NOTE_LINE = 11.0
"""Distance between lines of a remark below a figure, in points."""
TITLE_LINE = 13.0
"""Distance between lines of an x axis's title, in points."""
_SIDE_LINE = MEDIUM + 2.0
"""Distance between lines of a y axis's title, in points."""


@dataclass(frozen=True)
class Heading:
    """The heading of a figure: title and facts above the panels."""

    texts: tuple[Text, ...]
    bottom: float
    """Vertical position below the heading, in points."""


def is_narrow(paper: float) -> bool:
    """Return whether paper of this width is a phone's."""
    return paper < (WIDE + NARROW) / 2


def heading(summary: Summary, title: str, paper: float) -> Heading:
    """Return a figure's heading: title, matrix and number of cells."""
    size = 12.0 if is_narrow(paper) else LARGE
    room = paper - 2 * MARGIN
    texts = []
    top = 10.0
    if summary.demo:
        sign = Text(paper - MARGIN, 11, "SIMULATED DATA", 7.5, "orange", True, "end")
        texts.append(sign)
        top += 3.0
    for line in wrap(title, room, size, bold=True):
        top += size * 1.25
        texts.append(Text(MARGIN, top, line, size, "ink", bold=True))
    facts = number_of_cells(summary)
    name = elide(summary.title, room - width("  ·  " + facts, MEDIUM), MEDIUM)
    line = "  ·  ".join(part for part in (name, facts) if part)
    top += 17.0
    texts.append(Text(MARGIN, top, line, MEDIUM))
    return Heading(tuple(texts), top + 10.0)


def number_of_cells(summary: Summary) -> str:
    """Return the number of cells: ``2,170 cells``, or kept cells of all cells."""
    kept, all_cells = summary.n_cells_kept, summary.n_cells
    if kept == all_cells:
        return plural(all_cells, "cell")
    return f"{kept:,} of {plural(all_cells, 'cell')}"


def wrap(text: str, points: float, size: float, *, bold: bool = False) -> list[str]:
    """Return a text as lines of at most this width; a longer word stays whole."""
    lines: list[str] = []
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width(joined, size, bold=bold) <= points:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


@dataclass(frozen=True)
class Legend:
    """Marks and their meaning, in rows."""

    texts: tuple[Text, ...]
    swatches: tuple[Swatch, ...]
    bottom: float


def legend(entries: Iterable[LegendEntry], left: float, top: float, right: float) -> Legend:
    """Return a legend that fills rows from the left, between ``left`` and ``right``."""
    texts: list[Text] = []
    swatches = []
    x, y = left, top + SMALL
    for entry in entries:
        lines = wrap(entry.text, right - left - _SWATCH, SMALL)
        wide = _SWATCH + max(width(line, SMALL) for line in lines)
        if x > left and x + wide > right:
            x, y = left, y + LINE
        swatches.append((x + 4.0, y - SMALL * 0.36, entry.mark, entry.colour))
        texts.extend(Text(x + _SWATCH, y + n * LINE, line, SMALL) for n, line in enumerate(lines))
        y += (len(lines) - 1) * LINE
        x += wide + _BETWEEN
    return Legend(tuple(texts), tuple(swatches), y + 5.0 if texts else top)


def axis_texts(panel: Panel) -> list[Text]:
    """Return tick labels, without overlapping ones, and titles of a panel's axes."""
    texts = []
    box = panel.box
    end = -np.inf
    for value, label in panel.x.ticks:
        middle = box.left + float(panel.x.fractions(value)) * box.width
        wide = width(label, SMALL)
        if middle - wide / 2 >= end:
            texts.append(Text(middle, box.bottom + 14.5, label, SMALL, anchor="middle"))
            end = middle + wide / 2 + 5.0
    names = panel.name_size > 0
    size = panel.name_size or SMALL
    edge = box.left - (GAP if names or "y" not in panel.frame else GAP + 3.0)
    for value, label in panel.y.ticks:
        at = box.bottom - float(panel.y.fractions(value)) * box.height + size * 0.36
        texts.append(Text(edge, at, label, size, "ink" if names else "muted", anchor="end"))
    if panel.x.title:
        for n, line in enumerate(title_lines(panel.x.title, box)):
            half = width(line, MEDIUM) / 2
            # Centred below the axis, unless the paper ends.
            middle = min((box.left + box.right) / 2, box.right + MARGIN * 0.6 - half)
            y = box.bottom + 30.0 + n * TITLE_LINE
            texts.append(Text(middle, y, line, MEDIUM, anchor="middle"))
    if panel.y.title:
        widest = max((width(label, size) for _, label in panel.y.ticks), default=0.0)
        x = edge - widest - 7.0
        middle = (box.top + box.bottom) / 2
        lines = side_lines(panel.y.title, box.height)
        for n, line in enumerate(lines):
            across = x - (len(lines) - 1 - n) * _SIDE_LINE
            texts.append(Text(across, middle, line, MEDIUM, anchor="middle", upward=True))
    return texts


def title_lines(title: str, box: PaperArea) -> list[str]:
    """Return the title of an x axis in lines that fit below its panel."""
    return wrap(title, box.width + 24.0, MEDIUM)


def foot_of(title: str, box: PaperArea) -> float:
    """Return where the text below a panel with this title of its x axis ends."""
    return box.bottom + 30.0 + TITLE_LINE * len(title_lines(title, box))


def left_of(labels: Sequence[str], *, n_lines: int = 1) -> float:
    """Return where a panel with these tick labels of its y axis begins, in points.

    Args:
        labels: Labels of the ticks.
        n_lines: Lines of the axis's title, as `side_lines` gives them.
    """
    widest = max((width(label, SMALL) for label in labels), default=0.0)
    title = MEDIUM + 7.0 + (n_lines - 1) * _SIDE_LINE
    return MARGIN * 0.6 + title + widest + GAP + 3.0


def side_lines(title: str, height: float) -> list[str]:
    """Return the title of a y axis in lines that fit a height in points."""
    return wrap(title, height + 20.0, MEDIUM)


def add_note(
    paper: float, height: float, text: str, line: float = LINE
) -> tuple[list[Text], float]:
    """Return a remark below a figure, if any, and the paper's height with it.

    Args:
        paper: Width of the paper in points.
        height: Height of the paper without the remark, in points.
        text: The remark; empty for none.
        line: Height that each of its lines adds, in points.
    """
    if not text:
        return [], height
    lines = wrap(text, paper - 2 * MARGIN, 8.0)
    height += line * len(lines)
    ends = [height - 8.0 - NOTE_LINE * (len(lines) - 1 - n) for n in range(len(lines))]
    return [
        Text(paper - MARGIN, end, each, 8.0, anchor="end")
        for end, each in zip(ends, lines, strict=True)
    ], height


def spread(places: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Return centres near the given ones, in the same order, so that nothing overlaps.

    Args:
        places: Wanted centres, ascending.
        sizes: Extents.
        low: Where the first may begin.
        high: Where the last may end; this holds before ``low`` does.
    """
    found: list[float] = []
    edge = low
    for place, size in zip(places, sizes, strict=True):
        found.append(max(place, edge + size / 2))
        edge = found[-1] + size / 2
    edge = high
    for n in range(len(found) - 1, -1, -1):
        found[n] = min(found[n], edge - sizes[n] / 2)
        edge = found[n] - sizes[n] / 2
    return found
