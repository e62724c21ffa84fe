"""Folds over the partitions of a layer: the tasks that executors distribute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dpss.compute.executor import Advance
from dpss.compute.prefetch import Prefetchable
from dpss.engine.entry_copy import EntryCopy
from dpss.formats.base import EntrySource, Layer
from dpss.formats.faults import guard_blocks, reader_faults
from dpss.model import CellBlock, EntryBlock, check_cell_block
from dpss.stats.accumulator import CellAccumulator, Features
from dpss.stats.cell_records import CellRecords
from dpss.stats.entry_accumulator import CellMeasures, EntryAccumulator
from dpss.stats.strata import Stratification
from dpss.stats.values.sample_cells import GatheredCells
from dpss.stats.values.transform import AS_STORED, Transform

_VALUE_BYTES = 8
"""Bytes of a decoded value and of its index, about."""
_LEAST_PARTITIONS = 16
"""Fewest partitions of a layer that is larger than `_FEW_PARTITIONS`."""
_FEW_PARTITIONS = 2
"""A layer of so many is not cut further: a further thread's sums cost more time than it saves."""


@dataclass(frozen=True)
class EntryReading:
    """A source of entries, and how its values are read: block size and transform."""

    layer: EntrySource
    block_bytes: int
    """Decoded size of a block, in bytes."""
    transform: Transform = AS_STORED
    """Transform of the values before they are counted."""

    def entry_blocks(self, partition: range, advance: Advance) -> Iterator[EntryBlock]:
        """Yield a partition's blocks of entries."""
        read = partial(self.layer.entry_blocks, partition, self.block_bytes)
        for block in guard_blocks(read, self.layer.name):
            yield replace(block, data=self.transform.apply(block.data))
            advance(len(block.data))

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Cut the layer into parts of at most about ``partition_bytes``.

        Those of a layer of a few are smaller: some threads would wait for the last.
        """
        with reader_faults(self.layer.name):
            if self.layer.n_values is not None:
                n_bytes = self.layer.n_values * _VALUE_BYTES
                if n_bytes > _FEW_PARTITIONS * partition_bytes:
                    partition_bytes = min(partition_bytes, n_bytes // _LEAST_PARTITIONS)
            return self.layer.partitions(partition_bytes)

    def prefetch(self, partitions: Sequence[range]) -> None:
        """Prefetch partitions of a remote file."""
        if isinstance(self.layer, Prefetchable):
            for partition in partitions:
                self.layer.prefetch(partition)


@dataclass(frozen=True)
class Reading(EntryReading):
    """A layer that gives whole cells, too, and how its values are read."""

    layer: Layer

    def cell_blocks(self, partition: range, advance: Advance) -> Iterator[CellBlock]:
        """Yield a partition's blocks of cells, checked."""
        for block in guard_blocks(partial(self._checked_cell_blocks, partition), self.layer.name):
            yield replace(block, data=self.transform.apply(block.data))
            advance(len(block.data))

    def _checked_cell_blocks(self, partition: range) -> Iterator[CellBlock]:
        for block in self.layer.cell_blocks(partition, self.block_bytes):
            check_cell_block(block, partition.stop)
            yield block


class _AddsCells(Protocol):
    def add(self, block: CellBlock) -> None: ...


class _AddsEntries(Protocol):
    def add(self, block: EntryBlock) -> None: ...


@dataclass(frozen=True)
class ReadingFold:
    """Base of all folds over the partitions of a layer."""

    reading: EntryReading

    def prefetch(self, partitions: Sequence[range]) -> None:
        """Prefetch partitions."""
        self.reading.prefetch(partitions)


@dataclass(frozen=True)
class CellBlockFold(ReadingFold):
    """Base of folds that add blocks of whole cells to an accumulator."""

    reading: Reading

    def add(self, accumulator: _AddsCells, partition: range, advance: Advance) -> None:
        """Read a partition into an accumulator."""
        for block in self.reading.cell_blocks(partition, advance):
            accumulator.add(block)


@dataclass(frozen=True)
class EntryBlockFold(ReadingFold):
    """Base of folds that add blocks of entries to an accumulator."""

    def add(self, accumulator: _AddsEntries, partition: range, advance: Advance) -> None:
        """Read a partition into an accumulator."""
        for block in self.reading.entry_blocks(partition, advance):
            accumulator.add(block)


@dataclass(frozen=True)
class CellFold(CellBlockFold):
    """All statistics from blocks of whole cells, in one pass."""

    features: Features
    min_gene_count: int
    min_counts: float = 0.0
    strata: Stratification | None = None
    records: CellRecords | None = None
    """Receives the measures of each cell; ``None`` where no table of cells is made."""

    def start(self) -> CellAccumulator:
        """Make an empty accumulator."""
        return CellAccumulator(
            self.features, self.min_gene_count, self.min_counts, self.strata, self.records
        )


@dataclass(frozen=True)
class MeasureFold(ReadingFold):
    """Measures of every cell from entries: the first of two passes."""

    features: Features
    copy: EntryCopy | None = None
    """Receives all entries, for the second pass; ``None`` where that reads the file again."""

    def start(self) -> CellMeasures:
        """Make empty measures."""
        n_cells = self.reading.layer.n_cells
        if n_cells is None:
            raise ValueError("a layer of which only reading tells the cells is read in one pass")
        return CellMeasures(self.features, n_cells)

    def add(self, accumulator: CellMeasures, partition: range, advance: Advance) -> None:
        """Read a partition into an accumulator."""
        for block in self.reading.entry_blocks(partition, advance):
            accumulator.add(block)
            if self.copy is not None:
                self.copy.add(block)


@dataclass(frozen=True)
class GatherFold(EntryBlockFold):
    """Some whole cells from entries, for properties that single entries do not show."""

    def start(self) -> GatheredCells:
        """Make an empty collection."""
        return GatheredCells(self.reading.layer.n_cells or 0)


@dataclass(frozen=True)
class EntryFold(EntryBlockFold):
    """Sums of genes from entries: the second of two passes."""

    features: Features
    inverses: NDArray[np.float64]
    """1 / total counts of each cell, negative for one not kept, shape ``(n_cells,)``."""
    strata: Stratification | None = None

    def start(self) -> EntryAccumulator:
        """Make an empty accumulator."""
        return EntryAccumulator(self.features, self.inverses, self.strata)
