"""Sums per annotated type of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.model import CellBlock
from dpss.stats.embedding.covariance import CellGatherer, VariableGenes
from dpss.stats.embedding.group_measures import GroupMeasures
from dpss.stats.embedding.group_tables import GroupSums, HistogramGenes


@dataclass(frozen=True)
class AnnotatedSums:
    """Sums of the types, in the order of their codes, and the cells that are kept."""

    groups: GroupSums
    kept: NDArray[np.bool_]
    """Whether each cell is kept, shape ``(n_cells,)``."""


class AnnotatedAccumulator:
    """Sums per type, from blocks of cells whose types are known; mergeable."""

    def __init__(
        self,
        genes: VariableGenes,
        codes: NDArray[np.int16],
        n_types: int,
        histograms: HistogramGenes,
    ) -> None:
        """Make an empty accumulator.

        Args:
            genes: The features that count, and which cells are kept.
            codes: Type of each cell; those without one and those from ``n_types`` on are in no
                sum. Shape ``(n_cells,)``.
            n_types: Number of types with sums.
            histograms: Genes whose values are kept as histograms.
        """
        self._codes, self._histogram_genes = codes, histograms
        n = self._n = n_types
        self._tables = histograms.empty_tables(n)
        self._measures = GroupMeasures(n)
        self._kept: dict[int, NDArray[np.bool_]] = {}
        self._gatherer = CellGatherer(genes)

    def add(self, block: CellBlock) -> None:
        """Add a block of cells."""
        if not block.n_cells:
            return
        measures = self._gatherer.measure(block)
        codes = self._codes[block.start : block.start + block.n_cells]
        counted = measures.kept & (codes >= 0) & (codes < self._n)
        labels = np.where(counted, codes, -1).astype(np.int16)
        self._histogram_genes.add(block, measures.totals, labels, self._tables)
        self._kept[block.start] = measures.kept
        self._measures.add(labels[counted], measures.of(counted))

    def merge(self, other: AnnotatedAccumulator) -> None:
        """Add the sums of another accumulator over the same labels."""
        self._tables += other._tables
        self._measures.merge(other._measures)
        self._kept |= other._kept

    def result(self) -> AnnotatedSums:
        """Return the result of all added blocks."""
        kept = [self._kept[start] for start in sorted(self._kept)]
        groups = GroupSums(
            self._measures.sizes,
            np.arange(self._n),
            self._histogram_genes,
            self._tables,
            self._measures.distributions(np.arange(self._n)),
        )
        return AnnotatedSums(groups, np.concatenate([np.empty(0, dtype=bool), *kept]))


def select_groups(groups: GroupSums, which: NDArray[np.int64]) -> GroupSums:
    """Return the sums of some groups, in the order given."""
    return GroupSums(
        groups.sizes[which],
        groups.table_rows[which],
        groups.histogram_genes,
        groups.tables,
        tuple(groups.measures[k] for k in which.tolist()),
    )


def adjusted_rand_index(table: NDArray[np.int64]) -> float | None:
    """Return the adjusted Rand index of two partitions; ``None`` if undefined.

    Source: L. Hubert and P. Arabie, Journal of Classification 2 (1985) 193, equation 5.

    Args:
        table: Cells by group of the one and of the other, shape ``(n_a, n_b)``.
    """
    counts = [[int(n) for n in row] for row in table]
    n = sum(map(sum, counts))
    both = sum(_pairs(each) for row in counts for each in row)
    a = sum(_pairs(sum(row)) for row in counts)
    b = sum(_pairs(sum(column)) for column in zip(*counts, strict=True))
    if n < 2 or a + b == 0:
        return None
    expected = a * b / _pairs(n)
    most = (a + b) / 2
    return None if most == expected else (both - expected) / (most - expected)


def _pairs(n: int) -> int:
    return n * (n - 1) // 2
