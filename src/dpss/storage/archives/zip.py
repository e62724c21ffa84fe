"""Zip archives as trees: members are streamed in place, never unpacked to disk.

A zip's table of contents is read with the standard library; the members' bytes are read
by `dpss.storage.archives.zip_member`.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from dpss.errors import CorruptMatrixError, MatrixError, NeedsWholeError
from dpss.storage.archives.members import ArchiveTree, check_path
from dpss.storage.archives.zip_member import ZipMember
from dpss.storage.base import Blob
from dpss.storage.blob_file import BlobFile
from dpss.storage.compression import DAMAGE
from dpss.storage.names import is_clutter

_MAX_DIRECTORY_BYTES = 1 << 26
"""Most bytes that a zip's table of contents may have: about half a million members."""
_PIECE_BYTES = 1 << 16
_ENCRYPTED = 1
_NOT_A_ZIP: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    struct.error,
    NotImplementedError,
    *DAMAGE,
)


def is_zip(blob: Blob) -> bool:
    """Return whether a blob is a zip archive, by its first bytes."""
    return blob.read_range(0, 4) in (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True)
class ZipTree(ArchiveTree):
    """A zip archive as a `dpss.storage.base.Tree`.

    Listing raises:
        CorruptMatrixError: The zip file is damaged, or a member's path leads out of its folder.
        LimitError: The table of contents is too large, or can't be reached in a stream.
    """

    def _list(self) -> Iterator[tuple[str, Blob]]:
        for entry in self._entries():
            path = check_path(entry.filename, self.url)
            # An empty name: only a damaged archive has one.
            if not path or path.endswith("/") or is_clutter(path):
                continue
            if not stat.S_ISLNK(entry.external_attr >> 16):
                yield (
                    path,
                    ZipMember(
                        archive=self.inner,
                        path=path,
                        header_offset=entry.header_offset,
                        packed_bytes=entry.compress_size,
                        size_bytes=entry.file_size,
                        crc=entry.CRC,
                        method=entry.compress_type,
                        encrypted=bool(entry.flag_bits & _ENCRYPTED),
                    ),
                )

    def _entries(self) -> list[zipfile.ZipInfo]:
        """Return the entries of the table of contents."""
        if not self.inner.random_access:
            raise NeedsWholeError(
                f"{self.url}: a zip archive within a stream can't be read in place"
            )
        reader = BlobFile(self.inner, _MAX_DIRECTORY_BYTES)
        try:
            with zipfile.ZipFile(cast("BinaryIO", io.BufferedReader(reader, _PIECE_BYTES))) as file:
                return file.infolist()
        except _NOT_A_ZIP as error:
            if isinstance(error, MatrixError):
                raise
            raise CorruptMatrixError(f"{self.url}: not a whole zip file ({error})") from error
