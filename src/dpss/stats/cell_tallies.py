"""Distributions of the measures of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.stats.cell_sample import CellSample, CellSampler
from dpss.stats.density import Density, Grid, log_bins, log_edges, percent_bins, percent_edges
from dpss.stats.histogram import Distribution, Tally
from dpss.stats.kernels import layout


@dataclass(frozen=True)
class CellSums:
    """Distributions of the kept cells' measures."""

    n_cells: int
    """Cells of the matrix, kept or not."""
    n_cells_kept: int
    """Cells with enough genes and counts."""
    n_genes_by_counts: Distribution
    """Genes detected per kept cell."""
    total_counts: Distribution
    """Counts per kept cell."""
    pct_counts_mt: Distribution | None
    """Percentage of counts in mitochondrial genes per kept cell; ``None`` without such genes."""
    genes_vs_counts: Density
    """Kept cells by total counts (x) and genes detected (y), logarithmic bins."""
    mt_vs_counts: Density | None
    """Kept cells by total counts (x) and mitochondrial percentage (y)."""
    sample: CellSample
    """All measures of the kept cells, or of a sample of them."""


class CellTallies:
    """Distributions of per-cell measures, mergeable."""

    def __init__(self, groups: Sequence[bool]) -> None:
        """Start without cells.

        Args:
            groups: Whether there is a gene in each group of `layout.GROUPS`.
        """
        self.n_cells = 0
        self._groups = tuple(groups)
        self._n_genes = Tally()
        self._totals = Tally()
        self._pct_mt = Tally() if groups[0] else None
        self._genes_vs_counts = Grid(log_edges(), log_edges())
        self._mt_vs_counts = Grid(log_edges(), percent_edges())
        self._sampler = CellSampler()

    def add(self, start: int, measures: NDArray[np.float64]) -> None:
        """Add consecutive cells; those with negative ``n_genes_by_counts`` are not kept.

        Args:
            start: Index of the first cell in the matrix.
            measures: Shape ``(n_cells, N_MEASURES)``, columns as in `layout`.
        """
        self.n_cells += len(measures)
        cells = np.arange(start, start + len(measures), dtype=np.int64)
        kept = measures[:, layout.N_GENES_BY_COUNTS] >= 0
        if not kept.all():
            measures, cells = measures[kept], cells[kept]
        self._sampler.add(cells, measures)
        n_genes = measures[:, layout.N_GENES_BY_COUNTS]
        totals = measures[:, layout.TOTAL_COUNTS]
        count_bins = log_bins(totals)
        self._n_genes.add(n_genes)
        self._totals.add(totals)
        self._genes_vs_counts.add(count_bins, log_bins(n_genes))
        if self._pct_mt is not None:
            percents = percentages(measures[:, layout.COUNTS_MT], totals)
            self._pct_mt.add(percents)
            self._mt_vs_counts.add(count_bins, percent_bins(percents))

    def merge(self, other: CellTallies) -> None:
        """Add the cells of another one."""
        self.n_cells += other.n_cells
        self._n_genes.merge(other._n_genes)
        self._totals.merge(other._totals)
        self._genes_vs_counts.merge(other._genes_vs_counts)
        self._sampler.merge(other._sampler)
        if self._pct_mt is not None and other._pct_mt is not None:
            self._pct_mt.merge(other._pct_mt)
            self._mt_vs_counts.merge(other._mt_vs_counts)

    def result(self) -> CellSums:
        """Return the distributions of all added cells."""
        n_genes = self._n_genes.distribution()
        return CellSums(
            n_cells=self.n_cells,
            n_cells_kept=n_genes.n,
            n_genes_by_counts=n_genes,
            total_counts=self._totals.distribution(),
            pct_counts_mt=None if self._pct_mt is None else self._pct_mt.distribution(),
            genes_vs_counts=self._genes_vs_counts.density(),
            mt_vs_counts=None if self._pct_mt is None else self._mt_vs_counts.density(),
            sample=self._sampler.sample(n_genes.n, self._groups),
        )


def percentages(parts: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return parts of totals in percent; 0 where the total is 0."""
    return 100 * np.divide(parts, totals, out=np.zeros_like(totals), where=totals > 0)
