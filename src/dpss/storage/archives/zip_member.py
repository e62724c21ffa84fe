"""The members of a zip archive, compared with what the archive declares."""

from __future__ import annotations

import bz2
import io
import struct
import zipfile
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from isal import isal_zlib

from dpss.errors import CorruptMatrixError, UnknownFormatError, plural
from dpss.storage.archives.members import Member
from dpss.storage.blob_file import BlobFile
from dpss.storage.compression import DAMAGE
from dpss.storage.derived import read_from_start
from dpss.storage.stream import PieceStream

_RANGE_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_MAGIC = b"PK\x03\x04"


def first_name(head: bytes) -> str | None:
    """Return the name of a zip archive's first member, cut off where ``head`` ends.

    Args:
        head: First bytes of a file.

    Returns:
        The name; ``None`` where the file does not begin with a member of a zip archive.
    """
    if len(head) < _LOCAL_HEADER.size:
        return None
    magic, n_name, _ = _LOCAL_HEADER.unpack(head[: _LOCAL_HEADER.size])
    if magic != _MAGIC:
        return None
    return head[_LOCAL_HEADER.size :][:n_name].decode("utf-8", "replace")


@dataclass(frozen=True)
class ZipMember(Member):
    """A member of a zip archive as a `dpss.storage.base.Blob`."""

    header_offset: int
    """Offset of the member's local header in the archive."""
    packed_bytes: int
    """Size of the member in the archive, packed, in bytes."""
    size_bytes: int
    """Declared size of the member, unpacked, in bytes; more bytes are an error."""
    crc: int
    """Declared CRC-32 of the unpacked bytes."""
    method: int
    """Number of the compression method."""
    encrypted: bool = False

    @property
    def random_access(self) -> bool:
        """Whether the member is stored uncompressed."""
        return self.method == zipfile.ZIP_STORED and self.archive.random_access

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end.

        Raises:
            CorruptMatrixError: The member is damaged or encrypted.
            UnknownFormatError: The compression method is not supported.
        """
        if not self.random_access:
            return read_from_start(self, start, length)
        first = self._find_data()
        return self.archive.read_range(first + start, max(0, min(length, self.size_bytes - start)))

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end.

        Raises:
            CorruptMatrixError: The member is damaged or encrypted; also from later reads.
            UnknownFormatError: The compression method is not supported.
        """
        packed = BlobFile(self.archive)
        packed.seek(self._find_data())
        decoder: Any
        if self.method == zipfile.ZIP_STORED:
            decoder = None
        elif self.method == zipfile.ZIP_DEFLATED:
            decoder = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
        elif self.method == zipfile.ZIP_BZIP2:
            decoder = bz2.BZ2Decompressor()
        else:
            raise UnknownFormatError(
                f"{self.url}: is packed by zip's method {self.method}, which this program does "
                "not read; pack it with deflate instead"
            )
        # Not more than the member has: a file of metadata of 500 bytes took 1 MiB of the archive.
        n_bytes = max(1, min(_RANGE_BYTES, self.packed_bytes))
        source = cast("BinaryIO", io.BufferedReader(packed, n_bytes))
        return cast("BinaryIO", io.BufferedReader(_ZipMemberStream(self, source, decoder)))

    def _find_data(self) -> int:
        """Return the offset of the member's bytes in the archive."""
        if self.encrypted:
            raise CorruptMatrixError(f"{self.url}: is encrypted; pack it without a password")
        # In an archive with a damaged table of contents this number may be negative.
        first = self.header_offset
        header = self.archive.read_range(first, _LOCAL_HEADER.size) if first >= 0 else b""
        if len(header) < _LOCAL_HEADER.size:
            raise CorruptMatrixError(f"{self.url}: the archive ends before this member")
        magic, n_name, n_extra = _LOCAL_HEADER.unpack(header)
        if magic != _MAGIC:
            raise CorruptMatrixError(f"{self.url}: is not where the archive says it is")
        return self.header_offset + _LOCAL_HEADER.size + int(n_name) + int(n_extra)


class _ZipMemberStream(PieceStream):
    """The unpacked bytes of a member, checked against the declared size and checksum."""

    def __init__(self, member: ZipMember, source: BinaryIO, decoder: Any) -> None:
        self._member = member
        self._source = source
        self._decoder = decoder
        self._packed_left = member.packed_bytes
        self._left = member.size_bytes
        self._crc = 0
        self._pending = b""
        self._checked = False

    def read_piece(self, n_bytes: int) -> bytes:
        """Return the bytes of one step of the decoder; none at the end of the member.

        Raises:
            CorruptMatrixError: The member is damaged, cut off or larger than it declares.
        """
        if n_bytes == 0 or self._checked:
            return b""
        url = self._member.url
        # One byte more than declared, so that a longer member is detected.
        data = self._decode(min(n_bytes, self._left + 1))
        if len(data) > self._left:
            raise CorruptMatrixError(
                f"{url}: expands beyond the "
                f"{plural(self._member.size_bytes, 'byte')} that it declares"
            )
        self._crc = isal_zlib.crc32(data, self._crc)
        self._left -= len(data)
        if not data:
            if self._left > 0:
                raise CorruptMatrixError(
                    f"{url}: ends {plural(self._left, 'byte')} before the size that it declares"
                )
            if self._crc != self._member.crc:
                raise CorruptMatrixError(f"{url}: its checksum is wrong, so it is damaged")
            self._checked = True
        return data

    def _decode(self, n_bytes: int) -> bytes:
        """Return up to ``n_bytes``, none only at the end."""
        if self._decoder is None:
            return self._read_packed(n_bytes)
        while not self._decoder.eof:
            at_end = False
            if not self._pending and getattr(self._decoder, "needs_input", True):
                self._pending = self._read_packed(_PIECE_BYTES)
                at_end = not self._pending
            try:
                data = bytes(self._decoder.decompress(self._pending, n_bytes))
            except DAMAGE as error:
                raise CorruptMatrixError(f"{self._member.url}: is damaged ({error})") from error
            self._pending = getattr(self._decoder, "unconsumed_tail", b"")
            if data or at_end:
                return data
        return b""

    def _read_packed(self, n_bytes: int) -> bytes:
        data = self._source.read(min(n_bytes, self._packed_left))
        self._packed_left -= len(data)
        return data

    def close(self) -> None:
        """Close the archive's stream."""
        self._source.close()
        super().close()
