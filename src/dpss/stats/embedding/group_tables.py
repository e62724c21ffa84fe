"""Sums and histograms of values per group of cells and gene, and the genes that have them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.model import CellBlock
from dpss.stats.embedding.fixed import N_LOGARITHMS, UNIT
from dpss.stats.embedding.group_sums import N_GROUP_SUMS, add_groups
from dpss.stats.histogram import Distribution

MEASURES = ("n_genes_by_counts", "total_counts", "pct_counts_mt")
"""Measures of cells whose distributions and means are kept."""
LARGEST_VALUE = 6
"""Upper end of the histograms of log-normalised values; larger ones are in the last bin."""
_TABLE_BYTES = 56 << 20
"""Most memory for the tables of all groups, per thread."""
_NUMBERS_OF_BINS = (32, 28, 24, 20, 16)
"""Numbers of bins, of which the largest is taken that leaves room for all genes.

Of the five best genes by the exact rank-sum test, for 25 groups in 6,000 simulated cells, 32 and 24
bins found 96 %, 16 bins 92 %. Bins of equal numbers of values found 66 % to 74 %: the values of
markers are large, and would share few bins.
"""
_RARE = 0.005


@dataclass(frozen=True)
class HistogramGenes:
    """Genes that can be markers: their values are kept as sums and histograms per cluster."""

    rows: NDArray[np.int32]
    """Row of each feature, -1 for none, shape ``(n_features,)``; genes keep their order."""
    n_bins: int
    """Bins for values above zero, an even number."""

    @property
    def n_rows(self) -> int:
        """Number of these genes."""
        return int(self.rows.max(initial=-1)) + 1

    @classmethod
    def choose(
        cls,
        smallest: float,
        n_groups: int,
        is_gene: NDArray[np.int64],
        found_in: NDArray[np.int64],
        n_cells: int,
        n_features: int,
    ) -> HistogramGenes:
        """Choose genes that are found in enough cells, as many as the memory has room for.

        Enough is a quarter of the smallest group's cells, or 0.5 % of all cells where that is
        fewer; of too many genes, those found in the most cells are taken.

        Args:
            smallest: Cells of the smallest group, about.
            n_groups: Number of groups.
            is_gene: Feature of each gene, shape ``(n_genes,)``.
            found_in: Kept cells with each gene, shape ``(n_genes,)``.
            n_cells: Number of kept cells.
            n_features: Number of features.
        """
        enough = np.flatnonzero(found_in >= max(3.0, min(smallest / 4, _RARE * n_cells)))
        most, n_bins = 0, 0
        for n_bins in _NUMBERS_OF_BINS:
            most = _TABLE_BYTES // (n_groups * 8 * _width(n_bins))
            if len(enough) <= most:
                break
        best = enough[np.argsort(-found_in[enough], kind="stable")][:most]
        rows = np.full(n_features, -1, dtype=np.int32)
        rows[is_gene[np.sort(best)]] = np.arange(len(best))
        return cls(rows, n_bins)

    def empty_tables(self, n_groups: int) -> NDArray[np.int64]:
        """Return tables of zeros, shape ``(n_groups, n_rows, N_GROUP_SUMS + n_bins / 2)``."""
        return np.zeros((n_groups, self.n_rows, _width(self.n_bins)), dtype=np.int64)

    def add(
        self,
        block: CellBlock,
        totals: NDArray[np.float64],
        labels: NDArray[np.int16],
        tables: NDArray[np.int64],
    ) -> None:
        """Add the values of a block to tables.

        Args:
            block: Whole cells.
            totals: Counts of each cell, shape ``(n_cells,)``.
            labels: Group of each cell, -1 for none, shape ``(n_cells,)``.
            tables: Changed.
        """
        longest = int(np.diff(block.indptr).max(initial=0))
        work = np.empty((2, longest), dtype=np.int64)
        add_groups(
            block.indptr, block.indices, block.data, totals, labels,
            np.argsort(labels, kind="stable"), np.empty(N_LOGARITHMS, dtype=np.int64),
            self.rows, self.n_rows, _width(self.n_bins),
            (self.n_bins << 32) // (LARGEST_VALUE * UNIT), work[0], work[1], tables.reshape(-1),
        )  # fmt: skip


def _width(n_bins: int) -> int:
    return N_GROUP_SUMS + n_bins // 2


@dataclass(frozen=True)
class GroupSums:
    """Sums and distributions of groups of cells, which are numbered by size."""

    sizes: NDArray[np.int64]
    """Cells, shape ``(n_groups,)``."""
    places: NDArray[np.int64]
    """Place of each group on the first axis of ``tables``, shape ``(n_groups,)``: they are
    too large to be copied into the order of the groups."""
    histogram_genes: HistogramGenes
    tables: NDArray[np.int64]
    """``sums`` and ``histograms`` beside each other: see `add_groups`."""
    measures: tuple[tuple[Distribution, ...], ...]
    """Distribution of each of `MEASURES` in each group."""

    @property
    def sums(self) -> NDArray[np.int64]:
        """Sum and sum of squares of the values in fixed point, a view.

        Shape ``(n_groups, n_rows, N_GROUP_SUMS)``.
        """
        return self.tables[:, :, :N_GROUP_SUMS]

    @property
    def histograms(self) -> NDArray[np.uint32]:
        """Cells by value, those with none left out, a view.

        Shape ``(n_groups, n_rows, n_bins)``.
        """
        return self.tables[:, :, N_GROUP_SUMS:].view(np.uint32)
