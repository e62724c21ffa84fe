"""Streams that decompress while they are read, whatever the compression.

Nothing is unpacked to disk or held whole. gzip is inflated by ISA-L, without the interpreter's
lock. Damaged or truncated data raise a `dpss.errors.CorruptMatrixError` that names the file.
"""

from __future__ import annotations

import bz2
import codecs
import contextlib
import io
import lzma
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from isal import igzip, isal_zlib

from dpss.errors import CorruptMatrixError, MatrixError
from dpss.storage.base import Blob
from dpss.storage.derived import DerivedStream
from dpss.storage.stream import PieceStream

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_BUFFER_BYTES = 1 << 16
_MAGIC_BYTES = 6

DAMAGE: tuple[type[Exception], ...] = (
    EOFError,
    OSError,
    ValueError,
    lzma.LZMAError,
    zlib.error,
    zstd.ZstdError,
    cast("type[Exception]", isal_zlib.error),
)
"""Errors that decoders raise on bytes that are damaged or cut off."""


def _open_gzip(file: BinaryIO) -> io.BufferedIOBase:
    """Inflate one or several gzip members, checksums included."""
    return cast("io.BufferedIOBase", igzip.open(file, "rb"))  # type: ignore[no-untyped-call]


_MAGICS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""Compression by the first bytes of a file."""
_OPENERS: dict[str, Callable[[BinaryIO], io.BufferedIOBase]] = {
    "gzip": _open_gzip,
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "zstd": cast("Callable[[BinaryIO], io.BufferedIOBase]", zstd.ZstdFile),
}


def find_compression(head: bytes) -> str | None:
    """Return the compression by a file's first bytes, ``None`` for none."""
    return next((name for magic, name in _MAGICS.items() if head.startswith(magic)), None)


class _Decompressed(PieceStream):
    """The output of a decoder; its exceptions become a `CorruptMatrixError`."""

    def __init__(
        self, file: BinaryIO, inner: io.BufferedIOBase, compression: str, url: str
    ) -> None:
        self._file = file
        self._inner = inner
        self._compression = compression
        self._url = url

    def read_piece(self, n_bytes: int) -> bytes:
        """Return the next bytes; none at the end.

        Raises:
            CorruptMatrixError: The bytes are damaged or cut off.
        """
        try:
            # `read1`: the bytes before a damaged place are returned first.
            return self._inner.read1(n_bytes)
        except MatrixError:
            raise
        except EOFError as error:
            raise CorruptMatrixError(
                f"{self._url}: ends in the middle of its {self._compression} data; "
                "it was probably not copied to its end"
            ) from error
        except DAMAGE as error:
            raise CorruptMatrixError(
                f"{self._url}: damaged {self._compression} data ({error})"
            ) from error

    def close(self) -> None:
        """Close the decoder and the file below it."""
        if not self.closed:
            with contextlib.suppress(*DAMAGE):
                self._inner.close()
            self._file.close()
        super().close()


class _AsUtf8(PieceStream):
    """Text in UTF-16 or UTF-32, told by its byte order mark, as UTF-8 without a mark."""

    def __init__(self, inner: BinaryIO, encoding: str, url: str) -> None:
        self._inner = inner
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._encoding = encoding
        self._url = url
        self._ready = b""

    def read_piece(self, n_bytes: int) -> bytes:
        """Return the next bytes; none at the end.

        Raises:
            CorruptMatrixError: The text is not in its encoding.
        """
        while not self._ready:
            data = self._inner.read(_BUFFER_BYTES)
            try:
                self._ready = self._decoder.decode(data, final=not data).encode()
            except UnicodeError as error:
                raise CorruptMatrixError(
                    f"{self._url}: damaged {self._encoding.upper()} text ({error})"
                ) from error
            if not data:
                break
        piece, self._ready = self._ready[:n_bytes], self._ready[n_bytes:]
        return piece

    def close(self) -> None:
        """Close the stream below."""
        self._inner.close()
        super().close()


class _WithHead(PieceStream):
    """A stream with its first bytes, which were read before, put in front of it again."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = head
        self._file = file

    def read_piece(self, n_bytes: int) -> bytes:
        """Return the next bytes of the head, then those of the stream; none at the end."""
        if self._head:
            piece, self._head = self._head[:n_bytes], self._head[n_bytes:]
            return piece
        return self._file.read(n_bytes)

    def close(self) -> None:
        """Close the file below."""
        self._file.close()
        super().close()


def open_decompressed(blob: Blob) -> BinaryIO:
    """Open a blob and decompress it if its first bytes say that it is compressed.

    Returns:
        A stream for reading from the start to the end; closing it closes the blob's.

    Raises:
        CorruptMatrixError: Here or in a later read: the bytes are damaged or cut off.
    """
    file = blob.open()
    try:
        head = file.read(_MAGIC_BYTES)
        opened = _buffered(_WithHead(head, file))
        if name := find_compression(head):
            opened = _buffered(_Decompressed(opened, _OPENERS[name](opened), name, blob.url))
    except BaseException:
        file.close()
        raise
    return opened


@dataclass(frozen=True)
class DecompressedBlob(DerivedStream):
    """The content of a compressed blob as a `dpss.storage.base.Blob`: a stream."""

    inner: Blob

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end."""
        return open_decompressed(self.inner)


def open_text(blob: Blob) -> BinaryIO:
    """Open a text as `open_decompressed` does, and convert UTF-16 and UTF-32 to UTF-8.

    The byte order mark tells the encoding, and is left out.

    Raises:
        CorruptMatrixError: Here or in a later read: the bytes are damaged or cut off.
    """
    opened = open_decompressed(blob)
    head = b""
    with contextlib.suppress(MatrixError):  # damage is reported when the text is read
        head = cast("io.BufferedReader", opened).peek(4)
    encoding = _wide_encoding(head)
    return _buffered(_AsUtf8(opened, encoding, blob.url)) if encoding else opened


def _wide_encoding(head: bytes) -> str | None:
    """Return the encoding by a byte order mark; ``None`` for UTF-8 and bytes."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def peek(blob: Blob, n_bytes: int) -> bytes:
    """Return the first bytes of a blob, decompressed; fewer if it ends or is damaged."""
    return _peek(open_decompressed, blob, n_bytes)


def peek_text(blob: Blob, n_bytes: int) -> bytes:
    """Return the first bytes of a text, decompressed and in UTF-8; see `peek`."""
    return _peek(open_text, blob, n_bytes)


def _peek(open_: Callable[[Blob], BinaryIO], blob: Blob, n_bytes: int) -> bytes:
    parts: list[bytes] = []
    with contextlib.suppress(MatrixError), open_(blob) as file:
        while n_bytes > 0:
            # In small steps, so that the bytes before a damaged place are still returned.
            part = file.read(min(n_bytes, 1 << 12))
            if not part:
                break
            parts.append(part)
            n_bytes -= len(part)
    return b"".join(parts)


def _buffered(raw: Any) -> BinaryIO:
    """Put a small buffer before a raw stream, for readers of lines."""
    return cast("BinaryIO", io.BufferedReader(raw, _BUFFER_BYTES))
