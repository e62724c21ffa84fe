"""Statistics of each stratum, from the same blocks as those of all cells.

A stratum is a part of the cells: a donor, a tissue, a lane. Each cell has a code of one byte. The
memory of a thread is 32 bytes for each stratum and feature, at most `MAX_TABLE_BYTES`, and some
megabytes for the distributions, however many cells there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.model import CellBlock, EntryBlock
from dpss.stats.cell_sample import derive_measures
from dpss.stats.histogram import Distribution, Tally
from dpss.stats.kernels import layout
from dpss.stats.kernels import strata as kernels

MAX_STRATA = 64
"""Most strata beside those of all other values and of missing ones."""
MAX_TABLE_BYTES = 256 << 20
"""Most memory of the sums of genes; with more than 120,000 features there are fewer strata."""
_TALLY_VALUES = 1 << 17
_FINEST, _COARSEST = 1 << 15, 1 << 11
"""Limits of the distinct values in a distribution of one stratum: with one, with many strata."""


class StratumKind(StrEnum):
    """Kind of a stratum."""

    VALUE = "value"
    """The cells of one value."""
    OTHER = "other"
    """The cells of all values that are too rare for their own stratum."""
    MISSING = "missing"
    """The cells without a value."""


@dataclass(frozen=True)
class Stratification:
    """The stratum of each cell."""

    names: tuple[str, ...]
    """Name of each stratum."""
    kinds: tuple[StratumKind, ...]
    """Kind of each stratum."""
    codes: NDArray[np.uint8]
    """Stratum of each cell, shape ``(n_cells,)``."""


def most_strata(n_features: int) -> int:
    """Return the largest number of values with their own stratum.

    >>> most_strata(33_000), most_strata(1_000_000)
    (64, 6)
    """
    row_bytes = 8 * kernels.N_STRATUM_COLUMNS * max(1, n_features)
    return max(1, min(MAX_STRATA, MAX_TABLE_BYTES // row_bytes - 2))


@dataclass(frozen=True)
class StratumCells:
    """The cells of one stratum."""

    name: str
    kind: StratumKind
    n_cells: int
    """Cells, kept or not."""
    n_cells_kept: int
    """Cells with enough genes and counts."""
    measures: Mapping[str, Distribution]
    """Distribution of each measure of the kept cells that is known, by its name."""


@dataclass(frozen=True)
class StratumSums:
    """The results of the passes for all strata."""

    cells: tuple[StratumCells, ...]
    table: NDArray[np.int64]
    """Sums of each feature, shape ``(n_strata, n_features, N_STRATUM_COLUMNS)``."""

    def gene_table(self, stratum: int) -> NDArray[np.int64]:
        """Return the sums of a stratum as the whole has them, the totals left at zero.

        Returns:
            Shape ``(n_features, layout.N_COLUMNS)``.
        """
        rows = self.table[stratum]
        table = np.zeros((len(rows), layout.N_COLUMNS), dtype=np.int64)
        packed = rows[:, kernels.PACKED]
        table[:, layout.N_CELLS] = packed >> kernels.CELLS_SHIFT
        table[:, layout.SHARE_LOW] = packed & ((1 << kernels.CELLS_SHIFT) - 1)
        table[:, layout.SHARE] = rows[:, kernels.SHARE_HIGH]
        table[:, layout.SQUARE] = rows[:, kernels.SQUARE_HIGH]
        table[:, layout.SQUARE_LOW] = rows[:, kernels.SQUARE_REST]
        return table


class StratumTallies:
    """Distributions of each stratum's cells and sums of its genes; mergeable."""

    def __init__(
        self, strata: Stratification, is_gene: NDArray[np.bool_], groups: Sequence[bool]
    ) -> None:
        """Start without cells.

        Args:
            strata: The stratum of each cell.
            is_gene: Whether a feature counts, shape ``(n_features,)``.
            groups: Whether there is a gene in each group of `layout.GROUPS`.
        """
        n = len(strata.names)
        self._strata, self._groups = strata, tuple(groups)
        self._is_gene = is_gene.astype(np.uint8)
        self._limit = max(_COARSEST, min(_FINEST, _TALLY_VALUES // max(1, n)))
        self._n_cells = np.zeros(n, dtype=np.int64)
        self._n_kept = np.zeros(n, dtype=np.int64)
        self._measures: list[dict[str, Tally]] = [{} for _ in range(n)]
        self._unknown: set[str] = set()
        self._table: NDArray[np.int64] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the codes of the cells: other processes return only sums."""
        codes = np.empty(0, dtype=np.uint8)
        bare = Stratification(self._strata.names, self._strata.kinds, codes)
        return {**self.__dict__, "_strata": bare}

    def add_block(self, block: CellBlock, measures: NDArray[np.float64]) -> None:
        """Add a block of cells.

        Args:
            block: The block; the values of kept cells were checked.
            measures: Shape ``(n_cells, N_MEASURES)``, columns as in `layout`.
        """
        codes = self._strata.codes[block.start : block.start + block.n_cells]
        kept = measures[:, layout.N_GENES_BY_COUNTS] >= 0
        totals = np.where(kept, measures[:, layout.TOTAL_COUNTS], -1.0)
        kernels.add_cells_to_strata(
            block.indptr, block.indices, block.data, totals, codes, self._is_gene, self._sums
        )
        self.add_cells(block.start, measures)

    def add_entries(self, block: EntryBlock, inverses: NDArray[np.float64]) -> None:
        """Add entries in any order; ``inverses`` is the result of `CellMeasures.inverses`."""
        kernels.add_entries_to_strata(
            block.cells, block.genes, block.data, inverses, self._strata.codes,
            self._is_gene, self._sums,
        )  # fmt: skip

    def add_cells(self, start: int, measures: NDArray[np.float64]) -> None:
        """Add the measures of consecutive cells.

        Args:
            start: Index of the first cell in the matrix.
            measures: Shape ``(n_cells, N_MEASURES)``, columns as in `layout`; a cell with
                negative ``n_genes_by_counts`` is not kept.
        """
        n = len(self._n_cells)
        codes = self._strata.codes[start : start + len(measures)]
        self._n_cells += np.bincount(codes, minlength=n)
        kept = measures[:, layout.N_GENES_BY_COUNTS] >= 0
        codes, measures = codes[kept], measures[kept]
        sizes = np.bincount(codes, minlength=n)
        self._n_kept += sizes
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(sizes)
        for name, values in derive_measures(measures[order], self._groups).items():
            if values is None:
                self._unknown.add(name)
                continue
            for stratum in np.flatnonzero(sizes).tolist():
                part = values[ends[stratum] - sizes[stratum] : ends[stratum]]
                some = np.isfinite(part)
                self._tally(stratum, name).add(part if some.all() else part[some])

    def merge(self, other: StratumTallies) -> None:
        """Add the sums of another one of the same strata and features."""
        self._n_cells += other._n_cells
        self._n_kept += other._n_kept
        self._unknown |= other._unknown
        for stratum, tallies in enumerate(other._measures):
            for name, tally in tallies.items():
                self._tally(stratum, name).merge(tally)
        if other._table is not None:
            kernels.merge_strata(self._sums, other._table)

    def result(self) -> StratumSums:
        """Return the sums of all added cells."""
        cells = tuple(
            StratumCells(
                name,
                kind,
                int(n_cells),
                int(n_kept),
                {
                    measure: tally.distribution()
                    for measure, tally in sorted(tallies.items())
                    if measure not in self._unknown
                },
            )
            for name, kind, n_cells, n_kept, tallies in zip(
                self._strata.names, self._strata.kinds, self._n_cells, self._n_kept,
                self._measures, strict=True,
            )
        )  # fmt: skip
        return StratumSums(cells, self._sums.copy())

    @property
    def _sums(self) -> NDArray[np.int64]:
        """The table of sums, allocated at the first use."""
        if self._table is None:
            shape = (len(self._n_cells), len(self._is_gene), kernels.N_STRATUM_COLUMNS)
            self._table = np.zeros(shape, dtype=np.int64)
        return self._table

    def _tally(self, stratum: int, name: str) -> Tally:
        return self._measures[stratum].setdefault(name, Tally(self._limit))


def tallies_of(
    strata: Stratification | None, is_gene: NDArray[np.bool_], groups: Sequence[bool]
) -> StratumTallies | None:
    """Return empty tallies of strata; ``None`` where there are none."""
    return None if strata is None else StratumTallies(strata, is_gene, groups)
