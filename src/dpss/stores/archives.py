"""Archives as trees: members are streamed from where they lie, never unpacked to disk.

A member's name is only ever a key, never a path that is opened or written. A zip's
table of contents is read with the standard library; the members' bytes are read here,
so that what a member declares (size, checksum) is held against what comes out.
"""

from __future__ import annotations

import bz2
import io
import re
import stat
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from isal import isal_zlib

from dpss.errors import (
    CorruptMatrixError,
    LimitError,
    MatrixError,
    NeedsWholeError,
    UnknownFormatError,
)
from dpss.stores import Blob
from dpss.stores.streams import DAMAGE

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MAX_DIRECTORY_BYTES = 1 << 26
"""Most bytes that a zip's table of contents may have: about half a million members."""
_RANGE_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_A_ZIP: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    struct.error,
    NotImplementedError,
    *DAMAGE,
)


def is_zip(blob: Blob) -> bool:
    """Tell by its first bytes whether a blob is a zip archive."""
    return blob.read_range(0, 4) in (b"PK\x03\x04", b"PK\x05\x06")


def is_clutter(path: str) -> bool:
    """Tell whether a path is one of those that macOS adds: ``__MACOSX``, ``._*``, ``.DS_Store``."""
    parts = path.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1] == ".DS_Store"


class RangeReader(io.RawIOBase):
    """A seekable stream over a blob's `read_range`."""

    def __init__(self, blob: Blob, budget_bytes: int | None = None) -> None:
        """Read from ``blob``, and at most ``budget_bytes`` in all."""
        self._blob = blob
        self._budget = budget_bytes
        self._position = 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}.get(whence)
        if base is None:
            base = self._blob.size_bytes or 0
        if base + offset < 0:
            raise OSError("a position before the start")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read at the position.

        Raises:
            LimitError: The budget is used up.
        """
        view = memoryview(buffer)
        if self._budget is not None:
            self._budget -= len(view)
            if self._budget < 0:
                raise LimitError(
                    f"{self._blob.url}: its table of contents is larger than "
                    f"{_MAX_DIRECTORY_BYTES >> 20} MiB"
                )
        data = self._blob.read_range(self._position, len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


@dataclass(frozen=True)
class ZipTree:
    """A zip archive as a `dpss.stores.Tree`."""

    archive: Blob

    @property
    def name(self) -> str:
        """The archive's name."""
        return self.archive.name

    @property
    def url(self) -> str:
        """The archive's path or address."""
        return self.archive.url

    def blobs(self) -> Mapping[str, Blob]:
        """Return the members by their path, without folders, links and macOS's clutter.

        Raises:
            CorruptMatrixError: It is no whole zip file, or a member's path leaves its folder.
            LimitError: Its table of contents is too large, or can't be reached by a stream.
        """
        return self._members

    @cached_property
    def _members(self) -> Mapping[str, Blob]:
        if not self.archive.random_access:
            raise NeedsWholeError(
                f"{self.url}: a zip archive within a stream can't be read in place"
            )
        reader = RangeReader(self.archive, _MAX_DIRECTORY_BYTES)
        try:
            with zipfile.ZipFile(cast("BinaryIO", io.BufferedReader(reader, _PIECE_BYTES))) as file:
                entries = file.infolist()
        except _NOT_A_ZIP as error:
            if isinstance(error, MatrixError):
                raise
            raise CorruptMatrixError(f"{self.url}: not a whole zip file ({error})") from error
        found = {}
        for entry in entries:
            path = check_path(entry.filename, self.url)
            # An empty name: only a damaged archive has one.
            if (
                not path
                or path.endswith("/")
                or stat.S_ISLNK(entry.external_attr >> 16)
                or is_clutter(path)
            ):
                continue
            found[path] = _make_member(self.archive, path, entry)
        return dict(sorted(found.items()))


def check_path(path: str, url: str) -> str:
    """Return a member's path with ``/`` between its parts, and nothing that ends a line.

    Raises:
        CorruptMatrixError: It leaves the archive's folder.
    """
    clean = _CONTROL.sub("?", path.replace("\\", "/"))
    if clean.startswith("/") or ".." in clean.split("/") or re.match(r"[A-Za-z]:", clean):
        raise CorruptMatrixError(f"{url}: refused, its member {path!r} would leave its folder")
    return clean


def _make_member(archive: Blob, path: str, entry: zipfile.ZipInfo) -> ZipMember:
    return ZipMember(
        archive=archive,
        path=path,
        header_offset=entry.header_offset,
        packed_bytes=entry.compress_size,
        size_bytes=entry.file_size,
        crc=entry.CRC,
        method=entry.compress_type,
        encrypted=bool(entry.flag_bits & _ENCRYPTED),
    )


@dataclass(frozen=True)
class ZipMember:
    """A member of a zip archive as a `dpss.stores.Blob`."""

    archive: Blob
    path: str
    """Path within the archive: a name, never opened."""
    header_offset: int
    """Where its local header begins in the archive."""
    packed_bytes: int
    """Size in the archive."""
    size_bytes: int
    """Size that it declares to have unpacked; more is an error."""
    crc: int
    """CRC-32 that it declares."""
    method: int
    """Number of the compression method."""
    encrypted: bool = False

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def url(self) -> str:
        """The archive's address and the path within, separated by ``!/``."""
        return f"{self.archive.url}!/{self.path}"

    @property
    def random_access(self) -> bool:
        """Whether it is stored uncompressed."""
        return self.method == zipfile.ZIP_STORED and self.archive.random_access

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end.

        Raises:
            CorruptMatrixError: The member is damaged or encrypted.
            UnknownFormatError: It is compressed in a way that this program can't read.
        """
        if not self.random_access:
            with self.open() as file:
                while start > 0 and (skipped := len(file.read(min(start, _RANGE_BYTES)))):
                    start -= skipped
                return file.read(length)
        first = self._find_data()
        return self.archive.read_range(first + start, max(0, min(length, self.size_bytes - start)))

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end.

        Raises:
            CorruptMatrixError: The member is damaged or encrypted; also from later reads.
            UnknownFormatError: It is compressed in a way that this program can't read.
        """
        packed = RangeReader(self.archive)
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
        source = cast("BinaryIO", io.BufferedReader(packed, _RANGE_BYTES))
        return cast("BinaryIO", io.BufferedReader(_MemberStream(self, source, decoder)))

    def _find_data(self) -> int:
        """Return where the member's bytes begin in the archive."""
        if self.encrypted:
            raise CorruptMatrixError(f"{self.url}: is encrypted; pack it without a password")
        # Where a damaged table of contents begins decides this number: it may be negative.
        first = self.header_offset
        header = self.archive.read_range(first, _LOCAL_HEADER.size) if first >= 0 else b""
        if len(header) < _LOCAL_HEADER.size:
            raise CorruptMatrixError(f"{self.url}: the archive ends before this member")
        magic, n_name, n_extra = _LOCAL_HEADER.unpack(header)
        if magic != b"PK\x03\x04":
            raise CorruptMatrixError(f"{self.url}: is not where the archive says it is")
        return self.header_offset + _LOCAL_HEADER.size + int(n_name) + int(n_extra)


class _MemberStream(io.RawIOBase):
    """The bytes of a member, unpacked, held against its declared size and checksum."""

    def __init__(self, member: ZipMember, source: BinaryIO, decoder: Any) -> None:
        self._member = member
        self._source = source
        self._decoder = decoder
        self._packed_left = member.packed_bytes
        self._left = member.size_bytes
        self._crc = 0
        self._pending = b""
        self._checked = False

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill ``buffer`` as far as one step of the decoder goes.

        Raises:
            CorruptMatrixError: The member is damaged, cut off or larger than it declares.
        """
        view = memoryview(buffer)
        if len(view) == 0 or self._checked:
            return 0
        url = self._member.url
        # One byte more than is left, so that a member that goes on is found out.
        data = self._decode(min(len(view), self._left + 1))
        if len(data) > self._left:
            raise CorruptMatrixError(
                f"{url}: expands beyond the {self._member.size_bytes:,} bytes that it declares"
            )
        self._crc = isal_zlib.crc32(data, self._crc)
        self._left -= len(data)
        if not data:
            if self._left > 0:
                raise CorruptMatrixError(
                    f"{url}: ends {self._left:,} bytes before the size that it declares"
                )
            if self._crc != self._member.crc:
                raise CorruptMatrixError(f"{url}: its checksum is wrong, so it is damaged")
            self._checked = True
        view[: len(data)] = data
        return len(data)

    def _decode(self, n_bytes: int) -> bytes:
        """Return up to ``n_bytes``, none only at the end."""
        if self._decoder is None:
            return self._read_packed(n_bytes)
        while not self._decoder.eof:
            if not self._pending and getattr(self._decoder, "needs_input", True):
                self._pending = self._read_packed(_PIECE_BYTES)
                at_end = not self._pending
            else:
                at_end = False
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
