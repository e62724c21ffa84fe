"""Tar archives as trees: members are read in place, by range or as a stream.

The standard library reads the headers, from a reader with limits. The members of a plain tar are
ranges of it. A compressed tar is read through once to list its members; each member is then a
stream that starts at the archive's start.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO, cast

from dpss.errors import CorruptMatrixError
from dpss.storage.archives.members import ArchiveTree, Member, check_path
from dpss.storage.archives.tar_headers import HEADER_BYTES, iter_entries, open_reader
from dpss.storage.base import Blob
from dpss.storage.compression import find_compression, open_decompressed, peek
from dpss.storage.derived import read_from_start, skip
from dpss.storage.names import is_clutter
from dpss.storage.stream import PieceStream

HEAD_BYTES = 1 << 12
"""Bytes kept of each member of a compressed archive, for quick recognition."""
_MAX_HEADS_BYTES = 1 << 24
"""Most bytes kept of all members together."""
_PIECE_BYTES = 1 << 18


def is_tar(blob: Blob) -> bool:
    """Return whether a blob is a tar archive, by its first bytes, decompressed."""
    head = peek(blob, HEADER_BYTES)
    try:
        # The checksum of the first header; it is wrong in files of other formats.
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


@dataclass(frozen=True)
class TarTree(ArchiveTree):
    """A tar archive, compressed or not, as a `dpss.storage.base.Tree`.

    Listing raises:
        CorruptMatrixError: The tar file is damaged, or a member's path leads out of its folder.
        LimitError: There are too many members, or the compression ratio is above the limit.
    """

    @property
    def in_place(self) -> bool:
        """Whether members can be read without all that is before them."""
        return self._in_place

    @cached_property
    def _in_place(self) -> bool:
        packed = find_compression(self.inner.read_range(0, 8)) is not None
        return self.inner.random_access and not packed

    def _list(self) -> Iterator[tuple[str, Blob]]:
        heads_left = 0 if self.in_place else _MAX_HEADS_BYTES
        with open_reader(self.inner, self.in_place) as reader:
            for entry in iter_entries(reader):
                path = check_path(entry.name, self.url).removeprefix("./")
                if not entry.isreg() or not path or is_clutter(path):
                    continue
                if entry.issparse():
                    raise CorruptMatrixError(
                        f"{self.url}: {path} has holes; pack it without --sparse"
                    )
                head = reader.read_unchecked(min(entry.size, HEAD_BYTES, heads_left))
                heads_left -= len(head)
                place = entry.offset_data, entry.size
                yield path, TarMember(self.inner, path, *place, self.in_place, head)


@dataclass(frozen=True)
class TarMember(Member):
    """A member of a tar archive as a `dpss.storage.base.Blob`."""

    start: int
    """Offset of the member's bytes in the decompressed archive."""
    size_bytes: int
    random_access: bool
    head: bytes = field(default=b"", repr=False)
    """First bytes of the member, kept where the archive is compressed."""

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end.

        Raises:
            CorruptMatrixError: The archive is damaged or cut off.
        """
        length = max(0, min(length, self.size_bytes - start))
        if length == 0 or start + length <= len(self.head):
            return self.head[start : start + length]
        if self.random_access:
            return self.archive.read_range(self.start + start, length)
        return read_from_start(self, start, length)

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end.

        Raises:
            CorruptMatrixError: The archive is damaged or cut off; also from later reads.
        """
        return cast("BinaryIO", io.BufferedReader(_TarMemberStream(self), _PIECE_BYTES))


class _TarMemberStream(PieceStream):
    """The bytes of a member; the archive is opened only for bytes beyond the head."""

    def __init__(self, member: TarMember) -> None:
        self._member = member
        self._position = 0
        self._source: BinaryIO | None = None

    def read_piece(self, n_bytes: int) -> bytes:
        """Return the next bytes; none at the end of the member.

        Raises:
            CorruptMatrixError: The archive ends before the member does.
        """
        data = self._read(min(n_bytes, self._member.size_bytes - self._position))
        self._position += len(data)
        return data

    def _read(self, n_bytes: int) -> bytes:
        member = self._member
        if n_bytes <= 0:
            return b""
        if self._position < len(member.head):
            return member.head[self._position : self._position + n_bytes]
        if member.random_access:
            data = member.archive.read_range(member.start + self._position, n_bytes)
        else:
            if self._source is None:
                self._source = open_decompressed(member.archive)
                if not skip(self._source, member.start + self._position):
                    raise CorruptMatrixError(f"{member.url}: the archive ends before this member")
            data = self._source.read(n_bytes)
        if not data:
            raise CorruptMatrixError(f"{member.url}: the archive ends within this member")
        return data

    def close(self) -> None:
        """Close the archive."""
        if self._source is not None:
            self._source.close()
        super().close()
