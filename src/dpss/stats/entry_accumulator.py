"""Accumulators of two passes over entries in any order: the same sums as one over cells.

In a gene-major source the counts of a cell are spread over the whole matrix. The
first pass finds each cell's total, the second adds the shares of it to the genes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError
from dpss.model import EntryBlock
from dpss.stats.accumulator import FactTally, Features, GeneSums, GeneTallies, ValueFacts
from dpss.stats.cell_tallies import CellSums, CellTallies
from dpss.stats.kernels import entries as entry_kernels
from dpss.stats.kernels import layout
from dpss.stats.strata import Stratification, StratumTallies, tallies_of

OTHER_ENTRIES = "the matrix has other cells or genes than when it was read before"
_TOGETHER = 512
"""Values of a gene that are added at a time: 4 KiB, which stay in a processor's first cache."""


class CellMeasures:
    """Measures of every cell from entries in any order: the first of two passes.

    This is the only accumulator whose size depends on the number of cells: 20 bytes each, 8 for
    each group of genes that occurs, and 16 more for each of these sums where counts are fractional.
    Memory pages that are never written take no room. The highest counts of a cell are not known, as
    its entries are spread over the file.
    """

    def __init__(self, features: Features, n_cells: int) -> None:
        """Start without entries, for a matrix of ``n_cells`` cells."""
        self._features = features
        self._roles = features.roles
        self._n_genes = np.zeros(n_cells, dtype=np.int32)
        self._sums = np.zeros((3, n_cells), dtype=np.int64)
        self._group_sums = np.zeros((3, layout.N_GROUPS, n_cells), dtype=np.int64)
        self.gene_totals = np.zeros(len(features.is_gene))
        self._facts = FactTally()

    def add(self, block: EntryBlock) -> None:
        """Add a block of entries."""
        largest = entry_kernels.measure_entries(
            block.cells, block.genes, block.data, self._roles, self._n_genes, *self._sums,
            *self._group_sums, self.gene_totals, self._facts.counts,
        )  # fmt: skip
        self._facts.largest = max(self._facts.largest, largest)

    def merge(self, other: CellMeasures) -> None:
        """Add the measures of another one over the same features and cells."""
        self._n_genes += other._n_genes
        _add_limbs(self._sums, other._sums)
        for group in range(layout.N_GROUPS):
            if self._features.groups[group]:
                _add_limbs(self._group_sums[:, group], other._group_sums[:, group])
        self.gene_totals += other.gene_totals
        self._facts.merge(other._facts)

    @property
    def facts(self) -> ValueFacts:
        """Facts about the values added so far."""
        return self._facts.result()

    def cells(self, min_gene_count: int, min_counts: float = 0.0) -> CellSums:
        """Return the distributions over the cells with at least these genes and counts."""
        tallies = CellTallies(self._features.groups)
        for start, measures in self.each(min_gene_count, min_counts):
            tallies.add(start, measures)
        return tallies.result()

    def each(
        self, min_gene_count: int, min_counts: float = 0.0
    ) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield the first index and the measures of consecutive cells, columns as in `layout`."""
        step = 1 << 15
        for start in range(0, len(self._n_genes), step):
            part = slice(start, start + step)
            n_genes, totals = self._n_genes[part], layout.join_limbs(*self._sums[:, part])
            measures = np.empty((len(n_genes), layout.N_MEASURES))
            kept = (n_genes >= min_gene_count) & (totals >= min_counts)
            measures[:, layout.N_GENES_BY_COUNTS] = np.where(kept, n_genes, -1)
            measures[:, layout.TOTAL_COUNTS] = totals
            groups = layout.join_limbs(*self._group_sums[:, :, part])
            measures[:, layout.COUNTS_MT : layout.COUNTS_HB + 1] = groups.T
            measures[:, layout.COUNTS_TOP] = np.nan
            yield start, measures

    def inverses(self, min_gene_count: int, min_counts: float = 0.0) -> NDArray[np.float64]:
        """Return 1 / total counts of each cell, -1 for one not kept, shape ``(n_cells,)``."""
        totals = layout.join_limbs(*self._sums)
        inverses = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
        inverses[(self._n_genes < min_gene_count) | (totals < min_counts)] = -1.0
        return inverses


def _add_limbs(sums: NDArray[np.int64], others: NDArray[np.int64]) -> None:
    """Add sums in three limbs, shape ``(3, n_cells)``, to others of the same kind, in place."""
    sums[0] += others[0]
    carried: Any = 0
    if others[2].any():
        tail = sums[2] + others[2]
        carried = tail >> layout.TAIL_BITS
        sums[2] = tail & ((1 << layout.TAIL_BITS) - 1)
    if others[1].any() or np.any(carried):
        low = sums[1] + others[1] + carried
        sums[0] += low >> layout.LOW_BITS
        sums[1] = low & ((1 << layout.LOW_BITS) - 1)


class EntryAccumulator:
    """Sums of genes from entries in any order: the second of two passes."""

    def __init__(
        self,
        features: Features,
        inverses: NDArray[np.float64],
        strata: Stratification | None = None,
    ) -> None:
        """Start without entries; ``inverses`` is the result of `CellMeasures.inverses`."""
        self._inverses = inverses
        self._genes = GeneTallies(features)
        self._work = np.empty(_TOGETHER)
        self._strata = tallies_of(strata, features.is_gene, features.groups)

    def add(self, block: EntryBlock) -> None:
        """Add a block of entries.

        Raises:
            CorruptMatrixError: A cell or gene is beyond the last one, unlike in the first pass.
        """
        if not block.is_within(len(self._inverses), len(self._genes.table)):
            raise CorruptMatrixError(OTHER_ENTRIES)
        cells, genes = (each.astype(np.int32, copy=False) for each in (block.cells, block.genes))
        block = replace(block, cells=cells, genes=genes)
        entry_kernels.add_entries(
            block.cells, block.genes, block.data, self._inverses,
            self._genes.table, self._genes.tails, self._genes.boxes, self._work,
        )  # fmt: skip
        if self._strata is not None:
            self._strata.add_entries(block, self._inverses)

    def merge(self, other: EntryAccumulator) -> None:
        """Add the sums of another accumulator over the same features and cells."""
        self._genes.merge(other._genes)
        if self._strata is not None and other._strata is not None:
            self._strata.merge(other._strata)

    def result(self) -> GeneSums:
        """Return the sums of all added entries."""
        return self._genes.result()

    @property
    def strata(self) -> StratumTallies | None:
        """Sums of the genes of each stratum, without its cells' measures."""
        return self._strata
