"""Parquet and Feather tables, converted to text tables.

A table is converted to csv, some rows at a time, while it is read. So the same rules decide on
orientation, names, annotation columns and totals, and no table is held whole.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from dpss.compute.extras import require
from dpss.errors import (
    CorruptMatrixError,
    LimitError,
    MatrixError,
    NeedsWholeError,
    UnknownFormatError,
    plural,
)
from dpss.formats.base import Matrix
from dpss.formats.faults import reason_of
from dpss.formats.options import OpenOptions
from dpss.formats.text.arrow_rows import order_columns, title_row, write_rows
from dpss.formats.text.reader import open_text
from dpss.storage.base import Blob, Tree
from dpss.storage.blob_file import BlobFile
from dpss.storage.compression import find_compression, peek
from dpss.storage.derived import DerivedStream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PARQUET, FEATHER = "parquet", "feather"
_MAGIC = {b"PAR1": PARQUET, b"ARROW1": FEATHER}
_INSTEAD = "or give it as csv or h5ad"
_BATCH_BYTES = 1 << 22
"""Decoded size of the rows that are written at a time."""
_MAX_BATCH_ROWS = 1 << 16
_VALUE_BYTES = 8
_MAX_RATIO = 20_000
"""Most values per stored byte of a plausible table."""
DEFAULT_MEMORY_BYTES = 1 << 30
_READ_BYTES = 1 << 20
_HEAD_BYTES = 8


def find_arrow(blob: Blob) -> str | None:
    """Return the kind of table by a file's first bytes; ``None`` for others."""
    head = peek(blob, _HEAD_BYTES)
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def sniff(source: Blob | Tree) -> bool:
    """Return whether a file is a Parquet or Feather table."""
    return isinstance(source, Blob) and find_arrow(source) is not None


def text_of(blob: Blob) -> Blob:
    """Return the rows of a Parquet or Feather table as csv."""
    return TableText(blob, find_arrow(blob) or PARQUET)


def open_(source: Blob | Tree, options: OpenOptions) -> tuple[Matrix, ...]:
    """Open a Parquet or Feather table as a dense matrix.

    Args:
        source: The file.
        options: Resources and overrides; memory limits a row group or record batch.

    Raises:
        UnknownFormatError: pyarrow, which an extra installs, is missing.
        NeedsWholeError: The file has no random access.
        MatrixError: As in `dpss.formats.text.reader.open_text`.
    """
    if not isinstance(source, Blob) or (kind := find_arrow(source)) is None:
        raise CorruptMatrixError(f"{source.url}: is no Parquet or Feather table")
    text = TableText(source, kind, options.memory_bytes)
    text.check()
    matrix = open_text(text, options)
    return (replace(matrix, format=kind),)


@dataclass(frozen=True)
class TableText(DerivedStream):
    """The rows of a Parquet or Feather table as csv, a `dpss.storage.base.Blob`."""

    inner: Blob
    kind: str
    """``parquet`` or ``feather``."""
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    """Memory that a row group or record batch may need."""

    def check(self) -> None:
        """Check that the table can be read.

        Raises:
            UnknownFormatError: pyarrow is not installed.
            NeedsWholeError: The file has no random access.
        """
        packed = find_compression(self.inner.read_range(0, _HEAD_BYTES)) is not None
        if packed or not self.inner.random_access:
            raise NeedsWholeError(
                f"{self.url}: a {self.kind.title()} table can't be read as a stream"
            )
        need = f"{self.url}: a {self.kind.title()} table needs pyarrow, {_INSTEAD}"
        require("parquet", need, UnknownFormatError)

    def open(self) -> BinaryIO:
        """Open the text for reading from the start to the end."""
        return cast("BinaryIO", io.BufferedReader(_TextStream(self._pieces()), _READ_BYTES))

    def _pieces(self) -> Iterator[bytes]:
        """Yield the text in pieces: the titles, then some rows at a time."""
        import pyarrow as pa

        self.check()
        opener = _open_parquet if self.kind == PARQUET else _open_feather
        try:
            schema, batches = opener(self)
            order = order_columns(schema, self.url)
            yield title_row([title for _, title in order])
            for batch in batches:
                yield write_rows(batch, [place for place, _ in order])
        except MatrixError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(error, MemoryError) or getattr(error, "errno", None) is not None:
                raise
            raise CorruptMatrixError(
                f"{self.url}: a damaged {self.kind.title()} table ({reason_of(error)}); "
                f"write it again, {_INSTEAD}"
            ) from error


class _TextStream(io.RawIOBase):
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        view = memoryview(buffer)
        n = min(len(view), len(self._left))
        view[:n], self._left = self._left[:n], self._left[n:]
        return n


def _file_of(text: TableText) -> io.BufferedReader:
    return io.BufferedReader(BlobFile(text.inner), _READ_BYTES)


def _open_parquet(text: TableText) -> tuple[Any, Iterator[Any]]:
    """Return the schema of a Parquet file and its rows in batches."""
    from pyarrow import parquet

    file = parquet.ParquetFile(_file_of(text), pre_buffer=False, buffer_size=1 << 16)
    metadata = file.metadata
    n_columns = len(file.schema_arrow)
    _check_size(text, metadata.num_rows, n_columns)
    for number in range(metadata.num_row_groups):
        _check_memory(text, metadata.row_group(number).total_byte_size, "row group")
    return file.schema_arrow, file.iter_batches(batch_size=_rows_at_once(n_columns))


def _open_feather(text: TableText) -> tuple[Any, Iterator[Any]]:
    """Return the schema of a Feather file and its rows in batches."""
    from pyarrow import ipc

    schema = ipc.open_file(_file_of(text)).schema
    n_columns = len(schema)
    # The first column alone tells the number of rows of each batch.
    first = ipc.IpcReadOptions(included_fields=[0], use_threads=False)
    narrow = ipc.open_file(_file_of(text), options=first)
    sizes = [narrow.get_batch(i).num_rows for i in range(narrow.num_record_batches)]
    _check_size(text, sum(sizes), n_columns)
    for n_rows in sizes:
        _check_memory(text, n_rows * n_columns * _VALUE_BYTES, "record batch")
    step = _rows_at_once(n_columns)

    def batches() -> Iterator[Any]:
        options = ipc.IpcReadOptions(use_threads=False)
        reader = ipc.open_file(_file_of(text), options=options)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            # pyarrow trusts the offsets of texts and the lengths of columns as they are stored.
            batch.validate(full=True)
            for start in range(0, batch.num_rows, step):
                yield batch.slice(start, step)

    return schema, batches()


def _rows_at_once(n_columns: int) -> int:
    return max(1, min(_MAX_BATCH_ROWS, _BATCH_BYTES // (_VALUE_BYTES * max(1, n_columns))))


def _check_size(text: TableText, n_rows: int, n_columns: int) -> None:
    """Check a declared size against the stored bytes.

    Raises:
        CorruptMatrixError: The stored bytes are too few for the values.
    """
    stored = text.inner.size_bytes or 0
    if n_rows * n_columns > max(1 << 29, stored * _MAX_RATIO):
        raise CorruptMatrixError(
            f"{text.url} claims {n_rows:,} × {plural(n_columns, 'value')}, "
            f"but stores {plural(stored, 'byte')}"
        )


def _check_memory(text: TableText, n_bytes: int, what: str) -> None:
    """Check that a row group or record batch, decoded at a time, fits into memory.

    Raises:
        LimitError: It does not fit.
    """
    if n_bytes > text.memory_bytes // 2:
        raise LimitError(
            f"{text.url}: a {what} takes {n_bytes / 2**20:,.0f} MiB of the "
            f"{text.memory_bytes / 2**20:,.0f} MiB allowed; write the table with fewer rows in "
            "each, or raise --memory"
        )
