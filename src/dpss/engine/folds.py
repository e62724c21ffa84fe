"""What is done with each share of a layer: the tasks that executors deal out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dpss.compute.executor import Advance
from dpss.formats.base import ForeseeingLayer, Layer
from dpss.formats.faults import guard_blocks, reader_faults
from dpss.model import CellBlock, EntryBlock, check_cell_block
from dpss.stats.accumulator import CellAccumulator, Features
from dpss.stats.entry_accumulator import CellMeasures, EntryAccumulator
from dpss.stats.values.sample_cells import GatheredCells
from dpss.stats.values.transform import AS_STORED, Transform


@dataclass(frozen=True)
class Reading:
    """A layer and how its values are to be taken."""

    layer: Layer
    block_bytes: int
    """Decoded size of a block."""
    transform: Transform = AS_STORED
    """What is done to the values first."""

    def cell_blocks(self, share: range, advance: Advance) -> Iterator[CellBlock]:
        """Yield a share's blocks of cells, checked."""
        for block in guard_blocks(partial(self._checked_cell_blocks, share), self.layer.name):
            yield replace(block, data=self.transform.apply(block.data))
            advance(len(block.data))

    def _checked_cell_blocks(self, share: range) -> Iterator[CellBlock]:
        for block in self.layer.cell_blocks(share, self.block_bytes):
            check_cell_block(block, share.stop)
            yield block

    def entry_blocks(self, share: range, advance: Advance) -> Iterator[EntryBlock]:
        """Yield a share's blocks of entries."""
        read = partial(self.layer.entry_blocks, share, self.block_bytes)
        for block in guard_blocks(read, self.layer.name):
            yield replace(block, data=self.transform.apply(block.data))
            advance(len(block.data))

    def shares(self, share_bytes: int) -> Sequence[range]:
        """Cut the layer into parts of about ``share_bytes``."""
        with reader_faults(self.layer.name):
            return self.layer.shares(share_bytes)

    def expect(self, shares: Sequence[range]) -> None:
        """Say which shares will be read: what lies elsewhere is sent for."""
        if isinstance(self.layer, ForeseeingLayer):
            for share in shares:
                self.layer.expect(share)


@dataclass(frozen=True)
class _FoldOfReading:
    """What all folds have in common."""

    reading: Reading

    def expect(self, shares: Sequence[range]) -> None:
        """Say which shares will be read."""
        self.reading.expect(shares)


@dataclass(frozen=True)
class CellFold(_FoldOfReading):
    """All statistics from blocks of whole cells, in one pass."""

    features: Features
    min_gene_count: int

    def start(self) -> CellAccumulator:
        """Make an empty accumulator."""
        return CellAccumulator(self.features, self.min_gene_count)

    def add(self, accumulator: CellAccumulator, share: range, advance: Advance) -> None:
        """Read a share into an accumulator."""
        for block in self.reading.cell_blocks(share, advance):
            accumulator.add(block)


@dataclass(frozen=True)
class MeasureFold(_FoldOfReading):
    """Measures of every cell from entries: the first of two passes."""

    features: Features

    def start(self) -> CellMeasures:
        """Make empty measures."""
        n_cells = self.reading.layer.n_cells
        if n_cells is None:
            raise ValueError("a layer of which only reading tells the cells is read in one pass")
        return CellMeasures(self.features, n_cells)

    def add(self, accumulator: CellMeasures, share: range, advance: Advance) -> None:
        """Read a share into an accumulator."""
        for block in self.reading.entry_blocks(share, advance):
            accumulator.add(block)


@dataclass(frozen=True)
class GatherFold(_FoldOfReading):
    """Some whole cells from entries: a look at what entries alone do not tell."""

    def start(self) -> GatheredCells:
        """Make an empty collection."""
        return GatheredCells(self.reading.layer.n_cells or 0)

    def add(self, accumulator: GatheredCells, share: range, advance: Advance) -> None:
        """Read a share into a collection."""
        for block in self.reading.entry_blocks(share, advance):
            accumulator.add(block)


@dataclass(frozen=True)
class EntryFold(_FoldOfReading):
    """Sums of genes from entries: the second of two passes."""

    features: Features
    inverses: NDArray[np.float64]
    """1 / total counts of each cell, negative for one not kept, shape ``(n_cells,)``."""

    def start(self) -> EntryAccumulator:
        """Make an empty accumulator."""
        return EntryAccumulator(self.features, self.inverses)

    def add(self, accumulator: EntryAccumulator, share: range, advance: Advance) -> None:
        """Read a share into an accumulator."""
        for block in self.reading.entry_blocks(share, advance):
            accumulator.add(block)
