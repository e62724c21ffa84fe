"""Tables of text as layers: each line is a cell or a gene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dpss.errors import CorruptMatrixError, plural
from dpss.formats.text.dialect import Dialect
from dpss.formats.text.stream import Lines, read_lines
from dpss.model import MAX_BLOCK_CELLS, CellBlock, EntryBlock, GeneTable
from dpss.storage.base import Blob

_CHUNK_BYTES = 1 << 21
_MIN_CHUNK_BYTES = 1 << 16
TO_THE_END = range(1 << 62)
"""All lines, however many there are."""


@dataclass(frozen=True)
class TextLayer:
    """A dense table of text as a `dpss.formats.base.Layer`."""

    blob: Blob
    dialect: Dialect
    n_cells: int | None
    """Number of cells; ``None`` if lines are cells, which are not counted before they are read."""
    genes: GeneTable
    cell_major: bool
    """Whether each line is a cell."""
    threads: int
    """Threads that parse."""
    name: str = "X"
    sample_only: bool = False
    """Whether `genes` are those of the first lines only, after which reading ends."""

    @property
    def n_values(self) -> int | None:
        """Number of fields, zeros included."""
        return None if self.n_cells is None else self.n_cells * len(self.genes)

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Return one partition: a stream can only be read from its start."""
        del partition_bytes
        return [TO_THE_END if self.cell_major else range(len(self.genes))]

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells in blocks."""
        start = partition.start
        for lines in self._lines(partition, block_bytes):
            for first in range(0, len(lines), MAX_BLOCK_CELLS):
                pointers = lines.starts[first : first + MAX_BLOCK_CELLS + 1]
                found = slice(int(pointers[0]), int(pointers[-1]))
                yield CellBlock(
                    start + first, pointers - pointers[0], lines.columns[found], lines.values[found]
                )
            start += len(lines)

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the values in blocks, line by line."""
        start = partition.start
        for lines in self._lines(partition, block_bytes):
            n_values = int(lines.starts[-1])
            numbers = np.arange(start, start + len(lines), dtype=np.int32)
            rows, columns = np.repeat(numbers, np.diff(lines.starts)), lines.columns[:n_values]
            cells, genes = (rows, columns) if self.cell_major else (columns, rows)
            yield EntryBlock(cells, genes, lines.values[:n_values])
            start += len(lines)

    def _lines(self, partition: range, block_bytes: int) -> Iterator[Lines]:
        """Yield all lines; check their number if it is known."""
        chunk_bytes = min(max(block_bytes // 4, _MIN_CHUNK_BYTES), _CHUNK_BYTES)
        n_lines = 0
        for lines in read_lines(self.blob, self.dialect, self.threads, chunk_bytes):
            n_lines += len(lines)
            if n_lines > len(partition):
                if self.sample_only:
                    yield lines.first(len(lines) - (n_lines - len(partition)))
                    return
                break
            yield lines
        if n_lines != len(partition) and partition != TO_THE_END:
            raise CorruptMatrixError(
                f"{self.blob.url}: has {plural(n_lines, 'line')}, "
                f"but had {len(partition):,} at first sight"
            )
