"""What stays behind while the cells flow past: small, mergeable, exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.blocks import CellBlock, EntryBlock
from dpss.stats import kernels, layout
from dpss.stats.density import Density, Grid, log_bins, log_edges, percent_bins, percent_edges
from dpss.stats.tally import Distribution, Tally


@dataclass(frozen=True)
class Features:
    """What the statistics must know of the features: which count, and as what."""

    is_gene: NDArray[np.bool_]
    """Whether a feature counts, shape ``(n_features,)``."""
    mitochondrial: NDArray[np.bool_]
    """Whether a gene is mitochondrial, shape ``(n_features,)``."""
    boxed: NDArray[np.int64]
    """Features whose shares are kept as histograms for box plots, shape ``(n_boxed,)``."""

    @property
    def roles(self) -> NDArray[np.int64]:
        """The features' roles as the kernels want them, shape ``(n_features,)``."""
        roles = self.mitochondrial.astype(np.int64)
        roles[self.boxed] |= (np.arange(len(self.boxed)) + 1) << 1
        roles[~self.is_gene] = layout.NOT_A_GENE
        return roles


@dataclass(frozen=True)
class Facts:
    """What was found out about the values on the way."""

    n_fractional: int
    """Values that are not whole numbers."""
    n_negative: int
    """Values below zero."""
    n_nonfinite: int
    """Values that are NaN, infinite or absurdly large (2**40 and more)."""
    n_explicit_zeros: int
    """Stored values that are zero."""
    n_outside: int
    """Values whose gene or cell index lies outside the matrix."""
    largest: float
    """The largest value; 0 if there is none."""


@dataclass(frozen=True)
class GeneSums:
    """Exact sums of each feature over the kept cells."""

    table: NDArray[np.int64]
    """One row per feature with the columns of `dpss.stats.layout`, in canonical form."""
    boxed: NDArray[np.int64]
    """Features with a histogram of shares, shape ``(n_boxed,)``."""
    boxes: NDArray[np.int64]
    """Their histograms without the cells where they are zero, ``(n_boxed, N_BOX_BINS)``."""


@dataclass(frozen=True)
class CellSums:
    """Distributions of the kept cells' measures."""

    n_cells: int
    """Cells of the matrix, kept or not."""
    n_cells_kept: int
    """Cells with enough genes detected."""
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


@dataclass(frozen=True)
class Sums:
    """All that one pass over a matrix leaves behind."""

    genes: GeneSums
    cells: CellSums
    facts: Facts


class CellTallies:
    """Distributions of per-cell measures, mergeable."""

    def __init__(self, *, with_mitochondrial: bool) -> None:
        """Make empty ones."""
        self.n_cells = 0
        self._n_genes = Tally()
        self._totals = Tally()
        self._pct_mt = Tally() if with_mitochondrial else None
        self._genes_vs_counts = Grid(log_edges(), log_edges())
        self._mt_vs_counts = Grid(log_edges(), percent_edges())

    def add(
        self,
        n_genes_by_counts: NDArray[np.signedinteger],
        total_counts: NDArray[np.float64],
        total_counts_mt: NDArray[np.float64],
    ) -> None:
        """Add cells; those with negative ``n_genes_by_counts`` are not kept.

        All arrays have shape ``(n_cells,)``.
        """
        self.n_cells += len(n_genes_by_counts)
        kept = n_genes_by_counts >= 0
        n_genes = n_genes_by_counts[kept].astype(np.float64)
        totals = total_counts[kept]
        count_bins = log_bins(totals)
        self._n_genes.add(n_genes)
        self._totals.add(totals)
        self._genes_vs_counts.add(count_bins, log_bins(n_genes))
        if self._pct_mt is not None:
            percents = 100 * np.divide(
                total_counts_mt[kept], totals, out=np.zeros_like(totals), where=totals > 0
            )
            self._pct_mt.add(percents)
            self._mt_vs_counts.add(count_bins, percent_bins(percents))

    def merge(self, other: CellTallies) -> None:
        """Add all the cells of another one."""
        self.n_cells += other.n_cells
        self._n_genes.merge(other._n_genes)
        self._totals.merge(other._totals)
        self._genes_vs_counts.merge(other._genes_vs_counts)
        if self._pct_mt is not None and other._pct_mt is not None:
            self._pct_mt.merge(other._pct_mt)
            self._mt_vs_counts.merge(other._mt_vs_counts)

    def result(self) -> CellSums:
        """Return what was gathered."""
        n_genes = self._n_genes.distribution()
        with_mt = self._pct_mt is not None
        return CellSums(
            n_cells=self.n_cells,
            n_cells_kept=n_genes.n,
            n_genes_by_counts=n_genes,
            total_counts=self._totals.distribution(),
            pct_counts_mt=self._pct_mt.distribution() if self._pct_mt is not None else None,
            genes_vs_counts=self._genes_vs_counts.density(),
            mt_vs_counts=self._mt_vs_counts.density() if with_mt else None,
        )


class GeneTallies:
    """Sums per feature, mergeable."""

    def __init__(self, features: Features) -> None:
        """Make empty ones."""
        self._boxed = features.boxed
        self.table = np.zeros((len(features.is_gene), layout.N_COLUMNS), dtype=np.int64)
        self.table[:, layout.ROLE] = features.roles
        self.boxes = np.zeros((len(features.boxed), layout.N_BOX_BINS), dtype=np.int32)

    def merge(self, other: GeneTallies) -> None:
        """Add all the sums of another one over the same features."""
        kernels.carry_all(self.table)
        kernels.carry_all(other.table)
        self.table[:, : layout.ROLE] += other.table[:, : layout.ROLE]
        self.boxes += other.boxes

    def result(self) -> GeneSums:
        """Return what was gathered, in canonical form."""
        kernels.carry_all(self.table)
        return GeneSums(self.table.copy(), self._boxed, self.boxes.astype(np.int64))


class FactTally:
    """Facts about values, mergeable."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.counts = np.zeros(5, dtype=np.int64)
        self.largest = 0.0

    def merge(self, other: FactTally) -> None:
        """Add what another one knows."""
        self.counts += other.counts
        self.largest = max(self.largest, other.largest)

    def result(self) -> Facts:
        """Return what is known."""
        counts = self.counts
        return Facts(
            n_fractional=int(counts[layout.N_FRACTIONAL]),
            n_negative=int(counts[layout.N_NEGATIVE]),
            n_nonfinite=int(counts[layout.N_NONFINITE]),
            n_explicit_zeros=int(counts[layout.N_ZERO]),
            n_outside=int(counts[layout.N_OUTSIDE]),
            largest=self.largest,
        )


class CellAccumulator:
    """All statistics of a cell-major matrix, in one pass over blocks of whole cells."""

    def __init__(self, features: Features, min_gene_count: int = 0) -> None:
        """Make an empty one that keeps cells with at least ``min_gene_count`` genes."""
        self._all_genes = bool(features.is_gene.all())
        self._min_gene_count = min_gene_count
        self._genes = GeneTallies(features)
        self._cells = CellTallies(with_mitochondrial=bool(features.mitochondrial.any()))
        self._facts = FactTally()

    def add(self, block: CellBlock) -> None:
        """Add a block of cells."""
        n_genes = np.empty(block.n_cells, dtype=np.int64)
        totals = np.empty(block.n_cells, dtype=np.float64)
        totals_mt = np.empty(block.n_cells, dtype=np.float64)
        largest = kernels.add_cells(
            block.indptr,
            block.indices,
            block.data,
            self._all_genes,
            self._min_gene_count,
            self._genes.table,
            self._genes.boxes,
            n_genes,
            totals,
            totals_mt,
            self._facts.counts,
        )
        self._facts.largest = max(self._facts.largest, largest)
        self._cells.add(n_genes, totals, totals_mt)

    def merge(self, other: CellAccumulator) -> None:
        """Add all that another one over the same features has seen."""
        self._genes.merge(other._genes)
        self._cells.merge(other._cells)
        self._facts.merge(other._facts)

    @property
    def facts(self) -> Facts:
        """What is known of the values so far."""
        return self._facts.result()

    def result(self) -> Sums:
        """Return what was gathered."""
        return Sums(self._genes.result(), self._cells.result(), self._facts.result())


class CellMeasures:
    """Measures of every cell from entries in any order: the first of two passes.

    This is the one thing whose size depends on the number of cells: 36 bytes each.
    """

    def __init__(self, features: Features, n_cells: int) -> None:
        """Make empty ones for a matrix of ``n_cells`` cells."""
        self._features = features
        self._roles = features.roles
        self._n_genes = np.zeros(n_cells, dtype=np.int32)
        self._sums = np.zeros((4, n_cells), dtype=np.int64)
        self.gene_totals = np.zeros(len(features.is_gene))
        self._facts = FactTally()

    def add(self, block: EntryBlock) -> None:
        """Add a block of entries."""
        largest = kernels.measure_entries(
            block.cells, block.genes, block.data, self._roles, self._n_genes, *self._sums,
            self.gene_totals, self._facts.counts,
        )  # fmt: skip
        self._facts.largest = max(self._facts.largest, largest)

    def merge(self, other: CellMeasures) -> None:
        """Add all that another one over the same features and cells has seen."""
        self._n_genes += other._n_genes
        for whole, low in ((0, 1), (2, 3)):
            low_sums = self._sums[low] + other._sums[low]
            self._sums[whole] += other._sums[whole] + (low_sums >> layout.LOW_BITS)
            self._sums[low] = low_sums & ((1 << layout.LOW_BITS) - 1)
        self.gene_totals += other.gene_totals
        self._facts.merge(other._facts)

    @property
    def facts(self) -> Facts:
        """What is known of the values so far."""
        return self._facts.result()

    def cells(self, min_gene_count: int) -> CellSums:
        """Return the distributions over the cells with at least ``min_gene_count`` genes."""
        tallies = CellTallies(with_mitochondrial=bool(self._features.mitochondrial.any()))
        step = 1 << 16
        for start in range(0, len(self._n_genes), step):
            part = slice(start, start + step)
            n_genes = np.where(
                self._n_genes[part] >= min_gene_count, self._n_genes[part].astype(np.int64), -1
            )
            tallies.add(n_genes, self._totals(0, part), self._totals(2, part))
        return tallies.result()

    def inverses(self, min_gene_count: int) -> NDArray[np.float64]:
        """Return 1 / total counts of each cell, -1 for one not kept, shape ``(n_cells,)``."""
        totals = self._totals(0, slice(None))
        inverses = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
        inverses[self._n_genes < min_gene_count] = -1.0
        return inverses

    def _totals(self, whole: int, part: slice) -> NDArray[np.float64]:
        return self._sums[whole, part] + self._sums[whole + 1, part] / (1 << layout.LOW_BITS)


class EntryAccumulator:
    """Sums of genes from entries in any order: the second of two passes."""

    def __init__(self, features: Features, inverses: NDArray[np.float64]) -> None:
        """Make an empty one; ``inverses`` as `CellMeasures.inverses` returns them."""
        self._inverses = inverses
        self._genes = GeneTallies(features)

    def add(self, block: EntryBlock) -> None:
        """Add a block of entries."""
        kernels.add_entries(
            block.cells, block.genes, block.data, self._inverses,
            self._genes.table, self._genes.boxes,
        )  # fmt: skip

    def merge(self, other: EntryAccumulator) -> None:
        """Add all that another one over the same features and cells has seen."""
        self._genes.merge(other._genes)

    def result(self) -> GeneSums:
        """Return what was gathered."""
        return self._genes.result()
