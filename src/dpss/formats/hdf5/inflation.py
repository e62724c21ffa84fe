"""Inflation of many deflated chunks in one call, without copies.

libdeflate is called by its address from a compiled loop: the interpreter's lock is released once
for many chunks, and no chunk is copied. The package ``deflate`` holds libdeflate; where its file
does not export the functions, every chunk is left to `dpss.formats.hdf5.filters`.
"""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import deflate._deflate
import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled, primitive
from dpss.errors import MatrixError
from dpss.formats.hdf5.filters import DEFLATE
from dpss.formats.hdf5.layout import DatasetLayout, coalesce, span_bytes
from dpss.storage.base import Blob

log = logging.getLogger(__name__)


@primitive
def _call_inflate() -> Any:
    """Call a function of the type of ``libdeflate_zlib_decompress`` by its address."""
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import types
    from numba.extending import intrinsic

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        function = ir.FunctionType(ir.IntType(32), [word] * 6)
        pointer = builder.inttoptr(arguments[0], function.as_pointer())
        return builder.sext(builder.call(pointer, arguments[1:]), word)

    @intrinsic
    def call(typing_context: Any, f: Any, d: Any, i: Any, n: Any, o: Any, m: Any, s: Any) -> Any:
        return types.int64(*[types.int64] * 7), generate

    return call


@compiled
def inflate_all(  # noqa: PLR0913
    function: Any,
    decompressor: Any,
    stored: Any,
    n_stored: Any,
    places: Any,
    sizes: Any,
    out: Any,
    n_bytes: Any,
    actual: Any,
) -> Any:
    """Inflate consecutive chunks, up to the first damaged one.

    Args:
        function: Address of ``libdeflate_zlib_decompress``.
        decompressor: Address of a decompressor that no other thread uses.
        stored: Address of the stored bytes.
        n_stored: Number of stored bytes.
        places: ``int64``, shape ``(n_chunks,)``: offset of each chunk in the stored bytes.
        sizes: ``int64``, shape ``(n_chunks,)``: stored size of each chunk, in bytes.
        out: Address of ``n_chunks * n_bytes`` bytes; set.
        n_bytes: Size of each chunk once inflated.
        actual: ``int64``, shape ``(2,)``: memory for the size of an inflated chunk, and its
            address.

    Returns:
        Number of chunks before the first that lies outside of the stored bytes, is damaged, or
        does not inflate to ``n_bytes``.
    """
    n_sound = np.int64(0)
    for k in range(places.shape[0]):
        at, size = places[k], sizes[k]
        if at < 0 or size < 0 or at > n_stored or size > n_stored - at:
            break
        actual[0] = -1
        status = _call_inflate(
            function, decompressor, stored + at, size, out + k * n_bytes, n_bytes, actual[1]
        )
        if status != 0 or actual[0] != n_bytes:
            break
        n_sound += 1
    return n_sound


class _Decompressor:
    """A decompressor of libdeflate, freed with this object."""

    def __init__(self, library: ctypes.CDLL) -> None:
        library.libdeflate_alloc_decompressor.restype = ctypes.c_void_p
        self.address = int(library.libdeflate_alloc_decompressor() or 0)
        self._free = library.libdeflate_free_decompressor
        self._free.argtypes, self._free.restype = [ctypes.c_void_p], None

    def __del__(self) -> None:
        """Free the memory."""
        self._free(self.address)


@cache
def _library() -> tuple[ctypes.CDLL, int] | None:
    """Return libdeflate and its function's address; ``None`` if not exported."""
    try:
        library = ctypes.CDLL(deflate._deflate.__file__)
        function = library.libdeflate_zlib_decompress
        _Decompressor(library)
    except (OSError, AttributeError) as error:
        log.debug("chunks are inflated one by one: %s", error)
        return None
    return library, int(ctypes.cast(function, ctypes.c_void_p).value or 0)


_OF_THREAD = threading.local()
"""The decompressor of each thread."""


def _inflate(stored: Any, places: NDArray[Any], sizes: NDArray[Any], out: NDArray[Any]) -> int:
    """Inflate chunks into rows; return the number before the first damaged one."""
    found = _library()
    if found is None:
        return 0
    library, function = found
    held = getattr(_OF_THREAD, "decompressor", None)
    if held is None:
        held = _OF_THREAD.decompressor = _Decompressor(library)
    if not held.address:
        return 0
    data = np.frombuffer(stored, dtype=np.uint8)
    actual = np.zeros(2, dtype=np.int64)
    actual[1] = actual.ctypes.data
    try:
        return int(
            inflate_all(
                function, held.address, data.ctypes.data, len(data), places, sizes,
                out.ctypes.data, out.strides[0], actual,
            )
        )  # fmt: skip
    except MatrixError:
        # There is neither machine code nor a compiler.
        return 0


def can_inflate(layout: DatasetLayout) -> bool:
    """Return whether a vector's chunks have deflate as the only filter."""
    return len(layout.chunk_shape) == 1 and layout.filters == (DEFLATE,) and bool(_library())


def inflate_chunks(
    blob: Blob, layout: DatasetLayout, first: int, stop: int, out: NDArray[Any]
) -> Iterator[int]:
    """Inflate chunks ``first..stop``; yield the numbers of chunks left to the caller.

    Chunks that were never written, were stored without the filter, or are damaged are left.

    Args:
        blob: The file.
        layout: Positions of the chunks; `can_inflate` is true for it.
        first: Number of the first chunk.
        stop: Number after the last chunk.
        out: Shape ``(stop - first, n_items)``, contiguous; a row is set for each chunk that is
            not yielded.
    """
    numbers = np.arange(first, stop)
    for begin, end in coalesce(layout, numbers):
        at = int(layout.offsets[first + begin])
        if at < 0:
            yield first + begin
            continue
        stored = blob.read_range(at, span_bytes(layout, numbers, begin, end))
        group = slice(first + begin, first + end + 1)
        places, sizes = layout.offsets[group] - at, layout.sizes[group].astype(np.int64)
        rows = out[begin : end + 1]
        done = 0
        while done < len(rows):
            plain = np.flatnonzero(layout.masks[group][done:])
            n = int(plain[0]) if len(plain) else len(rows) - done
            if n:
                n_sound = _inflate(
                    stored, places[done : done + n], sizes[done : done + n], rows[done:]
                )
                done += n_sound
                if n_sound == n:
                    continue
            yield first + begin + done
            done += 1
