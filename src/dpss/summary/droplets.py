"""Unfiltered droplet matrices: cells above the knee, empty droplets below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpss.stats.cell_tallies import CellSums
from dpss.stats.density import Density
from dpss.stats.histogram import Distribution
from dpss.stats.knee import Knee, find_knee


@dataclass(frozen=True)
class Droplets:
    """Barcodes above and below the knee, in a matrix without cell calling."""

    knee: Knee
    """The knee, with the median counts of both groups."""
    median_genes: float
    """Median genes of the barcodes above the knee."""
    median_genes_background: float
    """Median genes of the barcodes below the knee."""


def find_droplets(cells: CellSums) -> Droplets | None:
    """Return both groups of barcodes; ``None`` where cells were called before.

    The median genes are exact where all cells are in the sample, else within 2 %: those of the
    bins of `CellSums.genes_vs_counts`.
    """
    knee = find_knee(cells.total_counts)
    if knee is None:
        return None
    above, below = _genes_of_groups(cells, knee.min_counts)
    return Droplets(knee, above, below)


def _genes_of_groups(cells: CellSums, min_counts: float) -> tuple[float, float]:
    sample = cells.sample
    if sample.is_complete:
        above = sample.total_counts >= min_counts
        genes = sample.n_genes_by_counts
        return float(np.median(genes[above])), float(np.median(genes[~above]))
    grid = cells.genes_vs_counts
    inside = grid.x_edges[grid.x] >= min_counts
    return _median_of_bins(grid, inside), _median_of_bins(grid, ~inside)


def _median_of_bins(grid: Density, inside: np.ndarray) -> float:
    bins, counts = grid.y[inside], grid.counts[inside]
    order = np.argsort(bins, kind="stable")
    # Barcodes in the lowest bin have no gene at all.
    middles = np.where(bins == 0, 0.0, (grid.y_edges[bins] + grid.y_edges[bins + 1]) / 2)
    return round(Distribution(middles[order], counts[order]).median) if len(bins) else 0.0
