"""The file ``cells.csv.gz``: one line per cell, written piece by piece."""

from __future__ import annotations

import errno
import gzip
import hashlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import ColumnError, FetchError, LimitError, MatrixError, OutOfMemoryError
from dpss.formats.faults import guard_blocks
from dpss.job.publication import CELLS
from dpss.stats.cell_records import RECORD, CellRecords, HeldRecords, Records, records_of
from dpss.stats.embedding.groups import CellPlaces
from dpss.summary.cells import CELL_COLUMNS, cell_lines
from dpss.summary.manifest import FileEntry

if TYPE_CHECKING:
    from dpss.formats.base import CellTable
    from dpss.summary.record import Summary

_PIECE_CELLS = 1 << 14
_LEVEL = 6


class SpooledRecords:
    """Records of cells in a file, each at its place; see `CellRecords`.

    In another process they are held in memory.
    """

    def __init__(self, path: Path) -> None:
        """Make the file, or empty it."""
        self._path = path
        self._lock = threading.Lock()
        path.write_bytes(b"")

    def __reduce__(self) -> tuple[type[HeldRecords], tuple[()]]:
        """Become empty records in memory in another process."""
        return HeldRecords, ()

    def begin(self) -> SpooledRecords:
        """Return these: they may be added to from several threads."""
        return self

    def add(self, start: int, measures: NDArray[np.float64]) -> None:
        """Write consecutive cells to their place; see `CellRecords`."""
        self._put(start, records_of(measures))

    def merge(self, other: CellRecords) -> None:
        """Write records that were held in memory."""
        if isinstance(other, HeldRecords):
            for start, records in other.parts.items():
                self._put(start, records)

    def _put(self, start: int, records: Records) -> None:
        with self._lock, self._path.open("r+b") as file:
            file.seek(start * RECORD.itemsize)
            file.write(records.tobytes())

    def read(self, start: int, n_cells: int) -> Records:
        """Return the records of consecutive cells; fewer at the end."""
        return np.fromfile(self._path, dtype=RECORD, count=n_cells, offset=start * RECORD.itemsize)


class CellFile:
    """The table of the cells of one matrix, while it is made."""

    def __init__(self, path: Path) -> None:
        """Write to ``path``; measures are first stored in a file beside it.

        Raises:
            MatrixError: The file can't be made.
        """
        self.path = path
        self._spool_path = path.with_suffix(".spool")
        try:
            self.records = SpooledRecords(self._spool_path)
        except OSError as error:
            raise _no_space(path, error) from error

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
            self._spool_path.unlink(missing_ok=True)
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
                    raise ColumnError(f"there are more names than the {summary.n_cells:,} cells")
                places = None if embedding is None else _part(embedding.cells, start, stop)
                records = self.records.read(start, len(piece))
                file.write(cell_lines(piece, records, places, with_mt=with_mt))
                start = stop
        if start < summary.n_cells:
            raise ColumnError(f"there are {start:,} names for {summary.n_cells:,} cells")


def _cut(names: Iterable[NDArray[Any]]) -> Iterator[Sequence[str | None]]:
    for part in names:
        for first in range(0, len(part), _PIECE_CELLS):
            yield part[first : first + _PIECE_CELLS].tolist()


def _part(cells: CellPlaces, start: int, stop: int) -> CellPlaces:
    return CellPlaces(cells.labels[start:stop], cells.places[start:stop])


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
