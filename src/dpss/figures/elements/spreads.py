"""Panels of one row per group of cells: medians with their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dpss.figures.elements.axes import make_axis, span_of
from dpss.figures.elements.layout import SMALL
from dpss.figures.elements.marks import Dots, Mark, Panel, PaperArea, Segments
from dpss.figures.elements.specification import Axis, Scale

if TYPE_CHECKING:
    from dpss.stats.histogram import Distribution

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Ends of the line, ends of the bar and the dot of a row."""


def spread_panel(
    box: PaperArea,
    groups: Sequence[Distribution],
    whole: Distribution,
    scale: Scale,
    colours: Sequence[str],
    *,
    names: Sequence[str] = (),
    marked: Sequence[int] = (),
    guide: str = "orange",
) -> Panel:
    """Return a panel with a row per group, the first on top at ``y = 0``.

    The line of a row spans 90 % of the cells, the bar the middle half, the dot is the median; a
    dashed line marks the median of ``whole`` where it is within the axis.

    Args:
        box: Place on the paper.
        groups: Distribution of the measure in each group, none of them empty; at least one.
        whole: Distribution of the measure in all cells.
        scale: Linear, from 0 on, or logarithmic.
        colours: Colour of each row.
        names: Names of the rows along the y axis, or empty for none.
        marked: Rows whose median is a diamond.
        guide: Colour of the dashed line.
    """
    log = scale is Scale.LOG
    ends = np.array([[group.quantile(q) for q in QUANTILES] for group in groups])
    floor = max(float(ends[ends > 0].min(initial=1.0)), 0.5) if log else 0.0
    ends = np.maximum(ends, floor)
    low, high = span_of(float(ends.min()), float(ends.max()), log=log)
    x = make_axis("", low if log else 0.0, high, scale, n=5 if log else 4)
    x = replace(x, title="log scale" if log else "")
    n = len(ends)
    y = Axis("", Scale.LINEAR, n - 0.5, -0.5, tuple((float(k), s) for k, s in enumerate(names)))
    rows = np.arange(n, dtype=np.float64)
    marks: list[Mark] = []
    if whole.n and x.low <= whole.median <= x.high:
        at = np.array([whole.median])
        foot, head = np.array([y.low]), np.array([y.high])
        marks.append(Segments(at, foot, at, head, guide, 1.0, dashed=True))
    for k, colour in enumerate(colours):
        row = rows[k : k + 1]
        start, q1, _, q3, end = (ends[k : k + 1, i] for i in range(5))
        marks.append(Segments(start, row, end, row, colour, 1.2))
        marks.append(Segments(q1, row, q3, row, colour, 5.5))
    is_marked = np.isin(np.arange(n), np.asarray(marked, dtype=np.int64))
    for which, radius, diamond in ((~is_marked, 2.4, False), (is_marked, 3.0, True)):
        if which.any():
            middle = ends[which, 2]
            marks.append(
                Dots(
                    middle, rows[which], "background", radius, rim="ink", rim_width=1.1,
                    diamond=diamond,
                )
            )  # fmt: skip
    return Panel(box, x, y, tuple(marks), grid="x", frame="x", name_size=SMALL)
