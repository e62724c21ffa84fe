"""Accumulators of the statistics of cells and genes: small, mergeable, exact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpss.stats.cell_tallies import CellSums, CellTallies
from dpss.stats.kernels import cells as kernels
from dpss.stats.kernels import layout, rows
from dpss.stats.kernels.gene_values import copy_gene_values
from dpss.stats.kernels.write_buffer import WriteBuffer
from dpss.stats.strata import Stratification, StratumSums, tallies_of

if TYPE_CHECKING:
    from dpss.model import CellBlock
    from dpss.stats.cell_records import CellRecords


@dataclass(frozen=True)
class Features:
    """Roles of the features: genes, groups of genes, genes with a box plot."""

    is_gene: NDArray[np.bool_]
    """Whether a feature is a gene, shape ``(n_features,)``."""
    mitochondrial: NDArray[np.bool_]
    """Whether a gene is mitochondrial, shape ``(n_features,)``."""
    histogram_genes: NDArray[np.int64]
    """Features whose shares are kept as histograms for box plots, shape ``(n_boxes,)``."""
    ribosomal: NDArray[np.bool_] | None = None
    """Whether a gene is of a ribosomal protein, shape ``(n_features,)``; ``None``: none is."""
    haemoglobin: NDArray[np.bool_] | None = None
    """Whether a gene is of a haemoglobin, shape ``(n_features,)``; ``None``: none is."""

    @property
    def groups(self) -> tuple[bool, ...]:
        """Whether there is a gene in each group, in the order of `layout.GROUPS`."""
        return tuple(bool(group.any()) for group in self._groups)

    @property
    def roles(self) -> NDArray[np.int64]:
        """The features' roles as bits for the kernels, shape ``(n_features,)``."""
        roles = np.zeros(len(self.is_gene), dtype=np.int64)
        for bit, group in enumerate(self._groups):
            roles |= group.astype(np.int64) << (layout.GROUP_BITS * bit)
        numbers = np.arange(1, len(self.histogram_genes) + 1, dtype=np.int64)
        roles[self.histogram_genes] |= numbers << layout.BOX_SHIFT
        roles[~self.is_gene] = layout.NOT_A_GENE
        return roles

    @property
    def _groups(self) -> tuple[NDArray[np.bool_], ...]:
        none = np.zeros(len(self.is_gene), dtype=bool)
        groups = (self.mitochondrial, self.ribosomal, self.haemoglobin)
        return tuple(none if group is None else group for group in groups)


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
    """Finite values of 2**40 and more, which sums can't hold."""
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
    tails: NDArray[np.int64]
    """Lowest limbs of the totals, shape ``(n_features,)``, in canonical form."""
    histogram_genes: NDArray[np.int64]
    """Features with a histogram of shares, shape ``(n_boxes,)``."""
    boxes: NDArray[np.int64]
    """Histograms of their shares above zero, shape ``(n_boxes, N_BOX_BINS)``."""


@dataclass(frozen=True)
class Sums:
    """The results of the passes over a matrix: sums of genes, cells and strata."""

    genes: GeneSums
    cells: CellSums
    facts: ValueFacts
    strata: StratumSums | None = None
    """Sums of each stratum of the cells; ``None`` where no strata were requested."""


class GeneTallies:
    """Sums per feature, mergeable."""

    def __init__(self, features: Features) -> None:
        """Start without cells."""
        self._histogram_genes = features.histogram_genes
        self.table = np.zeros((len(features.is_gene), layout.N_COLUMNS), dtype=np.int64)
        self.table[:, layout.ROLE] = features.roles
        self.tails = np.zeros(len(features.is_gene), dtype=np.int64)
        self.boxes = np.zeros((len(features.histogram_genes), layout.N_BOX_BINS), dtype=np.int32)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the counts above zero of the histograms, which are few."""
        places = np.flatnonzero(self.boxes)
        boxes = places.astype(np.int32), self.boxes.ravel()[places], self.boxes.shape
        return {**self.__dict__, "boxes": boxes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state, and the histograms from their counts above zero."""
        places, counts, shape = state["boxes"]
        self.__dict__.update(state, boxes=np.zeros(shape, dtype=np.int32))
        self.boxes.reshape(-1)[places] = counts

    def merge(self, other: GeneTallies) -> None:
        """Add the sums of another one over the same features."""
        self._normalise()
        other._normalise()
        self.table[:, : layout.ROLE] += other.table[:, : layout.ROLE]
        self.tails += other.tails
        self.boxes += other.boxes

    def result(self) -> GeneSums:
        """Return the sums, in canonical form."""
        self._normalise()
        boxes = self.boxes.astype(np.int64)
        return GeneSums(self.table.copy(), self.tails.copy(), self._histogram_genes, boxes)

    def _normalise(self) -> None:
        """Bring all limbs into their canonical form."""
        self.table[:, layout.TOTAL_LOW] += self.tails >> layout.TAIL_BITS
        self.tails &= (1 << layout.TAIL_BITS) - 1
        rows.normalise_limbs(self.table)


class FactTally:
    """Facts about values, mergeable."""

    def __init__(self) -> None:
        """Start without values."""
        self.counts = np.zeros(layout.N_FACTS, dtype=np.int64)
        self.largest = 0.0

    def merge(self, other: FactTally) -> None:
        """Add the facts of another accumulator."""
        self.counts += other.counts
        self.largest = max(self.largest, other.largest)

    def result(self) -> ValueFacts:
        """Return the facts."""
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

    def __init__(
        self,
        features: Features,
        min_gene_count: int = 0,
        min_counts: float = 0.0,
        strata: Stratification | None = None,
        records: CellRecords | None = None,
    ) -> None:
        """Make an empty accumulator that keeps cells with at least these genes and counts."""
        self.records = None if records is None else records.begin()
        self._all_genes = bool(features.is_gene.all())
        self._min_gene_count = min_gene_count
        self._min_counts = float(min_counts)
        self._genes = GeneTallies(features)
        self._recent: WriteBuffer | None = None
        self._cells = CellTallies(features.groups)
        self._facts = FactTally()
        self._strata = tallies_of(strata, features.is_gene, features.groups)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the memory for the latest cells."""
        self._flush()
        return {**self.__dict__, "_recent": None}

    def add(self, block: CellBlock) -> None:
        """Add a block of cells."""
        if self._recent is None:
            self._recent = WriteBuffer.for_roles(self._genes.table[:, layout.ROLE])
        if not self._all_genes:
            block = self._of_genes(block)
        measures = np.empty((block.n_cells, layout.N_MEASURES), dtype=np.float64)
        largest = kernels.add_cells(
            block.indptr,
            block.indices,
            block.data,
            self._min_gene_count,
            self._min_counts,
            self._genes.table,
            self._genes.tails,
            self._genes.boxes,
            self._recent,
            measures,
            self._facts.counts,
        )
        self._facts.largest = max(self._facts.largest, largest)
        if self._strata is not None:
            self._strata.add_block(block, measures)
        self._cells.add(block.start, measures)
        if self.records is not None:
            self.records.add(block.start, measures)

    def _of_genes(self, block: CellBlock) -> CellBlock:
        """Return a block without the values of features that are not genes."""
        indptr, indices, data = map(np.empty_like, (block.indptr, block.indices, block.data))
        roles = np.ascontiguousarray(self._genes.table[:, layout.ROLE])
        copy_gene_values(block.indptr, block.indices, block.data, roles, indptr, indices, data)
        return replace(block, indptr=indptr, indices=indices[: indptr[-1]], data=data[: indptr[-1]])

    def merge(self, other: CellAccumulator) -> None:
        """Add the sums of another accumulator over the same features."""
        self._flush()
        other._flush()
        self._genes.merge(other._genes)
        self._cells.merge(other._cells)
        self._facts.merge(other._facts)
        if self._strata is not None and other._strata is not None:
            self._strata.merge(other._strata)
        if self.records is not None and other.records is not None:
            self.records.merge(other.records)

    @property
    def facts(self) -> ValueFacts:
        """Facts about the values added so far."""
        return self._facts.result()

    def result(self) -> Sums:
        """Return the sums of all added cells."""
        self._flush()
        strata = None if self._strata is None else self._strata.result()
        return Sums(self._genes.result(), self._cells.result(), self._facts.result(), strata)

    def _flush(self) -> None:
        """Add the sums of the latest cells to the table."""
        if self._recent is not None:
            kernels.flush(self._recent.rows, self._recent.n_cells, self._genes.table)
