"""Products of variable genes, and the sketch, a sample of cells: the second pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.model import CellBlock, GeneTable
from dpss.stats.cell_hash import hash_cells
from dpss.stats.cell_tallies import percentages
from dpss.stats.embedding.fixed import N_LOGARITHMS
from dpss.stats.embedding.kernels import (
    GENE,
    MITOCHONDRIAL,
    NOT_A_GENE,
    add_products,
    gather_cells,
    measure_cells,
)

MAX_SKETCH = 20_000
"""Most cells in the sketch."""
_DEVIATIONS = 8.0
_HASHES = 2.0**64


@dataclass(frozen=True)
class VariableGenes:
    """The features that count, and those that cells are compared by."""

    kinds: NDArray[np.uint8]
    """Kind of each feature, shape ``(n_features,)``: see `dpss.stats.embedding.kernels`."""
    slots: NDArray[np.int16]
    """Column of each variable gene, -1 for other features, shape ``(n_features,)``."""
    min_gene_count: int
    """Cells with fewer genes detected are not kept."""

    @classmethod
    def of(
        cls,
        features: GeneTable,
        mitochondrial: NDArray[np.bool_],
        variable: NDArray[np.int64],
        min_gene_count: int,
    ) -> VariableGenes:
        """Return the features of a matrix by their kinds.

        Args:
            features: All features.
            mitochondrial: Whether each is mitochondrial, shape ``(n_features,)``.
            variable: Features that become columns, in order, shape ``(n_columns,)``.
            min_gene_count: Cells with fewer genes detected are not kept.
        """
        kinds = np.where(features.is_gene, GENE, NOT_A_GENE)
        kinds[mitochondrial & features.is_gene] = MITOCHONDRIAL
        slots = np.full(len(features), -1, dtype=np.int16)
        slots[variable] = np.arange(len(variable))
        return cls(kinds.astype(np.uint8), slots, min_gene_count)

    @property
    def n_columns(self) -> int:
        """Number of variable genes."""
        return int(self.slots.max(initial=-1)) + 1


@dataclass(frozen=True)
class SparseCells:
    """Log-normalised values of variable genes, in fixed point, cell after cell."""

    indptr: NDArray[np.int64]
    """Start of each cell's values, shape ``(n_cells + 1,)``."""
    columns: NDArray[np.int16]
    """Shape ``(n_values,)``."""
    values: NDArray[np.int32]
    """Shape ``(n_values,)``."""

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.indptr) - 1

    def select(self, cells: NDArray[np.int64]) -> SparseCells:
        """Return a copy of some cells, in the order given."""
        sizes = np.diff(self.indptr)[cells]
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        at = np.arange(indptr[-1]) + np.repeat(self.indptr[cells] - indptr[:-1], sizes)
        return SparseCells(indptr, self.columns[at], self.values[at])


@dataclass(frozen=True)
class Measures:
    """Measures of the cells of a block, each of shape ``(n_cells,)``."""

    totals: NDArray[np.float64]
    """Sum of counts; negative for a cell that is not kept."""
    totals_mt: NDArray[np.float64]
    """Sum of mitochondrial counts."""
    n_genes: NDArray[np.int64]
    """Genes detected."""

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether each cell is kept."""
        return self.totals >= 0

    def of(self, cells: NDArray[np.bool_] | NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the values of `dpss.stats.embedding.group_tables.MEASURES` of some cells.

        Returns:
            Shape ``(n_measures, n_cells)``.
        """
        totals = self.totals[cells]
        percents = percentages(self.totals_mt[cells], totals)
        return np.stack([self.n_genes[cells].astype(np.float64), totals, percents])


class CellGatherer:
    """Measures cells and gathers their variable genes, in memory that is reused."""

    def __init__(self, genes: VariableGenes) -> None:
        """Gather these genes."""
        self._genes = genes
        self._logarithms = np.empty(N_LOGARITHMS, dtype=np.int64)
        self._columns = np.empty(0, dtype=np.int16)
        self._values = np.empty(0, dtype=np.int32)

    def __reduce__(self) -> tuple[type[CellGatherer], tuple[VariableGenes]]:
        """Pickle without the memory."""
        return CellGatherer, (self._genes,)

    def measure(self, block: CellBlock) -> Measures:
        """Measure the cells of a block."""
        n_cells = block.n_cells
        found = Measures(np.empty(n_cells), np.empty(n_cells), np.empty(n_cells, dtype=np.int64))
        measure_cells(
            block.indptr, block.indices, block.data, self._genes.kinds,
            self._genes.min_gene_count, found.totals, found.totals_mt, found.n_genes,
        )  # fmt: skip
        return found

    def gather(self, block: CellBlock, totals: NDArray[np.float64]) -> SparseCells:
        """Return views of the variable genes' values, valid until the next call."""
        if len(self._columns) < len(block.data):
            self._columns = np.empty(len(block.data) * 5 // 4, dtype=np.int16)
            self._values = np.empty(len(self._columns), dtype=np.int32)
        indptr = np.empty(block.n_cells + 1, dtype=np.int64)
        n_values = gather_cells(
            block.indptr, block.indices, block.data, totals, self._genes.slots,
            self._logarithms, indptr, self._columns, self._values,
        )  # fmt: skip
        return SparseCells(indptr, self._columns[:n_values], self._values[:n_values])


@dataclass(frozen=True)
class Covariances:
    """Sums and products over the kept cells, and the sketch."""

    n_cells: int
    """Kept cells."""
    sums: NDArray[np.int64]
    """Sum of each gene's values, shape ``(n_genes,)``."""
    products: NDArray[np.int64]
    """Sum of products of each pair of genes: the upper triangle, row by row."""
    sketch: NDArray[np.int64]
    """Indices of the sketch's cells in the matrix, ascending, shape ``(n_sketch,)``."""
    sketch_cells: SparseCells
    """Their values."""


def hash_limit(n_kept: int, n_sketch: int = MAX_SKETCH) -> np.uint64:
    """Return a hash that exceeds those of the sketch, by 8 standard deviations.

    Args:
        n_kept: Number of kept cells.
        n_sketch: Wanted number of cells.
    """
    wanted = n_sketch + _DEVIATIONS * np.sqrt(n_sketch)
    if wanted >= n_kept:
        return np.uint64(2**64 - 1)
    return np.uint64(int(_HASHES * wanted / n_kept))


class CovarianceAccumulator:
    """Products of values and the cells with the smallest hashes, from blocks of cells."""

    def __init__(self, genes: VariableGenes, limit: np.uint64, n_sketch: int = MAX_SKETCH) -> None:
        """Make an empty accumulator.

        Args:
            genes: The features that count, and the variable ones.
            limit: Largest hash of a cell in the sketch.
            n_sketch: Most cells in the sketch.
        """
        n = genes.n_columns
        self._limit = limit
        self._n_sketch = n_sketch
        self._n_cells = 0
        self._sums = np.zeros(n, dtype=np.int64)
        self._products = np.zeros(n * (n + 1) // 2, dtype=np.int64)
        self._sketched: list[tuple[NDArray[np.int64], SparseCells]] = []
        self._gatherer = CellGatherer(genes)
        self._work = np.empty((2, 0), dtype=np.int32)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the memory to work in."""
        return {**self.__dict__, "_work": np.empty((2, 0), dtype=np.int32)}

    def add(self, block: CellBlock) -> None:
        """Add a block of cells."""
        measures = self._gatherer.measure(block)
        cells = self._gatherer.gather(block, measures.totals)
        if self._work.shape[1] < len(cells.values):
            self._work = np.empty((2, len(cells.values) * 5 // 4), dtype=np.int32)
        self._n_cells += int(np.count_nonzero(measures.kept))
        add_products(
            cells.indptr, cells.columns, cells.values, block.n_cells,
            np.empty(len(self._sums) + 1, dtype=np.int64),
            self._work[0], self._work[1], self._sums, self._products,
        )  # fmt: skip
        indices = block.start + np.arange(block.n_cells)
        chosen = np.flatnonzero(measures.kept & (hash_cells(indices) <= self._limit))
        if len(chosen):
            self._sketched.append((indices[chosen], cells.select(chosen)))

    def merge(self, other: CovarianceAccumulator) -> None:
        """Add the sums and cells of another accumulator over the same genes."""
        self._n_cells += other._n_cells
        self._sums += other._sums
        self._products += other._products
        self._sketched += other._sketched

    def result(self) -> Covariances:
        """Return the result of all added blocks."""
        indices = np.concatenate(
            [np.empty(0, dtype=np.int64), *(indices for indices, _ in self._sketched)]
        )
        parts = [cells for _, cells in self._sketched]
        sizes = np.concatenate([[0], *(np.diff(cells.indptr) for cells in parts)])
        together = SparseCells(
            np.cumsum(sizes, dtype=np.int64),
            np.concatenate([np.empty(0, np.int16), *(cells.columns for cells in parts)]),
            np.concatenate([np.empty(0, np.int32), *(cells.values for cells in parts)]),
        )
        best = np.argsort(hash_cells(indices), kind="stable")[: self._n_sketch]
        order = best[np.argsort(indices[best])]
        return Covariances(
            self._n_cells, self._sums, self._products, indices[order], together.select(order)
        )
