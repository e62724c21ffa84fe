"""Plots of cells by two measures: axes, limits, bins and dots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dpss.errors import plural
from dpss.figures.elements.cells import FEW, TOGETHER, Picture, picture_of, places_of
from dpss.figures.elements.layout import (
    LINE,
    MARGIN,
    NOTE_LINE,
    SMALL,
    add_note,
    foot_of,
    heading,
    is_narrow,
    left_of,
    legend,
    side_lines,
    spread,
    wrap,
)
from dpss.figures.elements.marks import (
    Dots,
    Mark,
    Page,
    Panel,
    PaperArea,
    Rectangles,
    Segments,
    Text,
)
from dpss.figures.elements.palette import DENSITIES
from dpss.figures.elements.plotted_measures import PlottedMeasure
from dpss.figures.elements.specification import Axis, Guide, LegendEntry, Specification
from dpss.figures.elements.text import width
from dpss.stats.density import Density
from dpss.summary.numerals import percent

if TYPE_CHECKING:
    from dpss.summary.record import Summary

_ASPECT = 1.25
"""Width of the axes over their height, on wide paper; squares are square there."""
_VERY_FEW = 60
"""Up to this many dots are large."""
_RIGHT = 96.0
"""Room for labels right of the axes, on wide paper."""


@dataclass(frozen=True, eq=False)
class CellPlot:
    """A plot of cells by two measures: its specification and its cells."""

    specification: Specification
    picture: Picture
    n_hidden: int
    """Number of cells without counts, which a logarithmic axis can't show."""
    n_beyond: int
    """Number of other cells that lie beyond an axis: see `PlottedMeasure.axis`."""

    @property
    def n_drawn(self) -> int:
        """Number of cells that are shown, in bins or as dots."""
        return int(self.picture.n.sum()) + len(self.picture.dot_x)


def describe_marks(summary: Summary) -> str:
    """Return the sentences of a caption that explain bins and dots."""
    lines = (
        "The thin lines are the medians; dashed ones are suggested limits (usual ones, and three "
        "median absolute deviations), with the number of cells beyond."
    )
    if summary.n_cells_kept <= FEW:
        return f"Each dot is a cell, in its place to within 3 %. {lines}"
    return (
        f"Where {TOGETHER} or more cells fall together, they are a square, darker for more cells; "
        f"every other cell is a dot, in its place to within 3 %. {lines}"
    )


def cell_plot(density: Density, x: PlottedMeasure, y: PlottedMeasure) -> CellPlot:
    """Return the plot of cells by two measures."""
    across, up = x.axis(), y.axis()
    places = places_of(density, x.distribution, y.distribution)
    picture = picture_of(places, across, up, _ASPECT)
    guides = (*_guides("x", x, across), *_guides("y", y, up))
    specification = Specification(across, up, guides, tuple(_entries(picture)))
    n_hidden = int(x.distribution.counts[x.distribution.values == 0].sum())
    n_beyond = x.distribution.n - n_hidden - int(picture.n.sum()) - len(picture.dot_x)
    return CellPlot(specification, picture, n_hidden, n_beyond)


def _guides(along: str, measure: PlottedMeasure, axis: Axis) -> list[Guide]:
    """Return the lines at the median and at the limits that lie within the axis."""
    median = measure.distribution.median
    found = [Guide(along, median, f"median {measure.describe(median)}", "median")]
    for each in measure.limits:
        if each.limit is None:
            continue
        n = measure.distribution.n - each.n_cells_kept
        share = f" ({percent(100 * n / measure.distribution.n)})" if n else ""
        where = "above" if each.side == "at most" else "below"
        said = f"{plural(n, 'cell')}{share} {where} {measure.describe(each.limit)}"
        found.append(Guide(along, each.limit, said))
    return [guide for guide in found if axis.low < guide.at < axis.high]


def _entries(picture: Picture) -> list[LegendEntry]:
    """Return the entries of the legend."""
    entries = [LegendEntry("dot", "blue", "one cell")]
    for n, step in enumerate(picture.steps):
        last = n + 1 == len(picture.steps)
        text = f"{step:,} or more" if last else f"{step:,}–{picture.steps[n + 1] - 1:,}"
        text += " cells" if last else ""
        entries.append(LegendEntry("bin", shade_role(n, len(picture.steps)), text))
    return entries


def shade_role(n: int, n_steps: int) -> str:
    """Return the colour role of one shade of ``n_steps``."""
    return DENSITIES[n if n_steps == len(DENSITIES) else round(n * 4 / max(n_steps - 1, 1))]


def lay_out_cells(summary: Summary, title: str, plot: CellPlot, paper: float) -> Page:
    """Return the plot on paper of this width."""
    spec = plot.specification
    head = heading(summary, title, paper)
    narrow = is_narrow(paper)
    right = paper - (MARGIN * 0.75 if narrow else _RIGHT)
    aspect = 1.0 if narrow else _ASPECT
    labels = [label for _, label in spec.y.ticks]
    left = left_of(labels)
    for _ in range(2):  # A further line of the title makes the panel smaller.
        n_lines = len(side_lines(spec.y.title, (right - left) / aspect))
        left = left_of(labels, n_lines=n_lines)
    entries = list(spec.legend)
    if narrow:  # There is no room at the lines: their labels are in the legend.
        entries += [LegendEntry(g.kind, _role(g), g.text) for g in spec.guides if g.text]
    key = legend(entries, MARGIN, head.bottom, paper - MARGIN)
    top = key.bottom + (8.0 if narrow else LINE + 10.0)
    box = PaperArea(left, top, right - left, (right - left) / aspect)
    notes, height = add_note(paper, foot_of(spec.x.title, box), _left_out(plot), NOTE_LINE)
    panel = Panel(box, spec.x, spec.y, tuple(cell_marks(plot, 1.1 if narrow else 1.5)))
    texts = [*head.texts, *key.texts]
    if not narrow:
        texts += _labels(panel, spec.guides)
    return Page(title, paper, height, (panel,), (*texts, *notes), key.swatches)


def _left_out(plot: CellPlot) -> str:
    """Return a sentence on the cells that the plot leaves out; empty for none."""
    said = []
    if plot.n_hidden:
        cells = plural(plot.n_hidden, "cell")
        said.append(f"{cells} without counts can't be drawn on a logarithmic axis.")
    if plot.n_beyond:
        said.append(f"{plural(plot.n_beyond, 'cell')} far from all others beyond the axes.")
    return " ".join(said)


def cell_marks(plot: CellPlot, radius: float) -> list[Mark]:
    """Return bins, dots of a radius in points, and lines."""
    picture = plot.picture
    found: list[Mark] = []
    for shade in range(len(picture.steps)):
        these = picture.shade == shade
        found.append(
            Rectangles(
                picture.left[these],
                picture.bottom[these],
                picture.right[these],
                picture.top[these],
                shade_role(shade, len(picture.steps)),
            )
        )
    n_dots = len(picture.dot_x)
    if plot.n_drawn > FEW:
        found.append(Dots(picture.dot_x, picture.dot_y, "blue", radius))
    else:
        size = radius * (2.2 if n_dots <= _VERY_FEW else 1.5)
        found.append(Dots(picture.dot_x, picture.dot_y, "blue", size, 0.6))
    return found + guide_marks(plot.specification)


def guide_marks(spec: Specification, limit: str = "orange") -> list[Mark]:
    """Return the guide lines; ``limit`` is the colour of limits."""
    found: list[Mark] = []
    for guide in spec.guides:
        other = spec.y if guide.along == "x" else spec.x
        ends = (
            other.low if guide.start is None else guide.start,
            other.high if guide.end is None else guide.end,
        )
        at, start, end = (np.array([value]) for value in (guide.at, *ends))
        places = (at, start, at, end) if guide.along == "x" else (start, at, end, at)
        is_median = guide.kind == "median"
        colour, wide = ("muted", 0.9) if is_median else (limit, 1.1)
        found.append(Segments(*places, colour, wide, dashed=not is_median))
    return found


def _labels(panel: Panel, guides: tuple[Guide, ...]) -> list[Text]:
    """Return the labels of the guides, above and right of the axes, where no data lie."""
    box = panel.box
    texts: list[Text] = []
    upright = sorted((g for g in guides if g.along == "x" and g.text), key=lambda g: g.at)
    places = [box.left + float(panel.x.fractions(g.at)) * box.width for g in upright]
    sizes = [width(g.text, SMALL) + 10.0 for g in upright]
    for guide, x in zip(
        upright, spread(places, sizes, box.left - 20, box.right + _RIGHT), strict=True
    ):
        texts.append(Text(x, box.top - 6.0, guide.text, SMALL, _role(guide), anchor="middle"))
    level = sorted((g for g in guides if g.along == "y" and g.text), key=lambda g: -g.at)
    lines = [wrap(g.text, _RIGHT - 18.0, SMALL) for g in level]
    places = [box.bottom - float(panel.y.fractions(g.at)) * box.height for g in level]
    heights = [len(part) * 11.0 + 4.0 for part in lines]
    for guide, part, y in zip(
        level, lines, spread(places, heights, box.top, box.bottom + 20), strict=True
    ):
        first = y - (len(part) - 1) * 5.5 + SMALL * 0.36
        texts.extend(
            Text(box.right + 6.0, first + n * 11.0, line, SMALL, _role(guide))
            for n, line in enumerate(part)
        )
    return texts


def _role(guide: Guide) -> str:
    return "muted" if guide.kind == "median" else "orange"
