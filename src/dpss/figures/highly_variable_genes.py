"""Figure of every gene by mean and normalised dispersion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.base import Figure, needs_counts
from dpss.figures.elements.density_scatter import guide_marks
from dpss.figures.elements.labels import place_labels
from dpss.figures.elements.layout import (
    MARGIN,
    SMALL,
    foot_of,
    heading,
    is_narrow,
    left_of,
    legend,
)
from dpss.figures.elements.marks import Dots, Mark, Page, Panel, PaperArea, Segments, Text
from dpss.figures.elements.text import elide, width
from dpss.figures.gene_plots import (
    FEW_CELLS,
    drawn_genes,
    gene_kinds,
    named_genes,
    variability,
)
from dpss.stats.dispersion import N_BINS

if TYPE_CHECKING:
    from dpss.summary.record import Summary

TITLE = "Genes with the most variable expression"
_N_NARROW = 8
"""Genes that are named on narrow paper."""


def needs(summary: Summary) -> str | None:
    """Return the reason why there is no dispersion; ``None`` if there is."""
    if summary.n_cells_kept == 1:
        return "a single cell has no variability"
    reason = needs_counts(summary)
    if reason is None and not drawn_genes(summary).any():
        return "no gene has a defined dispersion"
    return reason


def reading(summary: Summary) -> str:
    """Return the caption: it explains dots, colours, cut-offs and names."""
    n, n_named = int(np.count_nonzero(summary.genes.highly_variable)), len(summary.top_variable())
    return (
        "Each dot is a gene: how strongly it is expressed (x) and how much more or less its "
        "expression varies between cells than that of genes expressed alike (y, normalised "
        "dispersion of the counts per 10,000; the scale is linear near 0, logarithmic farther "
        "out). "
        f"Dashed lines are the usual cut-offs; {n:,} {'gene passes' if n == 1 else 'genes pass'} "
        f"them (blue). The most variable {'one is' if n_named == 1 else f'{n_named} are'} orange, "
        "within the cut-offs or not, and named where a name hides no dots. Genes of fewer than "
        f"{FEW_CELLS} cells are faded, as their dispersion is mostly chance. Genes are "
        f"compared within {N_BINS} equally wide bins of their mean; at the border of two bins all "
        "dots may step up or down together, which is an effect of the method, not of the genes."
    )


def layout(summary: Summary, width: float) -> Page:
    """Lay out all genes, cut-offs and names."""
    spec = variability(summary)
    head = heading(summary, TITLE, width)
    narrow = is_narrow(width)
    key = legend(spec.legend, MARGIN, head.bottom, width - MARGIN)
    left = left_of([label for _, label in spec.y.ticks])
    box = PaperArea(left, key.bottom + 6.0, width - MARGIN - left, 210.0 if narrow else 320.0)
    height = foot_of(spec.x.title, box)
    best = named_genes(summary)
    texts, lines = _names(Panel(box, spec.x, spec.y, ()), summary, best, narrow=narrow)
    guides = guide_marks(spec, limit="muted")
    panel = Panel(box, spec.x, spec.y, (*_genes(summary), *guides, *lines, _named(summary, best)))
    return Page(TITLE, width, height, (panel,), (*head.texts, *key.texts, *texts), key.swatches)


def _genes(summary: Summary) -> list[Mark]:
    x, y = summary.genes.means, summary.genes.dispersions_norm
    return [
        Dots(x[which], y[which], colour, 1.3, 0.9 if colour == "faint" else 0.7)
        for colour, _, which in gene_kinds(summary)
    ]


def _named(summary: Summary, best: NDArray[np.int64]) -> Dots:
    x, y = summary.genes.means, summary.genes.dispersions_norm
    return Dots(x[best], y[best], "orange", 2.3, rim="background", rim_width=0.6)


def _names(
    panel: Panel, summary: Summary, best: NDArray[np.int64], *, narrow: bool
) -> tuple[list[Text], list[Mark]]:
    """Return names of the most variable genes, where room is, and lines to far ones."""
    box, genes = panel.box, summary.genes

    def in_points(which: NDArray[np.int64]) -> NDArray[np.float64]:
        across, down = panel.place(genes.means[which], genes.dispersions_norm[which])
        return np.column_stack([across - box.left, box.bottom - down])

    marked = in_points(best)
    at = marked[:_N_NARROW] if narrow else marked
    names = [elide(label, 120, SMALL) for label in summary.gene_labels(best[: len(at)])]
    sizes = [(width(name, SMALL), SMALL * 1.1) for name in names]
    drawn = drawn_genes(summary)
    drawn[best] = False
    others = in_points(np.flatnonzero(drawn))
    places = place_labels(at, sizes, (box.width, box.height), marked, others)
    texts: list[Text] = []
    starts, ends = [], []
    for name, (x, y), size, spot in zip(names, at.tolist(), sizes, places, strict=True):
        if spot is None:
            continue
        if spot.far:
            starts.append((x, y))
            ends.append(spot.nearest(x, y, size))
        texts.append(
            Text(box.left + spot.x, box.bottom - spot.y - 2.2, name, SMALL, "ink", halo=True)
        )
    if not starts:
        return texts, []
    (x0, y0), (x1, y1) = (_to_values(panel, np.array(points)) for points in (starts, ends))
    return texts, [Segments(x0, y0, x1, y1, "muted", 0.6)]


def _to_values(
    panel: Panel, points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the axes' values of points measured from the panel's lower left corner."""
    found = []
    for axis, parts in (
        (panel.x, points[:, 0] / panel.box.width),
        (panel.y, points[:, 1] / panel.box.height),
    ):
        low, high = axis.scale.forward([axis.low, axis.high])
        found.append(axis.scale.inverse(low + parts * (high - low)))
    return found[0], found[1]


HIGHLY_VARIABLE_GENES = Figure("highly_variable_genes", TITLE, reading, needs, layout)
