"""Specifications of the plots of all genes, on figure and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.errors import plural
from dpss.figures.elements.axes import make_axis, span_of
from dpss.figures.elements.specification import (
    SQUEEZED,
    Axis,
    Guide,
    LegendEntry,
    Scale,
    Specification,
    shortest_span,
)
from dpss.stats.dispersion import MAX_MEAN, MIN_DISP, MIN_MEAN

if TYPE_CHECKING:
    from dpss.summary.record import Summary

FEW_CELLS = 3
"""Genes found in fewer cells are faded: their dispersion is mostly chance."""
_MEAN = "mean expression, log1p of the mean count per 10,000"


def drawn_genes(summary: Summary) -> NDArray[np.bool_]:
    """Return which genes have mean and normalised dispersion, shape ``(n_genes,)``."""
    genes = summary.genes
    mask = np.isfinite(genes.dispersions_norm) & (genes.means > 0) & (genes.n_cells_by_counts > 0)
    return np.asarray(mask, dtype=bool)


def gene_kinds(summary: Summary) -> tuple[tuple[str, str, NDArray[np.bool_]], ...]:
    """Return colour, name and members of each kind of gene, in drawing order."""
    drawn, genes = drawn_genes(summary), summary.genes
    chosen = drawn & genes.highly_variable
    few = drawn & ~chosen & (genes.n_cells_by_counts < FEW_CELLS)
    return (
        ("faint", f"in fewer than {FEW_CELLS} cells", few),
        ("grey", "other", drawn & ~chosen & ~few),
        ("blue", "highly variable", chosen),
    )


def variability(summary: Summary) -> Specification:
    """Return the plot of normalised dispersion against mean expression."""
    drawn, genes = drawn_genes(summary), summary.genes
    x = _mean_axis(genes.means[drawn])
    norm = genes.dispersions_norm[drawn]
    low, high = _ends(norm, least=(-1.0, 1.0))
    y = make_axis("normalised dispersion", low, 3.0 * high, Scale.ASINH)
    return Specification(x, y, tuple(_cut_offs(x, y)), tuple(_legend(summary)))


def gene_views(summary: Summary) -> dict[str, Specification]:
    """Return every view of the page's plot of genes by name; none without genes."""
    drawn, genes = drawn_genes(summary), summary.genes
    if not drawn.any():
        return {}
    found = genes.n_cells_by_counts > 0
    counts = genes.mean_counts[found]
    whole = tuple(_legend(summary))[:-2]
    return {
        "variability": variability(summary),
        "dispersion": Specification(
            _mean_axis(genes.means[drawn]),
            _dispersion_axis(genes.dispersions[drawn]),
            legend=whole,
        ),
        "detection": Specification(
            make_axis(
                "mean count per cell",
                *span_of(float(counts.min()), float(counts.max()), log=True),
                Scale.LOG,
            ),
            make_axis("% of the cells in which the gene is found", 0.0, 102.0, Scale.ROOT),
            legend=whole,
        ),
    }


def _mean_axis(means: NDArray[np.float64]) -> Axis:
    low, high = span_of(float(means.min()), float(means.max()), log=True)
    return make_axis(_MEAN, low, high, Scale.LOG)


def _dispersion_axis(values: NDArray[np.float64]) -> Axis:
    """Return a linear axis, unless it squeezes the genes.

    The last choice ends where 3 % of the genes lie beyond on either side; the script draws
    these at its ends.
    """
    title = "dispersion, log of variance over mean"
    whole = span_of(float(values.min()), float(values.max()), log=False)
    inner = span_of(*np.quantile(values, [0.03, 0.97]).tolist(), log=False)
    axes = (
        make_axis(title, *whole),
        make_axis(title, *whole, Scale.ASINH),
        make_axis(title, *inner),
    )
    return next((axis for axis in axes if shortest_span(axis, values) >= SQUEEZED), axes[-1])


def _ends(values: NDArray[np.float64], least: tuple[float, float]) -> tuple[float, float]:
    """Return where an axis ends: with the data, and no earlier than ``least``."""
    low, high = min(float(values.min()), least[0]), max(float(values.max()), least[1])
    return low * 1.08, high * 1.08


def _cut_offs(x: Axis, y: Axis) -> list[Guide]:
    """Return guide lines at the cut-offs of highly variable genes."""
    start, end = np.clip([MIN_MEAN, MAX_MEAN], x.low, x.high).tolist()
    found = [Guide("y", MIN_DISP, "", start=start, end=end)]
    found += [
        Guide("x", mean, "", start=MIN_DISP, end=None)
        for mean in (MIN_MEAN, MAX_MEAN)
        if x.low < mean < x.high and y.high > MIN_DISP
    ]
    return found


def _legend(summary: Summary) -> list[LegendEntry]:
    entries = [
        LegendEntry("dot", colour, f"{name}, {plural(int(np.count_nonzero(which)), 'gene')}")
        for colour, name, which in reversed(gene_kinds(summary))
        if which.any() or colour != "faint"
    ]
    n = len(named_genes(summary))
    best = "the most variable" if n == 1 else f"the {n} most variable"
    return [*entries, LegendEntry("dot", "orange", best), LegendEntry("limit", "muted", "cut-offs")]


def named_genes(summary: Summary) -> NDArray[np.int64]:
    """Return the most variable genes that are drawn, best first, as gene indices."""
    best = summary.top_variable()
    return best[drawn_genes(summary)[best]]
