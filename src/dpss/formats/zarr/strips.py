"""Decoding of large chunks of zarr piece by piece: some lines at a time.

A chunk of 400 MB is never held decoded. Chunks of zlib, zstd, bz2 and lzma are decoded as streams;
the blocks of blosc are independent of each other (c-blosc's ``README_CHUNK_FORMAT.rst``).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import ChunkError, plural
from dpss.formats.arrays.budget import DECODED
from dpss.formats.zarr.chunks import StoredChunk
from dpss.formats.zarr.codecs import (
    BLOSC_COPIED,
    BLOSC_HEAD_BYTES,
    STREAMS,
    blosc_sizes,
    decode_blosc,
)
from dpss.formats.zarr.metadata import ArrayMetadata

_FEED_BYTES = 1 << 20
"""Stored bytes that are read at a time."""
_MAX_BLOCK_BYTES = 1 << 25
"""Largest block of blosc that is decoded within a stream."""


def can_stream(meta: ArrayMetadata) -> bool:
    """Return whether the chunks of an array of numbers can be decoded piece by piece."""
    names = _codecs(meta)
    return meta.dtype is not None and len(names) < 2 and set(names) <= {"blosc", *STREAMS}


def _codecs(meta: ArrayMetadata) -> list[str]:
    """Return the names of the codecs that need decoding."""
    return [name for name, _ in meta.codecs if name not in ("bitround", "crc32c")]


def read_strips(
    meta: ArrayMetadata, stored: StoredChunk, n_lines: int, strip_bytes: int
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield lines of a chunk along the axis that is stored first.

    Args:
        meta: Metadata of the array, which has two axes.
        stored: The chunk's bytes.
        n_lines: Number of lines to read, from the first.
        strip_bytes: Decoded size of a strip in bytes.

    Yields:
        Number of the first line, and the lines, shape ``(n, length)``, in the stored type.

    Raises:
        ChunkError: The chunk ends early, or has more bytes than its shape.
        ValueError: The bytes are damaged; also the others of `dpss.formats.zarr.codecs.DAMAGE`.
    """
    dtype, shape = meta.dtype, tuple(meta.chunk_shape[axis] for axis in meta.order)
    if dtype is None:
        raise ChunkError("text has no lines of one size")
    line_bytes = prod(shape[1:]) * dtype.itemsize
    step = max(1, strip_bytes // line_bytes)
    # Some writers leave out lines of a chunk that lie beyond the array's end.
    sizes = range(n_lines * line_bytes, shape[0] * line_bytes + 1)
    line, held = 0, bytearray()
    pieces = _decoded(meta, stored, step * line_bytes, sizes)
    for piece in pieces:
        held += piece
        n = min(len(held) // line_bytes, n_lines - line)
        if n:
            data = bytes(memoryview(held)[: n * line_bytes])
            del held[: n * line_bytes]
            yield line, np.frombuffer(data, dtype=dtype).reshape(n, *shape[1:])
            line += n
        if line == n_lines and n_lines < shape[0]:
            return
        if line == n_lines and held:
            raise ChunkError("expands to more bytes than a chunk has")
    if line < n_lines:
        raise ChunkError(f"ends after {line:,} of its {plural(shape[0], 'line')}")


def _decoded(
    meta: ArrayMetadata, stored: StoredChunk, piece_bytes: int, sizes: range
) -> Iterator[bytes]:
    """Yield a chunk's decoded bytes, about ``piece_bytes`` at a time.

    ``sizes`` are the possible numbers of decoded bytes.
    """
    name = next(iter(_codecs(meta)), "")
    n_check = 4 if any(each == "crc32c" for each, _ in meta.codecs) else 0
    if n_check and stored.size_bytes is not None:
        size = max(0, stored.size_bytes - n_check)
        stored = StoredChunk(stored.blob, stored.offset, size)
    if name == "blosc":
        with DECODED.hold(stored.size_bytes or 0):
            yield from _decode_blocks(stored.read(), piece_bytes, sizes)
    elif name:
        yield from STREAMS[name](stored.read_pieces(_FEED_BYTES), piece_bytes)
    else:
        yield from stored.read_pieces(piece_bytes)


def _decode_blocks(data: bytes, piece_bytes: int, sizes: range) -> Iterator[bytes]:
    """Yield the blocks of a blosc buffer, some at a time.

    The offsets of the blocks follow the header. A buffer whose header states fewer bytes, and whose
    first offsets are those of other blocks, decodes to these blocks.
    """
    head = BLOSC_HEAD_BYTES
    n_bytes, block = blosc_sizes(data)
    if n_bytes not in sizes or block < 1:
        raise ChunkError(f"claims {plural(n_bytes, 'byte')} of {sizes[-1]:,}")
    if data[2] & BLOSC_COPIED:
        for start in range(head, len(data), piece_bytes):
            yield data[start : start + piece_bytes]
        return
    if min(block, n_bytes) > _MAX_BLOCK_BYTES:
        with DECODED.hold(n_bytes):
            yield decode_blosc(data, n_bytes)
        return
    n_blocks = -(-n_bytes // block)
    offsets = data[head : head + 4 * n_blocks]
    if len(offsets) < 4 * n_blocks:
        raise ChunkError("is cut off")
    buffer = bytearray(data)
    step = max(1, piece_bytes // block)
    for first in range(0, n_blocks, step):
        stop = min(first + step, n_blocks)
        # blosc refuses a buffer of a partial block: the last one is decoded with the block before.
        extra = int(0 < n_bytes - first * block < block and first > 0)
        begin = first - extra
        wanted = min(stop * block, n_bytes) - begin * block
        buffer[4:8] = wanted.to_bytes(4, "little")
        buffer[head : head + 4 * (stop - begin)] = offsets[4 * begin : 4 * stop]
        yield decode_blosc(buffer, wanted)[extra * block :]
