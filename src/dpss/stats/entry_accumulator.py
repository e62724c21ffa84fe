"""Accumulators of two passes over entries in any order: the same sums as one over cells.

Entries of a gene-major source bring a cell's counts one by one, from all over the matrix. The
first pass finds each cell's total, the second adds the shares of it to the genes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpss.model import EntryBlock
from dpss.stats.accumulator import (
    CellSums,
    CellTallies,
    FactTally,
    Features,
    GeneSums,
    GeneTallies,
    ValueFacts,
)
from dpss.stats.kernels import entries as entry_kernels
from dpss.stats.kernels import layout


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
        largest = entry_kernels.measure_entries(
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
    def facts(self) -> ValueFacts:
        """Facts about the values added so far."""
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
        entry_kernels.add_entries(
            block.cells, block.genes, block.data, self._inverses,
            self._genes.table, self._genes.boxes,
        )  # fmt: skip

    def merge(self, other: EntryAccumulator) -> None:
        """Add all that another one over the same features and cells has seen."""
        self._genes.merge(other._genes)

    def result(self) -> GeneSums:
        """Return what was gathered."""
        return self._genes.result()
