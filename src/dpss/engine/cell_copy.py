"""A copy of a layer's values in scratch space, cell by cell, of a source that has them by gene.

The values of consecutive cells go into one file, in the order in which they are read. A file is
read for some of its cells at a time, whose values are then sorted. So memory does not grow with
the matrix; the disk holds 8 bytes per value, or 16 where values are no whole numbers below 65,536.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from io import BufferedWriter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.executor import Advance
from dpss.engine.cell_order import (
    CELL_SHIFT,
    GENE_SHIFT,
    count_values,
    sort_records,
    split_values,
)
from dpss.engine.folds import ReadingFold
from dpss.engine.layer_passes import LayerPasses
from dpss.errors import CorruptMatrixError, LimitError, NoEmbeddingError, NotCellMajorError
from dpss.formats.base import EntryLayer
from dpss.model import MAX_BLOCK_CELLS, CellBlock, EntryBlock, GeneTable
from dpss.stats.entry_accumulator import OTHER_ENTRIES
from dpss.storage.scratch import Room

HELD_VALUES = 1 << 20
"""Values of the cells that are sorted at a time, about: 40 MiB per thread."""
_MOST_FILES = 120
_FILE_CELLS = 1 << 16
"""Most cells of a file: their numbers within it have 16 bits."""
_CELLS_APART = 64
"""Consecutive cells whose values are counted together."""
_VALUE_BYTES = 8
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class CellCopy:
    """Writes values in any order; several threads may add at once."""

    def __init__(self, room: Room, n_cells: int, n_genes: int, n_values: int) -> None:
        """Begin without values.

        Args:
            room: Where the files are made.
            n_cells: Number of cells.
            n_genes: Number of features.
            n_values: Number of values, about.
        """
        n_files = min(_MOST_FILES, -(-n_values // HELD_VALUES)) or 1
        width = -(-n_cells // n_files)
        self._width = min(-(-width // _CELLS_APART) * _CELLS_APART, _FILE_CELLS)
        self._room, self._shape = room, (n_cells, n_genes)
        n_files = -(-n_cells // self._width)
        self._files = ExitStack()
        self._records = [self._open(f"{k}.records") for k in range(n_files)]
        self._others = [self._open(f"{k}.others") for k in range(n_files)]
        self._counts = np.zeros(-(-n_cells // _CELLS_APART), dtype=np.int64)
        self._lock = threading.Lock()

    def _open(self, name: str) -> BufferedWriter:
        return self._files.enter_context((self._room.path / name).open("wb"))

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def add(self, block: EntryBlock) -> None:
        """Add values; zeros are left out.

        Raises:
            CorruptMatrixError: A cell or gene is beyond the last one.
            LimitError: The scratch space is full.
            OSError: The disk is.
        """
        if len(block.cells) == 0:
            return
        if not block.is_within(*self._shape):
            raise CorruptMatrixError(OTHER_ENTRIES)
        cells, genes = block.cells.astype(np.int64), block.genes.astype(np.int64)
        values = block.data.astype(np.float64)
        n_records, n_others = np.zeros((2, len(self._records)), dtype=np.int64)
        counts = np.zeros_like(self._counts)
        count_values(cells, values, self._width, _CELLS_APART, n_records, n_others, counts)
        records = np.empty(int(n_records.sum()), dtype=np.uint64)
        others = np.empty((2, int(n_others.sum())), dtype=np.uint64)
        ends = [np.cumsum(n_records) - n_records, np.cumsum(n_others) - n_others]
        split_values(
            cells, genes, values, self._width, *ends,
            records, others[0], others[1].view(np.float64),
        )  # fmt: skip
        self._room.take(records.nbytes + others.nbytes)
        pairs = np.ascontiguousarray(others.T)
        with self._lock:
            self._counts += counts
            for files, ordered, stops in (
                (self._records, records, ends[0]),
                (self._others, pairs, ends[1]),
            ):
                for file, part in zip(files, np.split(ordered, stops[:-1]), strict=True):
                    if len(part):
                        file.write(part.data)

    def layer(self, name: str, genes: GeneTable) -> CopiedLayer:
        """Return the layer that reads the files, which are closed."""
        n_cells = self._shape[0]
        cuts: list[range] = []
        for first in range(0, n_cells, self._width):
            stop = min(first + self._width, n_cells)
            held = start = 0
            for at in range(first, stop, _CELLS_APART):
                n = int(self._counts[at // _CELLS_APART])
                if at == first or held + n > HELD_VALUES:
                    if at > first:
                        cuts.append(range(start, at))
                    held, start = 0, at
                held += n
            cuts.append(range(start, stop))
        n_values = int(self._counts.sum())
        return CopiedLayer(name, genes, n_cells, n_values, self._room.path, self._width, cuts)


@dataclass(frozen=True)
class CopiedLayer:
    """A layer in scratch space as a `dpss.formats.base.Layer`."""

    name: str
    genes: GeneTable
    n_cells: int
    n_values: int
    folder: Path
    """Folder of the files."""
    width: int
    """Cells of a file."""
    cuts: Sequence[range]
    """Cells that are read at a time, of one file each."""
    cell_major: bool = True

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Return the ranges of cells that are sorted at a time, for any size."""
        return self.cuts

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a partition in blocks, with their genes ascending."""
        bounds, genes, values = self._read(partition)
        step, start = max(1, block_bytes // _VALUE_BYTES), 0
        while start < len(partition):
            stop = int(np.searchsorted(bounds, bounds[start] + step, side="right")) - 1
            stop = min(max(start + 1, stop), start + MAX_BLOCK_CELLS, len(partition))
            part = slice(int(bounds[start]), int(bounds[stop]))
            indptr = bounds[start : stop + 1] - bounds[start]
            yield CellBlock(partition.start + start, indptr, genes[part], values[part])
            start = stop

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the values of a partition, each place once."""
        for block in self.cell_blocks(partition, block_bytes):
            cells = block.start + np.arange(block.n_cells)
            yield EntryBlock(np.repeat(cells, np.diff(block.indptr)), block.indices, block.data)

    def _read(self, cells: range) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[Any]]:
        """Return where the values of each cell begin, their genes, and the values."""
        number, first = divmod(cells.start, self.width)
        within = range(first, first + len(cells))
        records = _select(self.folder / f"{number}.records", 1, within)[:, 0]
        bounds = np.zeros(len(cells) + 2, dtype=np.int64)
        gene_ends = np.zeros(len(self.genes) + 2, dtype=np.int64)
        genes = np.empty(len(records), dtype=np.int32)
        values: NDArray[Any] = np.empty(len(records), dtype=np.float32)
        sort_records(records, first, gene_ends, bounds, np.empty_like(records), genes, values)
        bounds = bounds[:-1]
        others = _select(self.folder / f"{number}.others", 2, within)
        if len(others):
            cell_of = np.repeat(np.arange(first, first + len(cells)), np.diff(bounds))
            own_keys = (
                cell_of.astype(np.uint64) << CELL_SHIFT | genes.astype(np.uint64) << GENE_SHIFT
            )
            keys = np.concatenate([own_keys, others[:, 0]])
            order = np.argsort(keys)
            keys = keys[order]
            values = np.concatenate([values.astype(np.float64), others[:, 1].view(np.float64)])[
                order
            ]
            genes = (keys >> GENE_SHIFT & np.uint64(0xFFFFFFFF)).astype(np.int32)
            each = np.arange(first, first + len(cells) + 1, dtype=np.uint64)
            bounds = np.searchsorted(keys >> CELL_SHIFT, each)
        return bounds, genes, values


def _select(path: Path, n_numbers: int, cells: range) -> NDArray[np.uint64]:
    """Return the records of a file, of so many numbers each, that are of some cells."""
    found = [np.empty((0, n_numbers), dtype=np.uint64)]
    with path.open("rb") as file:
        while len(numbers := np.fromfile(file, np.uint64, n_numbers * HELD_VALUES)):
            records = numbers.reshape(-1, n_numbers)
            of = records[:, 0] >> CELL_SHIFT
            inside = (of >= np.uint64(cells.start)) & (of < np.uint64(cells.stop))
            found.append(records if inside.all() else records[inside])
    return np.concatenate(found)


@dataclass(frozen=True)
class _NullAccumulator:
    def merge(self, other: _NullAccumulator) -> None:
        """Do nothing: the values are in the files."""


@dataclass(frozen=True)
class _CopyFold(ReadingFold):
    """Copies the values of each partition."""

    copy: CellCopy

    def start(self) -> _NullAccumulator:
        return _NullAccumulator()

    def add(self, accumulator: _NullAccumulator, partition: range, advance: Advance) -> None:
        for block in self.reading.entry_blocks(partition, advance):
            self.copy.add(block)


def copy_by_cell(passes: LayerPasses, room: Room, n_values: int) -> CopiedLayer:
    """Copy the values of a layer, as counts, to scratch space; return the copy.

    Args:
        passes: How the layer is read, by threads of this process.
        room: Where the copy is made.
        n_values: Number of values that are not zero, about.

    Raises:
        NoEmbeddingError: The scratch space or its disk is full.
    """
    reading = passes.reading
    layer = reading.layer
    if isinstance(layer, EntryLayer) and (gathered := layer.gathered()):
        reading = replace(reading, layer=gathered)
    why = "the matrix is stored gene by gene, and a copy by cells needs more "
    copy = CellCopy(room, layer.n_cells or 0, len(layer.genes), n_values)
    try:
        with closing(copy):
            fold = _CopyFold(reading, copy)
            replace(passes, reading=reading).run("ordering by cell", fold)
        return copy.layer(layer.name, layer.genes)
    except NotCellMajorError as error:
        # The first values were sorted by gene; without an order the files are written anew.
        other = replace(passes, reading=replace(reading, layer=error.instead))
        return copy_by_cell(other, room, n_values)
    except LimitError:
        raise NoEmbeddingError(f"{why}scratch space than --scratch-limit; raise it") from None
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        raise NoEmbeddingError(f"{why}than the disk of --scratch has room for") from None
