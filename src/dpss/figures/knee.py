"""Figure of cells in the order of their counts: the barcode rank plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.errors import plural
from dpss.figures.base import Figure, needs_counts, noun
from dpss.figures.elements.axes import make_axis, span_of
from dpss.figures.elements.layout import (
    MARGIN,
    NOTE_LINE,
    SMALL,
    add_note,
    foot_of,
    heading,
    is_narrow,
    left_of,
    side_lines,
)
from dpss.figures.elements.marks import Curve, Dots, Mark, Page, Panel, PaperArea, Segments, Text
from dpss.figures.elements.specification import Axis, Scale
from dpss.figures.elements.text import width as width_of
from dpss.stats.histogram import Distribution
from dpss.summary.numerals import number

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Counts per cell by rank"
_N_POINTS = 1500
_FEW = 60
_VERY_FEW = 5


def reading(summary: Summary) -> str:
    """Return the caption: it explains the curve, the dots and the knee."""
    values, n = noun(summary), n_above_knee(summary)
    text = (
        f"The kept cells from the one with the most {values} to the one with the fewest, "
        "both axes logarithmic (barcode rank plot). "
    )
    if n is None:
        return text + (
            "The dot marks the median cell. Cells were already called in this matrix: the curve "
            "ends with the last of them, and a steep end is no border between cells and droplets."
        )
    return text + (
        "The dashed line is the knee, where the curve falls most steeply: about "
        f"{plural(n, 'barcode')} lie above it (blue) and look like cells; those "
        "below (grey) look like droplets with little or nothing in them. The dots mark the "
        "median of either group."
    )


def n_above_knee(summary: Summary) -> int | None:
    """Return the number of barcodes above the knee; ``None`` for called cells."""
    return summary.droplets.knee.n_cells if summary.droplets else None


def ranked(distribution: Distribution) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ranks and values of a falling curve through the cells with counts.

    Each distinct value gives the ranks of the first and the last cell that has it; where
    these are more than can be seen, a selection evenly spread by the rank's logarithm.
    """
    some = distribution.values > 0
    values, counts = distribution.values[some][::-1], distribution.counts[some][::-1]
    last = np.cumsum(counts).astype(np.float64)
    ranks = np.column_stack([last - counts + 1, last]).ravel()
    heights = np.repeat(values, 2)
    if len(ranks) > _N_POINTS:
        wanted = np.geomspace(1, ranks[-1], _N_POINTS)
        keep = np.searchsorted(ranks, wanted).clip(0, len(ranks) - 1)
        keep = keep[np.diff(keep, prepend=-1) > 0]  # `np.unique` imports masked arrays: 25 ms.
        ranks, heights = ranks[keep], heights[keep]
    return ranks, heights


def _value_at(cells: Distribution, rank: float) -> float:
    """Return the counts of the cell of a rank, 1 for the cell with the most."""
    return cells.quantile(1 - (rank - 1) / max(cells.n - 1, 1))


def layout(summary: Summary, width: float) -> Page:
    """Lay out the curve, its medians and the knee."""
    cells, n = summary.counts_per_cell, summary.n_cells_kept
    ranks, heights = ranked(cells)
    head = heading(summary, TITLE, width)
    x = make_axis("cells, ranked by their counts", 0.9, max(n, 2) * 1.15, Scale.LOG, whole=True)
    low, high = span_of(float(heights[-1]), float(heights[0]), log=True, pad=0.07)
    y = make_axis(f"total {noun(summary)} per cell", low, high, Scale.LOG)
    tall = 190.0 if is_narrow(width) else 260.0
    n_lines = len(side_lines(y.title, tall))
    left = left_of([label for _, label in y.ticks], n_lines=n_lines)
    top = head.bottom + (4.0 if n_above_knee(summary) is None else 20.0)
    box = PaperArea(left, top, width - MARGIN - left, tall)
    n_empty = n - int(ranks[-1])
    said = ""
    if n_empty:
        said = f"{plural(n_empty, 'cell')} without counts can't be drawn on logarithmic axes."
    notes, height = add_note(width, foot_of(x.title, box), said, NOTE_LINE)
    marks, texts = _curves(summary, Panel(box, x, y, ()), ranks, heights)
    panel = Panel(box, x, y, tuple(marks))
    return Page(TITLE, width, height, (panel,), (*head.texts, *texts, *notes))


def _curves(
    summary: Summary, panel: Panel, ranks: NDArray[np.float64], heights: NDArray[np.float64]
) -> tuple[list[Mark], list[Text]]:
    cells, n, n_cells = summary.counts_per_cell, summary.n_cells_kept, n_above_knee(summary)
    values = noun(summary)
    if n_cells is None or not 0 < n_cells < n:
        marks: list[Mark] = [Curve(ranks, heights, "blue", 2.0)]
        if len(ranks) <= 2 * _FEW:
            marks.append(Dots(ranks, heights, "blue", 2.0))
        dot, label = _median(panel, cells, (n + 1) / 2, f"median {{}} {values}", "orange")
        return [*marks, *dot], label
    border = _value_at(cells, n_cells)
    above = ranks <= n_cells
    marks = [
        Curve(np.append(n_cells, ranks[~above]), np.append(border, heights[~above]), "grey", 2.0),
        Curve(np.append(ranks[above], n_cells), np.append(heights[above], border), "blue", 2.4),
        _upright(n_cells, panel.y),
    ]
    texts = [_knee_label(panel, n_cells)]
    for rank, text, colour in (
        ((n_cells + 1) / 2, f"median {{}} {values}", "blue"),
        ((n_cells + 1 + n) / 2, "median {} below the knee", "muted"),
    ):
        dot, label = _median(panel, cells, rank, text, colour)
        marks += dot
        texts += label
    return marks, texts


def _upright(n_cells: int, y: Axis) -> Segments:
    at = np.array([float(n_cells)])
    return Segments(at, np.array([y.low]), at, np.array([y.high]), "orange", 1.1, dashed=True)


def _knee_label(panel: Panel, n_cells: int) -> Text:
    text = f"knee: about {plural(n_cells, 'cell')}"
    half = width_of(text, SMALL) / 2
    at = panel.box.left + float(panel.x.fractions(n_cells)) * panel.box.width
    middle = min(max(at, panel.box.left + half), panel.box.right - half)
    return Text(middle, panel.box.top - 6.0, text, SMALL, "orange", anchor="middle")


def _median(
    panel: Panel, cells: Distribution, rank: float, text: str, colour: str
) -> tuple[list[Mark], list[Text]]:
    """Return a dot on the curve and its label, below and left where room is."""
    value = _value_at(cells, rank)
    if value < panel.y.low:
        return [], []
    if value not in cells.values:  # Between two cells: on the line that joins them.
        ranks, heights = (np.log(part[::-1]) for part in ranked(cells))
        rank = float(np.exp(np.interp(np.log(value), heights, ranks)))
    at, height = np.array([rank]), np.array([value])
    (across,), (down,) = panel.place(at, height)
    label = text.format(number(value)).replace(" 1 counts", " 1 count")
    if width_of(label, SMALL) > across - 11.0 - panel.box.left:  # Better short than elsewhere.
        label = " ".join(label.split(" ")[:2])
    wide = width_of(label, SMALL)
    left = across - 7.0 - wide >= panel.box.left + 4.0 and cells.n > _VERY_FEW
    x, anchor = (across - 7.0, "end") if left else (across + 7.0, "start")
    y = down + 13.0 if left and down + 16 < panel.box.bottom else down - 7.0
    return (
        [Dots(at, height, "background", 3.4, rim=colour, rim_width=2.0)],
        [Text(float(x), float(y), label, SMALL, colour, anchor=anchor, halo=True)],
    )


KNEE = Figure("knee", TITLE, reading, needs_counts, layout)
