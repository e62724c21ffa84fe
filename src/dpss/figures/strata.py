"""Figure of strata side by side: medians, spreads and outliers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dpss.errors import plural
from dpss.figures.base import Figure, noun
from dpss.figures.elements.layout import (
    MARGIN,
    MEDIUM,
    SMALL,
    add_note,
    foot_of,
    heading,
    is_narrow,
)
from dpss.figures.elements.marks import Page, PaperArea, Text
from dpss.figures.elements.specification import Scale
from dpss.figures.elements.spreads import spread_panel
from dpss.figures.elements.text import elide
from dpss.figures.elements.text import width as width_of
from dpss.summary.strata import COMPARED, Strata, Stratum

if TYPE_CHECKING:
    from dpss.stats.histogram import Distribution
    from dpss.summary.record import Summary

TITLE = "Parts of the cells side by side"
_ROW = 15.0
_BETWEEN = 20.0
_MAX_NAME = 130.0
"""Room for a name on wide paper; a longer one is cut."""
_MAX_NAME_NARROW = 72.0
_MAX_ROWS_NARROW = 24
"""Rows on narrow paper, where each measure has rows of its own."""


@dataclass(frozen=True)
class _StrataMeasure:
    """One panel."""

    name: str
    """Name of the measure, as in `COMPARED`."""
    heading: str
    strata: list[Distribution]
    whole: Distribution

    @property
    def scale(self) -> Scale:
        return Scale.LOG if COMPARED[self.name] else Scale.LINEAR


def reading(summary: Summary) -> str:
    """Return the caption: it explains medians, spreads and outliers."""
    by = f" of {summary.strata.by}" if summary.strata else ""
    return (
        f"Each row is the cells of one value{by}: the line spans 90 % of them, the bar the middle "
        "half, the dot is the median; the dashed line is the median of all cells. A row in orange "
        "with a diamond stands apart: its median is more than 3 + 6/n median absolute deviations "
        "from that of all n, and differs by more than a quarter."
    )


def needs_strata(summary: Summary) -> str | None:
    """Return the reason why there is no figure, if no stratum has a kept cell."""
    if summary.strata is None or not any(each.n_cells_kept for each in summary.strata.strata):
        return "no cells were kept"
    return None


def layout(summary: Summary, width: float) -> Page:
    """Lay out a panel per measure, side by side or, on narrow paper, in a column."""
    found = _strata_of(summary)
    narrow = is_narrow(width)
    known = [each for each in found.strata if each.n_cells_kept]
    strata = _shown(known, _MAX_ROWS_NARROW if narrow else len(known))
    measures = _measures(summary, strata)
    head = heading(summary, TITLE, width)
    room = _MAX_NAME_NARROW if narrow else _MAX_NAME
    names = [elide(each.name, room, SMALL) for each in strata]
    sizes = [f"{each.n_cells_kept:,}" for each in strata]
    by = elide(found.by, room, SMALL)
    sized = MARGIN + max(width_of(name, SMALL) for name in (by, *names)) + 9.0
    sized += max(width_of(size, SMALL) for size in ("cells", *sizes))
    start = sized + 9.0
    room = width - start - MARGIN
    wide = room if narrow else (room - _BETWEEN * (len(measures) - 1)) / len(measures)
    tall = len(strata) * _ROW
    panels, texts = [], list(head.texts)
    for n, measure in enumerate(measures):
        named = narrow or n == 0
        top = head.bottom + 18.0 + (n * (tall + 66.0) if narrow else 0)
        box = PaperArea(start + (0 if narrow else n * (wide + _BETWEEN)), top, wide, tall)
        texts.append(Text(box.left, top - 6.0, measure.heading, MEDIUM, "ink", bold=True))
        if named:
            texts += _names((by, *names), ("cells", *sizes), sized, top)
        odd = [k for k, each in enumerate(strata) if measure.name in each.odd]
        colours = ["orange" if k in odd else "blue" for k in range(len(strata))]
        panels.append(
            spread_panel(
                box,
                measure.strata,
                measure.whole,
                measure.scale,
                colours,
                marked=odd,
                guide="muted",
            )
        )
    height = max(foot_of(panel.x.title or " ", panel.box) for panel in panels)
    n_more = len(known) - len(strata)
    said = f"{plural(n_more, 'row')} more in the wide figure." if n_more else ""
    notes, height = add_note(width, height, said)
    return Page(TITLE, width, height, tuple(panels), (*texts, *notes))


def _strata_of(summary: Summary) -> Strata:
    if summary.strata is None:
        raise ValueError("the summary has no strata")
    return summary.strata


def _shown(strata: list[Stratum], most: int) -> list[Stratum]:
    """Return at most ``most`` strata, in order: outliers first, then the largest."""
    order = sorted(range(len(strata)), key=lambda k: (not strata[k].odd, k))
    return [strata[k] for k in sorted(order[:most])]


def _measures(summary: Summary, strata: list[Stratum]) -> list[_StrataMeasure]:
    """Return the measures that all of the strata have."""
    wholes = {
        "n_genes_by_counts": ("Genes per cell", summary.n_genes_by_counts),
        "total_counts": (f"Total {noun(summary)}", summary.counts_per_cell),
        "pct_counts_mt": ("Mitochondrial, %", summary.pct_counts_mt),
    }
    return [
        _StrataMeasure(name, title, [each.measures[name] for each in strata], whole)
        for name, (title, whole) in wholes.items()
        if whole is not None and all(name in each.measures for each in strata)
    ]


def _names(names: Sequence[str], sizes: Sequence[str], right: float, top: float) -> list[Text]:
    """Return two columns with headings: names, and sizes that end at ``right``."""
    texts = [
        Text(MARGIN, top - 6.0, names[0], SMALL),
        Text(right, top - 6.0, sizes[0], SMALL, anchor="end"),
    ]
    for row, (name, size) in enumerate(zip(names[1:], sizes[1:], strict=True)):
        y = top + (row + 0.5) * _ROW + SMALL * 0.36
        texts.append(Text(MARGIN, y, name, SMALL, "ink"))
        texts.append(Text(right, y, size, SMALL, anchor="end"))
    return texts


STRATA = Figure("strata", TITLE, reading, needs_strata, layout)
