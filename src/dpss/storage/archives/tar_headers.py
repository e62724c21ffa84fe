"""The headers of a tar archive: read by the standard library, within limits.

A header can declare a name of any length and a size that leads backwards, and a compressed archive
can expand without end. The file objects here check each read for that.
"""

from __future__ import annotations

import struct
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import BinaryIO, cast

from dpss.errors import CorruptMatrixError, LimitError, MatrixError, plural
from dpss.storage.base import Blob
from dpss.storage.compression import DAMAGE, open_decompressed

HEADER_BYTES = 512
_MAX_MEMBERS = 1 << 19
_MAX_FIELD_BYTES = 1 << 20
"""Most bytes of one field of a header, such as a long name."""
_MAX_FIELDS_BYTES = 1 << 26
"""Most bytes of all fields together, beyond a few headers for each member."""
_USUAL_FIELD_BYTES = 1 << 11
_MAX_READS_AT_END = 64
_PIECE_BYTES = 1 << 18
_FREE_BYTES = 1 << 28
_MAX_RATIO = 1000
"""Largest ratio of expansion beyond the first 256 MiB; gzip's largest is 1,032."""
_NOT_A_TAR: tuple[type[Exception], ...] = (
    tarfile.TarError,
    struct.error,
    OverflowError,
    RecursionError,
    *DAMAGE,
)


class HeaderReader(ABC):
    """File object for tarfile: reads forward only, and limits the bytes of headers."""

    def __init__(self, blob: Blob) -> None:
        """Start at the archive's first byte."""
        self.url = blob.url
        self.n_members = 0
        self.last = b""
        """Bytes read last: a header, where tarfile stops."""
        self._position = 0
        self._fields_bytes = 0
        self._reads_at_end = 0

    def __enter__(self) -> HeaderReader:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the underlying file."""
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Close the underlying file."""

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def read(self, n_bytes: int) -> bytes:
        """Return the next bytes, for tarfile.

        Raises:
            CorruptMatrixError: The read is longer than a name may be, or reaches beyond the end.
            LimitError: All names together are too long.
        """
        if not 0 <= n_bytes <= _MAX_FIELD_BYTES:
            raise CorruptMatrixError(f"{self.url}: declares a name of {plural(n_bytes, 'byte')}")
        self._fields_bytes += n_bytes
        if self._fields_bytes > _MAX_FIELDS_BYTES + _USUAL_FIELD_BYTES * self.n_members:
            raise LimitError(f"{self.url}: its headers have more than 64 MiB")
        data = self.read_unchecked(n_bytes)
        self._reads_at_end = 0 if data else self._reads_at_end + 1
        if self._reads_at_end > _MAX_READS_AT_END:
            raise CorruptMatrixError(f"{self.url}: ends within a header")
        return data

    def read_unchecked(self, n_bytes: int) -> bytes:
        """Return the next bytes, whatever their number."""
        self.last = self._read(n_bytes)
        self._position += len(self.last)
        return self.last

    def seek(self, position: int) -> int:
        """Move the position forward, or back by one byte.

        Raises:
            CorruptMatrixError: The position is further back: two members overlap.
            LimitError: The position is beyond the allowed size of a compressed archive.
        """
        if position < self._position - 1:
            raise CorruptMatrixError(f"{self.url}: not a whole tar file (its members overlap)")
        self._seek(position)
        self._position = position
        return position

    @abstractmethod
    def _read(self, n_bytes: int) -> bytes:
        """Return the bytes that come next in the archive."""

    @abstractmethod
    def _seek(self, position: int) -> None:
        """Set the position of the next read; at most one byte back."""


class _RangeReader(HeaderReader):
    """Reads the headers of a plain archive; skipped bytes are not read."""

    def __init__(self, blob: Blob) -> None:
        super().__init__(blob)
        self._blob = blob

    def _read(self, n_bytes: int) -> bytes:
        return self._blob.read_range(self._position, n_bytes) if n_bytes else b""

    def _seek(self, position: int) -> None:
        """Do nothing: a tar stream is read from its start."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


class _StreamReader(HeaderReader):
    """Reads the headers of a compressed archive, as a stream from its start."""

    def __init__(self, blob: Blob) -> None:
        super().__init__(blob)
        size = blob.size_bytes
        self._max_bytes = None if size is None else _FREE_BYTES + _MAX_RATIO * size
        self._file = open_decompressed(blob)
        self._back = b""

    def _read(self, n_bytes: int) -> bytes:
        data, self._back = self._back[:n_bytes], self._back[n_bytes:]
        return data + self._file.read(n_bytes - len(data))

    def _seek(self, position: int) -> None:
        if position < self._position:
            # tarfile reads the byte before a header to check that the file is long enough.
            self._back = self.last[-1:] + self._back
            return
        here = self._position
        while here < position:
            data = self._read(min(position - here, _PIECE_BYTES))
            if not data:
                return
            self.last = data
            here += len(data)
            if self._max_bytes is not None and here > self._max_bytes:
                raise LimitError(
                    f"{self.url}: expands more than {_MAX_RATIO:,}-fold, as no matrices do"
                )

    def close(self) -> None:
        """Close the decoder."""
        self._file.close()


def open_reader(blob: Blob, in_place: bool) -> HeaderReader:
    """Return a reader of an archive.

    Args:
        blob: The archive.
        in_place: Whether the archive is not compressed and can be read by range.
    """
    return _RangeReader(blob) if in_place else _StreamReader(blob)


def iter_entries(reader: HeaderReader) -> Iterator[tarfile.TarInfo]:
    """Yield the header of each member, with the reader positioned after it.

    Raises:
        CorruptMatrixError: The archive is damaged or cut off.
        LimitError: The archive has too many members.
    """
    try:
        with tarfile.open(
            fileobj=cast("BinaryIO", reader), mode="r:", encoding="utf-8", errors="replace"
        ) as archive:
            while (entry := archive.next()) is not None:
                if entry.size < 0:
                    raise CorruptMatrixError(f"{reader.url}: declares a negative size")
                yield entry
                # Otherwise tarfile would store each header.
                archive.members = []  # type: ignore[attr-defined]
                reader.n_members += 1
                if reader.n_members > _MAX_MEMBERS:
                    raise LimitError(f"{reader.url}: has more than {_MAX_MEMBERS:,} members")
    except _NOT_A_TAR as error:
        if isinstance(error, MatrixError):
            raise
        raise CorruptMatrixError(f"{reader.url}: not a whole tar file ({error})") from error
    # At a damaged header tarfile ends as it does at the archive's end.
    if reader.last.strip(b"\0"):
        raise CorruptMatrixError(f"{reader.url}: not a whole tar file (a damaged header)")
