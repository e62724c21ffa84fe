"""Accumulators of the statistics of cells and genes: small, mergeable, exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from dpss.model import CellBlock
from dpss.stats.density import Density, Grid, log_bins, log_edges, percent_bins, percent_edges
from dpss.stats.histogram import Distribution, Tally
from dpss.stats.kernels import cells as kernels
from dpss.stats.kernels import layout, rows


@dataclass(frozen=True)
class Features:
    """Roles of the features: genes, mitochondrial genes, genes with a box plot."""

    is_gene: NDArray[np.bool_]
    """Whether a feature counts, shape ``(n_features,)``."""
    mitochondrial: NDArray[np.bool_]
    """Whether a gene is mitochondrial, shape ``(n_features,)``."""
    histogram_genes: NDArray[np.int64]
    """Features whose shares are kept as histograms for box plots, shape ``(n_boxes,)``."""

    @property
    def roles(self) -> NDArray[np.int64]:
        """The features' roles as the kernels want them, shape ``(n_features,)``."""
        roles = self.mitochondrial.astype(np.int64)
        roles[self.histogram_genes] |= (np.arange(len(self.histogram_genes)) + 1) << 1
        roles[~self.is_gene] = layout.NOT_A_GENE
        return roles


@dataclass(frozen=True)
class ValueFacts:
    """Facts about the values that were added."""

    n_fractional: int
    """Values that are not whole numbers."""
    n_negative: int
    """Values below zero."""
    n_nonfinite: int
    """Values that are NaN or infinite."""
    n_large: int
    """Finite values beyond what sums can hold: 2**40 and more."""
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
    """One row per feature with the columns of `dpss.stats.kernels.layout`, in canonical form."""
    histogram_genes: NDArray[np.int64]
    """Features with a histogram of shares, shape ``(n_boxes,)``."""
    boxes: NDArray[np.int64]
    """Their histograms without the cells where they are zero, ``(n_boxes, N_BOX_BINS)``."""


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
    facts: ValueFacts


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
        self._histogram_genes = features.histogram_genes
        self.table = np.zeros((len(features.is_gene), layout.N_COLUMNS), dtype=np.int64)
        self.table[:, layout.ROLE] = features.roles
        self.boxes = np.zeros((len(features.histogram_genes), layout.N_BOX_BINS), dtype=np.int32)

    def merge(self, other: GeneTallies) -> None:
        """Add all the sums of another one over the same features."""
        rows.normalise_limbs(self.table)
        rows.normalise_limbs(other.table)
        self.table[:, : layout.ROLE] += other.table[:, : layout.ROLE]
        self.boxes += other.boxes

    def result(self) -> GeneSums:
        """Return what was gathered, in canonical form."""
        rows.normalise_limbs(self.table)
        return GeneSums(self.table.copy(), self._histogram_genes, self.boxes.astype(np.int64))


class WriteBuffer(NamedTuple):
    """Sums of the latest cells, in the form in which `kernels.add_cells` is quickest.

    They are added to the table every so many cells, and before it is read.
    """

    rows: NDArray[np.int64]
    """Sums of each feature, shape ``(n_features, N_RECENT_COLUMNS)``."""
    sums: NDArray[np.int64]
    """Terms that each count adds in a cell, shape ``(N_TABULATED + 2, N_RECENT_COLUMNS)``."""
    picked: NDArray[np.int64]
    """Places of a cell's values that are more than a count, shape ``(n_features + 1,)``."""
    special: NDArray[np.uint8]
    """Whether a feature has a role, shape ``(n_features,)``."""
    n_cells: NDArray[np.int64]
    """Number of cells in the sums, shape ``(1,)``."""

    @classmethod
    def for_roles(cls, roles: NDArray[np.int64]) -> Self:
        """Make it for features with these roles, shape ``(n_features,)``."""
        n_features, n_columns = len(roles), layout.N_RECENT_COLUMNS
        return cls(
            np.zeros((n_features, n_columns), dtype=np.int64),
            np.zeros((layout.N_TABULATED + 2, n_columns), dtype=np.int64),
            np.empty(n_features + 1, dtype=np.int64),
            (roles != 0).astype(np.uint8),
            np.zeros(1, dtype=np.int64),
        )


class FactTally:
    """Facts about values, mergeable."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.counts = np.zeros(layout.N_FACTS, dtype=np.int64)
        self.largest = 0.0

    def merge(self, other: FactTally) -> None:
        """Add what another one knows."""
        self.counts += other.counts
        self.largest = max(self.largest, other.largest)

    def result(self) -> ValueFacts:
        """Return what is known."""
        counts = self.counts
        return ValueFacts(
            n_fractional=int(counts[layout.N_FRACTIONAL]),
            n_negative=int(counts[layout.N_NEGATIVE]),
            n_nonfinite=int(counts[layout.N_NONFINITE]),
            n_large=int(counts[layout.N_LARGE]),
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
        self._recent: WriteBuffer | None = None
        self._cells = CellTallies(with_mitochondrial=bool(features.mitochondrial.any()))
        self._facts = FactTally()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the memory for the latest cells behind."""
        self._settle()
        return {**self.__dict__, "_recent": None}

    def add(self, block: CellBlock) -> None:
        """Add a block of cells."""
        if self._recent is None:
            self._recent = WriteBuffer.for_roles(self._genes.table[:, layout.ROLE])
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
            self._recent,
            n_genes,
            totals,
            totals_mt,
            self._facts.counts,
        )
        self._facts.largest = max(self._facts.largest, largest)
        self._cells.add(n_genes, totals, totals_mt)

    def merge(self, other: CellAccumulator) -> None:
        """Add all that another one over the same features has seen."""
        self._settle()
        other._settle()
        self._genes.merge(other._genes)
        self._cells.merge(other._cells)
        self._facts.merge(other._facts)

    @property
    def facts(self) -> ValueFacts:
        """Facts about the values added so far."""
        return self._facts.result()

    def result(self) -> Sums:
        """Return what was gathered."""
        self._settle()
        return Sums(self._genes.result(), self._cells.result(), self._facts.result())

    def _settle(self) -> None:
        """Add the sums of the latest cells to the table."""
        if self._recent is not None:
            kernels.flush(self._recent.rows, self._recent.n_cells, self._genes.table)
