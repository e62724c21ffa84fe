"""All measures of single cells: of all up to a limit, else of a random sample.

Numbers that combine several measures of a cell (how many cells would all limits together keep?)
can't be computed from the distribution of each measure. Up to `MAX_SAMPLED` cells are all kept. Of
more cells, those whose index has the smallest hash are kept: a random sample without replacement
that does not depend on the order of the cells or on how they are cut. A share of all cells that is
estimated from it has a standard error of at most 0.2 percentage points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.stats.cell_hash import hash_cells
from dpss.stats.histogram import Distribution
from dpss.stats.kernels import layout

MAX_SAMPLED = 1 << 16
"""Most cells in a sample; with 56 bytes each, 4 MB."""


@dataclass(frozen=True)
class CellSample:
    """Measures of some cells, all of shape ``(n_sampled,)``, ``None`` where not known."""

    n_cells: int
    """Number of cells from which the sample is taken."""
    n_genes_by_counts: NDArray[np.float64]
    """Genes detected."""
    total_counts: NDArray[np.float64]
    """Sum of counts."""
    pct_counts_mt: NDArray[np.float64] | None
    """Percentage of counts in mitochondrial genes."""
    pct_counts_ribo: NDArray[np.float64] | None
    """Percentage of counts in genes of ribosomal proteins."""
    pct_counts_hb: NDArray[np.float64] | None
    """Percentage of counts in genes of haemoglobins."""
    pct_counts_in_top_50_genes: NDArray[np.float64] | None
    """Percentage of counts in the 50 genes with the most counts in the cell."""
    complexity: NDArray[np.float64]
    """log10 of the genes detected over log10 of the counts; NaN with fewer than 2 counts."""

    @property
    def is_complete(self) -> bool:
        """Whether the sample has all cells."""
        return len(self.total_counts) == self.n_cells

    def distribution(self, name: str) -> Distribution | None:
        """Return the distribution of a measure over the cells where it is defined.

        Args:
            name: Name of a field.
        """
        values = getattr(self, name)
        if values is None:
            return None
        found, counts = np.unique(values[np.isfinite(values)], return_counts=True)
        return Distribution(found, counts.astype(np.int64))


class CellSampler:
    """Collects a random sample of cells; mergeable, of bounded size."""

    def __init__(self, limit: int = MAX_SAMPLED) -> None:
        """Make an empty sampler that keeps at most ``limit`` cells."""
        self._limit = limit
        self._hashes = np.empty(0, dtype=np.uint64)
        self._measures = np.empty((0, layout.N_MEASURES))
        self._n = 0
        self._highest = np.uint64(0xFFFFFFFFFFFFFFFF)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the memory for more cells."""
        held = {"_hashes": self._hashes[: self._n], "_measures": self._measures[: self._n]}
        return {**self.__dict__, **held}

    def add(self, cells: NDArray[np.int64], measures: NDArray[np.float64]) -> None:
        """Add cells.

        Args:
            cells: Index of each cell in the matrix, shape ``(n_cells,)``; no two are the same.
            measures: Shape ``(n_cells, N_MEASURES)``.
        """
        hashes = hash_cells(cells)
        if self._n >= self._limit:
            some = hashes < self._highest
            hashes, measures = hashes[some], measures[some]
        self._append(hashes, measures)

    def merge(self, other: CellSampler) -> None:
        """Add the cells of another sampler of the same limit."""
        self._append(other._hashes[: other._n], other._measures[: other._n])
        self._compact()

    def sample(self, n_cells: int, groups: Sequence[bool]) -> CellSample:
        """Return the sample.

        Args:
            n_cells: Number of cells that were added.
            groups: Whether there is a gene in each group of `layout.GROUPS`.
        """
        self._compact()
        order = np.argsort(self._hashes[: self._n])
        found = derive_measures(self._measures[order], groups)
        return CellSample(n_cells, **found)  # type: ignore[arg-type]  # the first two are known

    def _append(self, hashes: NDArray[np.uint64], measures: NDArray[np.float64]) -> None:
        """Copy cells into the sampler's memory; make room whenever it is full."""
        capacity = self._limit + max(1, self._limit // 8)
        if len(hashes) and len(self._hashes) < capacity:
            # Allocated once: the system provides a page when it is first written. Single arrays
            # of each block would fragment the reader's memory.
            held = self._hashes[: self._n], self._measures[: self._n]
            self._hashes = np.empty(capacity, np.uint64)
            self._measures = np.empty((capacity, layout.N_MEASURES))
            self._hashes[: self._n], self._measures[: self._n] = held
        start = 0
        while start < len(hashes):
            n = min(capacity - self._n, len(hashes) - start)
            self._hashes[self._n : self._n + n] = hashes[start : start + n]
            self._measures[self._n : self._n + n] = measures[start : start + n]
            self._n, start = self._n + n, start + n
            if self._n == capacity:
                self._compact()

    def _compact(self) -> None:
        """Drop all cells but those with the smallest hashes."""
        if self._n <= self._limit:
            return
        hashes = self._hashes[: self._n]
        self._highest = np.partition(hashes, self._limit - 1)[self._limit - 1]
        some = hashes <= self._highest
        # Column by column: a copy of all would be memory that only many cells need.
        for column in self._measures.T:
            column[: self._limit] = column[: self._n][some]
        self._hashes[: self._limit] = hashes[some]
        self._n = self._limit


def derive_measures(
    measures: NDArray[np.float64], groups: Sequence[bool]
) -> dict[str, NDArray[np.float64] | None]:
    """Return the measures of cells by name; ``None`` where not known.

    Args:
        measures: Shape ``(n_cells, N_MEASURES)``, columns as in `layout`.
        groups: Whether there is a gene in each group of `layout.GROUPS`.

    Returns:
        Each of shape ``(n_cells,)``.
    """
    genes = measures[:, layout.N_GENES_BY_COUNTS].copy()
    totals = measures[:, layout.TOTAL_COUNTS].copy()
    some = totals > 0
    inverses = np.divide(100.0, totals, out=np.zeros_like(totals), where=some)
    columns = (layout.COUNTS_MT, layout.COUNTS_RIBO, layout.COUNTS_HB)
    mt, ribo, hb = (
        measures[:, column] / np.where(some, totals, 1) * 100 if there else None
        for column, there in zip(columns, groups, strict=True)
    )
    top = measures[:, layout.COUNTS_TOP]
    # The inverse is rounded: a product may exceed 100 by its last bit.
    percents = np.minimum(top * inverses, 100.0)
    complexity = np.full(len(totals), np.nan)
    deep = totals >= 2
    np.divide(
        np.log10(np.maximum(genes, 1)), np.log10(np.maximum(totals, 2)), out=complexity, where=deep
    )
    return {
        "n_genes_by_counts": genes,
        "total_counts": totals,
        "pct_counts_mt": mt,
        "pct_counts_ribo": ribo,
        "pct_counts_hb": hb,
        "pct_counts_in_top_50_genes": None if np.isnan(top).any() else percents,
        "complexity": complexity,
    }
