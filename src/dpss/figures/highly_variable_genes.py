"""Every gene by mean and normalised dispersion, the most variable ones by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpss.figures.base import Figure, needs_counts
from dpss.figures.elements.axes import set_axis, span_of
from dpss.figures.elements.labels import place_labels
from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.style import HEADER, MARGIN, SMALL, paper, place
from dpss.figures.elements.text import elide, width
from dpss.stats.dispersion import MAX_MEAN, MIN_DISP, MIN_MEAN

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

    from dpss.summary.record import Summary

TITLE = "Genes with the most variable expression"


def needs(summary: Summary) -> str | None:
    """Say why there is no dispersion."""
    if summary.n_cells_kept == 1:
        return "a single cell has no variability"
    reason = needs_counts(summary)
    if reason is None and not _drawn(summary).any():
        return "no gene has a defined dispersion"
    return reason


def reading(summary: Summary) -> str:
    """Say how to read the figure."""
    n, n_named = int(np.count_nonzero(summary.genes.highly_variable)), len(summary.top_variable())
    return (
        "Each dot is a gene: how strongly it is expressed (x) and how much more or less its "
        "expression varies between cells than that of genes expressed alike (y, normalised "
        "dispersion of the counts per 10,000). "
        f"Dashed lines are the usual cut-offs; {n:,} {'gene passes' if n == 1 else 'genes pass'} "
        f"them (blue). The most variable {'one is' if n_named == 1 else f'{n_named} are'} named, "
        "within the cut-offs or not."
    )


def _drawn(summary: Summary) -> NDArray[np.bool_]:
    """Tell which genes have both numbers."""
    genes = summary.genes
    mask = np.isfinite(genes.dispersions_norm) & (genes.means > 0) & (genes.n_cells_by_counts > 0)
    return np.asarray(mask, dtype=bool)


def drawing(summary: Summary) -> matplotlib.figure.Figure:
    """Draw all genes, cut-offs and names."""
    genes, drawn = summary.genes, _drawn(summary)
    best = summary.top_variable()
    best = best[drawn[best]]
    x, y, chosen = genes.means, genes.dispersions_norm, genes.highly_variable & drawn
    fig = paper(summary, TITLE, 6.0)
    ax = place(fig, MARGIN + 0.5, 0.75, MARGIN + 0.05, HEADER + 0.3)
    set_axis(ax, "x", span_of(x[drawn].min(), x[drawn].max(), log=True), log=True)
    low, high = span_of(min(y[drawn].min(), 0), max(y[drawn].max(), 1), log=False)
    set_axis(ax, "y", (low, high + 0.06 * (high - low)), log=False, n=6)
    ax.set_xlabel("mean expression, log1p of the mean count per 10,000")
    ax.set_ylabel("normalised dispersion")
    rest = drawn & ~chosen
    for mask, colour, name in (
        (rest, LIGHT.grey, "other"),
        (chosen, LIGHT.blue, "highly variable"),
    ):
        n = np.count_nonzero(mask)
        ax.scatter(
            x[mask], y[mask], s=6, color=colour, alpha=0.55, linewidths=0, rasterized=True,
            label=f"{name}, {n:,} {'gene' if n == 1 else 'genes'}",
        )  # fmt: skip
    ax.scatter(
        x[best], y[best], s=20, color=LIGHT.orange, linewidths=0.6,
        edgecolor=LIGHT.background, zorder=4,
        label=f"the {len(best)} most variable" if len(best) > 1 else "the most variable",
    )  # fmt: skip
    _cut_offs(ax)
    _names(ax, summary, best, np.column_stack([x[chosen], y[chosen]]))
    ax.legend(
        loc="lower left", bbox_to_anchor=(-0.015, 1.0), ncols=3, frameon=False, markerscale=1.6,
        handletextpad=0.1, columnspacing=1.4, borderaxespad=0.1, labelcolor=LIGHT.muted,
    )  # fmt: skip
    return fig


def _cut_offs(ax: Axes) -> None:
    """Draw the borders of what counts as highly variable."""
    (left, right), (_, top) = ax.get_xlim(), ax.get_ylim()
    ends = np.clip([MIN_MEAN, MAX_MEAN], left, right)
    style: dict[str, Any] = {"color": LIGHT.muted, "lw": 0.9, "ls": (0, (4, 3)), "zorder": 3}
    ax.hlines(MIN_DISP, ends[0], ends[1], **style)
    for mean in (MIN_MEAN, MAX_MEAN):
        if left < mean < right and top > MIN_DISP:
            ax.vlines(mean, MIN_DISP, top, **style)


def _names(
    ax: Axes, summary: Summary, best: NDArray[np.int64], others: NDArray[np.float64]
) -> None:
    """Write the names of the most variable genes where there is room."""
    box = ax.get_window_extent()
    to_points = 72 / ax.figure.dpi
    corner = np.array([box.x0, box.y0])

    def in_points(data: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((ax.transData.transform(data) - corner) * to_points)

    at = in_points(
        np.column_stack([summary.genes.means[best], summary.genes.dispersions_norm[best]])
    )
    names = [elide(label, 120, SMALL) for label in summary.gene_labels(best)]
    sizes = [(width(name, SMALL), SMALL * 1.1) for name in names]
    area = (box.width * to_points, box.height * to_points)
    behind = {"facecolor": LIGHT.background, "alpha": 0.7, "linewidth": 0, "pad": 0.4}
    places = place_labels(at, sizes, area, in_points(others))
    for name, (x, y), size, spot in zip(names, at.tolist(), sizes, places, strict=True):
        if spot is None:
            continue
        if spot.far:
            line = np.array([(x, y), spot.nearest(x, y, size)]) / area
            ax.plot(*line.T, transform=ax.transAxes, color=LIGHT.line, lw=0.7, zorder=3.5)
        ax.text(
            spot.x / area[0], (spot.y + 2.2) / area[1], name, transform=ax.transAxes, size=SMALL,
            gid="gene", zorder=5, bbox=behind,
        )  # fmt: skip


HIGHLY_VARIABLE_GENES = Figure("highly_variable_genes", TITLE, reading, needs, drawing)
