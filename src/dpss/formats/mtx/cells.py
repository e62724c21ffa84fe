"""Tables of the cells beside a MatrixMarket file: barcodes and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.formats.annotation.cell_table import PART_CELLS, Labels, label, name_cells
from dpss.formats.mtx.tables import count_lines, read_rows
from dpss.storage.base import Blob


@dataclass(frozen=True)
class TextTable:
    """A table of text with a line for each cell; see `dpss.formats.base.CellTable`."""

    blob: Blob
    n_cells: int

    def columns(self) -> list[str]:
        """Return the titles of the columns; none where there is no line of titles."""
        return self._titles()[1:]

    def labels(self, column: str) -> Iterator[NDArray[Any]]:
        """Yield a column in parts."""
        return self._column(self._titles().index(column), label)

    def names(self) -> Iterator[NDArray[Any]]:
        """Yield the barcodes in parts."""
        return self._column(0, name_cells)

    def _titles(self) -> list[str]:
        if count_lines(self.blob, self.n_cells + 1) != self.n_cells + 1:
            return []
        titles, first = [*islice(read_rows(self.blob), 2), [], []][:2]
        # R's write.table writes no title for the names of the lines.
        return ["", *titles] if len(titles) == len(first) - 1 else titles

    def _column(self, number: int, to_text: Callable[[NDArray[Any]], Labels]) -> Iterator[Labels]:
        rows = islice(read_rows(self.blob), 1 if self._titles() else 0, None)
        while part := [
            row[number] if number < len(row) else "" for row in islice(rows, PART_CELLS)
        ]:
            yield to_text(np.array(part, dtype=object))
