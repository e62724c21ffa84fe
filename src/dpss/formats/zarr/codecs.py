"""Decoders of zarr's chunks: only safe codecs, with a limit of decoded bytes.

Zarr's metadata names the codecs of a chunk, and libraries look them up by name: numcodecs even has
one that loads pickles. Here each supported codec is listed, and the chunk's shape limits the
decoded bytes before anything is decoded.
"""

from __future__ import annotations

import bz2
import json
import lzma
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dpss.errors import ChunkError, UnknownFormatError
from dpss.formats.annotation.strings import object_array

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MAX_JSON_BYTES = 1 << 24
MAX_TEXT_BYTES = 1 << 28
"""Most decoded bytes of a chunk of strings, which don't follow from its shape."""

BLOSC_HEAD_BYTES = 16
BLOSC_COPIED = 2
"""Flag of a buffer whose bytes are stored as they are."""


class _Decoder(Protocol):
    """A decoder of a stream, as the standard library's for bz2, lzma and zstd."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether no output is left without more input."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most ``max_length`` further bytes."""


def _inflate(feed: Iterator[bytes], piece_bytes: int) -> Iterator[bytes]:
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)
    data = b""
    while True:
        out = decoder.decompress(data, piece_bytes)
        data = decoder.unconsumed_tail
        if out:
            yield out
        if decoder.eof:
            return
        if not out and not data and not (data := next(feed, b"")):
            raise ChunkError("ends too early")


def _stream_of(make: Callable[[], _Decoder]) -> Callable[[Iterator[bytes], int], Iterator[bytes]]:
    def decode(feed: Iterator[bytes], piece_bytes: int) -> Iterator[bytes]:
        decoder = make()
        while not decoder.eof:
            data = next(feed, b"") if decoder.needs_input else b""
            if not data and decoder.needs_input:
                raise ChunkError("ends too early")
            if out := decoder.decompress(data, piece_bytes):
                yield out

    return decode


STREAMS: Mapping[str, Callable[[Iterator[bytes], int], Iterator[bytes]]] = {
    "zlib": _inflate,
    "gzip": _inflate,
    "zstd": _stream_of(zstd.ZstdDecompressor),
    "bz2": _stream_of(bz2.BZ2Decompressor),
    "lzma": _stream_of(lzma.LZMADecompressor),
}
"""Decoders of streams: stored bytes in pieces, and most decoded bytes of a piece."""


def decode_blosc(data: bytes | bytearray, most: int) -> bytes:
    """Decode a blosc buffer.

    Raises:
        ChunkError: The buffer is cut off, or states more than ``most`` bytes.
        RuntimeError: The buffer is damaged.
    """
    from numcodecs import blosc

    if blosc_sizes(data)[0] > most:
        raise ChunkError("claims more bytes than a chunk has")
    return bytes(blosc.decompress(data))


def _decode_lz4(data: bytes, most: int) -> bytes:
    from numcodecs import lz4

    if len(data) < 4 or int.from_bytes(data[:4], "little") > most:
        raise ChunkError("claims more bytes than a chunk has")
    return bytes(lz4.decompress(data))


_BUFFERS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "blosc": decode_blosc,
    "lz4": _decode_lz4,
}
"""Decoders of whole buffers, which state their decoded size."""

DAMAGE = (
    ValueError, RuntimeError, OSError, EOFError, TypeError,
    struct.error, zlib.error, lzma.LZMAError, zstd.ZstdError,
)  # fmt: skip
"""Errors that decoders raise on damaged bytes."""


def check_codec(name: str, url: str) -> None:
    """Check that a compression is supported.

    Raises:
        UnknownFormatError: The compression is not supported.
    """
    if name not in {*STREAMS, *_BUFFERS}:
        raise UnknownFormatError(
            f"{url}: is packed with the codec {name!r}, which this program does not read; "
            "write it with blosc, zstd or gzip"
        )


def decompress(name: str, data: bytes, most: int) -> bytes:
    """Undo a compression.

    Raises:
        ChunkError: There are more than ``most`` decoded bytes.
        ValueError: The bytes are damaged; also the others of `DAMAGE`.
    """
    if name in _BUFFERS:
        return _BUFFERS[name](data, most)
    out = b""
    for piece in STREAMS[name](iter((data,)), most + 1):
        out += piece
        if len(out) > most:
            raise ChunkError("expands to more bytes than a chunk has")
    return out


def blosc_sizes(data: bytes | bytearray) -> tuple[int, int]:
    """Return the decoded size of a blosc buffer, and of each of its blocks, in bytes.

    The format is c-blosc's ``README_CHUNK_FORMAT.rst``.

    Raises:
        ChunkError: The buffer is cut off.
    """
    if len(data) < BLOSC_HEAD_BYTES or int.from_bytes(data[12:16], "little") != len(data):
        raise ChunkError("is cut off")
    return int.from_bytes(data[4:8], "little"), int.from_bytes(data[8:12], "little")


def decode_strings(data: bytes, n_items: int) -> NDArray[np.object_]:
    """Decode the strings of ``vlen-utf8``: their number, then each with its length.

    Raises:
        ChunkError: The strings are cut off, or their number is not that of the chunk.
    """
    out = np.full(n_items, "", dtype=object)
    if len(data) < 4 or int.from_bytes(data[:4], "little") != n_items:
        raise ChunkError(f"does not hold {n_items} strings")
    at = 4
    for i in range(n_items):
        length = int.from_bytes(data[at : at + 4], "little")
        at += 4
        if at + length > len(data):
            raise ChunkError("ends within a string")
        out[i] = data[at : at + length].decode("utf-8", "replace")
        at += length
    return out


def decode_json(data: bytes, n_items: int) -> NDArray[np.object_]:
    """Decode a vector of strings in JSON: its items, then their type and number.

    Raises:
        ChunkError: The bytes are not such a vector, or have more than 16 MiB.
    """
    found = json.loads(data) if len(data) <= _MAX_JSON_BYTES else None
    if not isinstance(found, list) or len(found) != n_items + 2 or found[-1] != [n_items]:
        raise ChunkError(f"does not hold {n_items} strings in JSON")
    return object_array(["" if item is None else str(item) for item in found[:-2]])


def unshuffle(data: bytes, item_bytes: int) -> bytes:
    """Undo numcodecs' shuffle, which stores bytes of equal significance together."""
    n_items = len(data) // item_bytes
    planes = np.frombuffer(data, dtype=np.uint8)
    whole = planes[: n_items * item_bytes].reshape(item_bytes, n_items)
    return whole.T.tobytes() + planes[n_items * item_bytes :].tobytes()


def accumulate(data: bytes, config: Mapping[str, Any]) -> bytes:
    """Undo numcodecs' delta, which stores differences between neighbours."""
    stored = np.dtype(str(config.get("astype") or config["dtype"]))
    steps = np.frombuffer(data, dtype=stored)
    return np.cumsum(steps, dtype=np.dtype(str(config["dtype"]))).tobytes()
