"""The file ``cells.csv.gz``: one line per cell, written piece by piece."""

from __future__ import annotations

import errno
import gzip
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import (
    ColumnError,
    FetchError,
    LimitError,
    MatrixError,
    OutOfMemoryError,
    agreeing,
    plural,
)
from dpss.formats.faults import guard_blocks
from dpss.job.cell_spool import SpooledPlaces, SpooledRecords
from dpss.job.publication import CELLS
from dpss.stats.embedding.cell_places import CellPlaces
from dpss.summary.cells import CELL_COLUMNS, cell_lines
from dpss.summary.manifest import FileEntry

if TYPE_CHECKING:
    from dpss.formats.base import CellTable
    from dpss.summary.record import Summary

_PIECE_CELLS = 1 << 14
_LEVEL = 6


class CellFile:
    """Writes the table of the cells of one matrix."""

    def __init__(self, path: Path) -> None:
        """Write to ``path``; measures are first stored in a file beside it.

        Raises:
            MatrixError: The file can't be made.
        """
        self.path = path
        self._records_path = path.with_suffix(".records")
        self._places_path = path.with_suffix(".places")
        self._places: SpooledPlaces | None = None
        try:
            self.records = SpooledRecords(self._records_path)
        except OSError as error:
            raise _no_space(path, error) from error

    def open_places(self, n_cells: int) -> SpooledPlaces:
        """Return an empty store for the clusters and places of ``n_cells`` cells.

        Raises:
            MatrixError: The file can't be made.
        """
        try:
            self._places = SpooledPlaces(self._places_path, n_cells)
        except OSError as error:
            raise _no_space(self.path, error) from error
        return self._places

    def write(self, cells: CellTable | None, summary: Summary) -> tuple[tuple[str, str, str], ...]:
        """Write the file, once all cells are measured.

        Cells without names of their own are numbered from 0, as AnnData does.

        Args:
            cells: Names of the cells; ``None`` where the format has none that are read.
            summary: The matrix, with the embedding if it has one.

        Returns:
            At most one check (name, status, sentence): why the cells are numbered.

        Raises:
            MatrixError: The disk is full.
        """
        notes: tuple[tuple[str, str, str], ...] = ()
        try:
            reason = "no names of cells are read of this format"
            if cells is not None:
                try:
                    self._write(guard_blocks(cells.names, self.path.name), summary)
                except (FetchError, OutOfMemoryError):
                    raise
                except MatrixError as error:
                    reason = str(error)
                else:
                    return notes
            self._write(_numbers(summary.n_cells), summary)
            said = f"{CELLS} numbers the cells from 0, in the order of the file: {reason}."
            notes = (("cell_names", "pass", said),)
        except OSError as error:
            if isinstance(error, MatrixError):
                raise
            raise _no_space(self.path, error) from error
        finally:
            self._records_path.unlink(missing_ok=True)
            self._places_path.unlink(missing_ok=True)
        return notes

    @property
    def entry(self) -> FileEntry:
        """Size and checksum of the written file."""
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        return FileEntry(self.path.stat().st_size, digest.hexdigest())

    def _write(self, names: Iterable[NDArray[Any]], summary: Summary) -> None:
        """Write all lines.

        Raises:
            ColumnError: There are more or fewer names than cells.
        """
        embedding = summary.embedding
        with_mt = summary.pct_counts_mt is not None
        start = 0
        # No name and no time in its header: the same lines are the same bytes.
        with (
            self.path.open("wb") as raw,
            gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as file,
        ):
            file.write((",".join(CELL_COLUMNS) + "\n").encode())
            for piece in _cut(names):
                stop = start + len(piece)
                if stop > summary.n_cells:
                    raise ColumnError(
                        f"there are more names than the {plural(summary.n_cells, 'cell')}"
                    )
                places = None
                if embedding is not None and self._places is not None:
                    labels = embedding.cells.labels[start:stop]
                    places = CellPlaces(labels, self._places.read(start, len(piece)))
                records = self.records.read(start, len(piece))
                file.write(cell_lines(piece, records, places, with_mt=with_mt))
                start = stop
        if start < summary.n_cells:
            raise ColumnError(
                f"there {agreeing(start, 'is')} {plural(start, 'name')} "
                f"for {plural(summary.n_cells, 'cell')}"
            )


def _cut(names: Iterable[NDArray[Any]]) -> Iterator[Sequence[str | None]]:
    for part in names:
        for first in range(0, len(part), _PIECE_CELLS):
            yield part[first : first + _PIECE_CELLS].tolist()


def _numbers(n_cells: int) -> Iterator[NDArray[Any]]:
    """Yield the numbers of the cells as text."""
    for start in range(0, n_cells, _PIECE_CELLS):
        numbers = range(start, min(start + _PIECE_CELLS, n_cells))
        yield np.array([str(number) for number in numbers], dtype=object)


def _no_space(path: Path, error: OSError) -> MatrixError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return LimitError(
            f"{path.parent}: the disk is full, so that {CELLS} can't be made there; name another "
            "folder with --scratch"
        )
    return FetchError(f"{path.parent}: {CELLS} can't be made there ({error.strerror or error})")
