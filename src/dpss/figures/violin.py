"""Figure of the distributions of the cells' genes, counts and mitochondrial share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.errors import plural
from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.axes import make_axis, span_of
from dpss.figures.elements.bounds import near_bounds
from dpss.figures.elements.layout import (
    GAP,
    LARGE,
    MARGIN,
    MEDIUM,
    NOTE_LINE,
    SMALL,
    add_note,
    heading,
    is_narrow,
)
from dpss.figures.elements.marks import Area, Dots, Mark, Page, Panel, PaperArea, Segments, Text
from dpss.figures.elements.smoothing import smooth
from dpss.figures.elements.specification import Axis, Scale
from dpss.figures.elements.text import width
from dpss.stats.histogram import Distribution
from dpss.summary.numerals import number, percent

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Genes, counts and mitochondrial share per cell"
FEW = 10
"""Below this many cells, each is a dot and there is no shape."""
SKEWED = 8.0
"""From this ratio of the 99.5 % quantile to the median on, the axis is logarithmic."""
_ACROSS = Axis("", Scale.LINEAR, -0.5, 0.5, ())


@dataclass(frozen=True)
class _Measure:
    """One panel."""

    heading: str
    unit: str
    distribution: Distribution
    write: Callable[[float], str]
    is_share: bool = False


def reading(summary: Summary) -> str:
    """Return the caption: it explains outlines, bars and medians."""
    if summary.n_cells_kept < FEW:
        text = "Each dot is a cell; the line is the median, also written above."
    else:
        text = (
            "Each shape is as wide as there are many cells at that value. The white dot is the "
            "median, also written above; the thick bar spans the middle half of the cells. The "
            "axes leave out a few extreme cells, whose number is written at the end of the axis."
        )
    if summary.pct_counts_mt is None:
        text += " The matrix has no mitochondrial genes, so their share is left out."
    return text


def _measures(summary: Summary) -> list[_Measure]:
    values = noun(summary)
    found = [
        _Measure("Genes per cell", "genes detected", summary.n_genes_by_counts, number),
        _Measure("Counts per cell", f"total {values}", summary.counts_per_cell, number),
    ]
    if summary.pct_counts_mt is not None:
        share = "% in mitochondrial genes"
        found.append(
            _Measure("Mitochondrial share", share, summary.pct_counts_mt, percent, is_share=True)
        )
    return found


def layout(summary: Summary, width: float) -> Page:
    """Lay out a panel per measure, side by side or, on narrow paper, in a column."""
    measures = _measures(summary)
    head = heading(summary, TITLE, width)
    narrow = is_narrow(width)
    across = (width - 2 * MARGIN) / (1 if narrow else len(measures))
    tall = 150.0 if narrow else 230.0
    panels, texts = [], list(head.texts)
    top, n_hidden = head.bottom + 4.0, 0
    for n, measure in enumerate(measures):
        left = MARGIN + (0 if narrow else n * across)
        start = top + (n * (tall + 78.0) if narrow else 0)
        texts += _heading(measure, left, start)
        shown = _shown(measure)
        n_hidden = max(n_hidden, measure.distribution.n - int(shown.counts.sum()))
        axis = axis_of(measure.unit, shown, _scale(measure), whole=not measure.is_share)
        box = PaperArea(left + 52.0, start + 52.0, across - 66.0, tall)
        panels.append(
            Panel(box, _ACROSS, axis, tuple(_marks(measure, shown, axis)), grid="y", frame="")
        )
        texts += _beyond(shown, axis, box)
    height = panels[-1].box.bottom + 26.0
    said = ""
    if n_hidden:
        said = f"{plural(n_hidden, 'cell')} with 0 can't be drawn on a logarithmic axis."
    notes, height = add_note(width, height, said, NOTE_LINE)
    return Page(TITLE, width, height, tuple(panels), (*texts, *notes))


def _scale(measure: _Measure) -> Scale:
    """Return the scale on which most cells aren't squeezed at the foot of the axis."""
    median = max(measure.distribution.median, 1e-9)
    skewed = measure.distribution.quantile(0.995) > SKEWED * median
    return Scale.LOG if skewed and not measure.is_share else Scale.LINEAR


def _shown(measure: _Measure) -> Distribution:
    """Return the values that the scale can show."""
    whole = measure.distribution
    if _scale(measure) is Scale.LOG and whole.values[0] == 0:
        return Distribution(whole.values[1:], whole.counts[1:])
    return whole


def axis_of(title: str, cells: Distribution, scale: Scale, *, whole: bool) -> Axis:
    """Return an axis that a few far cells do not set.

    It ends with the data, or at the farthest of `near_bounds`.
    """
    low, high = span_of(*near_bounds(cells, scale), log=scale is Scale.LOG)
    if scale is Scale.LINEAR:
        low = max(low, -0.03 * high)
    wide = high - low > 4
    return make_axis(title, low, high, scale, n=5, whole=whole and wide)


def _beyond(cells: Distribution, axis: Axis, box: PaperArea) -> list[Text]:
    """Return a text with the number of cells beyond the axis; none without such cells."""
    middle = (box.left + box.right) / 2
    texts = []
    for beyond, y, arrow in (
        (cells.values > axis.high, box.top - 4.0, "↑"),
        (cells.values < axis.low, box.bottom + 11.0, "↓"),
    ):
        n = int(cells.counts[beyond].sum())
        if n:
            words = f"{arrow} {n:,} {'cell' if n == 1 else 'cells'} beyond"
            texts.append(Text(middle, y, words, 8.0, anchor="middle"))
    return texts


def _heading(measure: _Measure, left: float, top: float) -> list[Text]:
    """Return the texts above a panel: its name, and its median in large type."""
    median = measure.write(measure.distribution.median)
    wide = width(median, LARGE, bold=True)
    return [
        Text(left, top + 10.0, measure.heading, MEDIUM, "ink", bold=True),
        Text(left, top + 29.0, median, LARGE, "orange", bold=True),
        Text(left + wide + GAP, top + 29.0, "median", SMALL),
    ]


def _marks(measure: _Measure, cells: Distribution, axis: Axis) -> list[Mark]:
    """Return outline, middle half and median; the cells themselves if few."""
    inside = (cells.values >= axis.low) & (cells.values <= axis.high)
    values, counts = cells.values[inside], cells.counts[inside]
    lowest = float(values[0])
    middle = [max(measure.distribution.quantile(q), lowest) for q in (0.25, 0.5, 0.75)]
    q1, median, q3 = (np.array([value]) for value in middle)
    zero = np.zeros(1)
    found: list[Mark] = []
    if measure.distribution.n < FEW:
        n = int(counts.sum())
        across = (np.arange(n) + 0.5) / n * 0.5 - 0.25
        found.append(Dots(across, np.repeat(values, counts), "blue", 2.6, 0.8))
        found.append(Segments(zero - 0.3, median, zero + 0.3, median, "orange", 1.2))
        return found
    grid, density = smooth(axis.scale.forward(values), counts)
    grid = axis.scale.inverse(grid)
    if len(grid) == 1:
        found.append(Segments(zero - 0.4, grid, zero + 0.4, grid, "blue", 3.0))
    else:
        outline: NDArray[np.float64] = np.concatenate([density, -density[::-1]]) * 0.45
        found.append(Area(outline, np.concatenate([grid, grid[::-1]]), "blue_soft", "blue"))
    found.append(Segments(zero, q1, zero, q3, "blue", 6.0, round_ends=True))
    found.append(Dots(zero, median, "background", 3.4, rim="orange", rim_width=2.0))
    return found


VIOLIN = Figure("violin", TITLE, reading, needs_counts, layout)
