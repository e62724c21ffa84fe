"""Large chunks of zarr: decoded some lines at a time, and within one budget of all threads."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, GzipCodec, TransposeCodec, ZstdCodec

from dpss.errors import ChunkError, CorruptMatrixError
from dpss.formats.arrays import tiles
from dpss.formats.arrays.budget import LARGE_BYTES, MemoryBudget
from dpss.formats.zarr import array as zarr_array
from dpss.formats.zarr import strips
from dpss.formats.zarr.codecs import STREAMS
from tests.unit.formats.layers import dense, open_path
from tests.unit.formats.zarr.test_reader import counts, write_hca

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning"),
]
V2 = [
    None, numcodecs.Blosc("lz4", blocksize=256), numcodecs.Blosc("zstd", shuffle=2, blocksize=512),
    numcodecs.Blosc("zlib", clevel=0), numcodecs.Zstd(3), numcodecs.LZ4(), numcodecs.GZip(1),
    numcodecs.Zlib(1), numcodecs.BZ2(), numcodecs.LZMA(),
]  # fmt: skip
V3 = [None, BloscCodec(cname="zstd", blocksize=256), GzipCodec(), ZstdCodec(checksum=True)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call every chunk large, and every strip some lines."""
    monkeypatch.setattr(zarr_array, "LARGE_BYTES", 1)
    monkeypatch.setattr(zarr_array, "_STRIP_BYTES", 300)
    monkeypatch.setattr(strips, "_FEED_BYTES", 100)
    monkeypatch.setattr(tiles, "BAND_BYTES", 1)
    # A line is not longer than what is called large.
    monkeypatch.setattr(
        zarr_array.ZarrArray, "_streams", property(lambda self: strips.can_stream(self.meta))
    )


@pytest.mark.parametrize("n_bytes", [1, 5, 8])
def test_a_stream_may_end_where_a_piece_ends(n_bytes: int) -> None:
    """The last piece may hold the checksum alone, or the end of it."""
    data = bytes(range(256)) * 9
    for packed in (gzip.compress(data), zlib.compress(data)):
        pieces = [packed[:-n_bytes], packed[-n_bytes:]]
        assert b"".join(STREAMS["zlib"](iter(pieces), 300)) == data
        with pytest.raises(ChunkError, match="ends too early"):
            list(STREAMS["zlib"](iter(pieces[:1]), 300))


@pytest.mark.slow
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_strips_are_what_zarr_wrote(data: st.DataObject, tmp_path: Path, small: None) -> None:
    """Codecs, orders, shards, chunks larger than the array, types, unwritten chunks."""
    shape = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    dtype = data.draw(st.sampled_from(["f4", "f8", "i4", "i8", "u1", "u2", ">f4", ">i8"]))
    values = counts(*shape).astype(dtype)
    if data.draw(st.booleans()):
        values[: shape[0] // 2] = 0
    chunks = data.draw(st.tuples(st.integers(1, 60), st.integers(1, 60)))
    # Each chunk is a file: of more than a hundred, the others are like these.
    n_chunks = [-(-n // chunk) for n, chunk in zip(shape, chunks, strict=True)]
    assume(n_chunks[0] * n_chunks[1] <= 100)
    options: dict[str, Any] = {"chunks": chunks, "fill_value": 0}
    version = data.draw(st.sampled_from([2, 3]))
    if version == 2:
        options["order"] = data.draw(st.sampled_from("CF"))
        options["compressors"] = data.draw(st.sampled_from(V2))
    else:
        options["compressors"] = data.draw(st.sampled_from(V3))
        if data.draw(st.booleans()):
            options["filters"] = [TransposeCodec(order=(1, 0))]
        if data.draw(st.booleans()):
            options["shards"] = tuple(2 * n for n in chunks)
    write_hca(tmp_path / "a.zarr", values, version, **options)
    (matrix,) = open_path(tmp_path / "a.zarr")
    assert np.array_equal(dense(matrix.layers[0]), values)
    assert not matrix.layers[0].cell_major or values.shape[1] * values.itemsize <= 1


@pytest.mark.slow
@pytest.mark.parametrize("codec", V2[1:])
@pytest.mark.parametrize("damage", ["short", "flipped", "empty", "longer"])
def test_damaged_chunks_are_refused(codec: Any, damage: str, tmp_path: Path, small: None) -> None:
    """Whatever is damaged, numbers are refused or those that are there."""
    values = counts(30, 20)
    write_hca(tmp_path / "a.zarr", values, chunks=(30, 20), compressors=codec)
    chunk = tmp_path / "a.zarr" / "expression" / "0.0"
    stored = bytearray(chunk.read_bytes())
    if damage == "longer":
        # A chunk that decodes to more than its shape.
        meta = chunk.with_name(".zarray")
        meta.write_text(json.dumps(json.loads(meta.read_text()) | {"chunks": [29, 20]}))
    elif damage == "flipped":
        stored[len(stored) // 2] ^= 0xFF
    else:
        del stored[len(stored) * 2 // 3 if damage == "short" else 0 :]
    chunk.write_bytes(stored)
    try:
        (matrix,) = open_path(tmp_path / "a.zarr")
        read = dense(matrix.layers[0])
    except CorruptMatrixError as error:
        assert "damaged" in str(error) or "claims" in str(error)
    else:
        assert damage == "flipped"  # without a checksum, it is another number
        assert read.shape == values.shape


def test_the_budget_is_shared() -> None:
    """Threads never hold more than the budget, each gets its turn, and small ones do not wait."""
    budget = MemoryBudget(3 * LARGE_BYTES)
    lock, held, most, done = threading.Lock(), 0, 0, 0

    def work(n_bytes: int) -> None:
        nonlocal held, most, done
        for _ in range(5):
            with budget.hold(n_bytes):
                with lock:
                    held += n_bytes
                    most = max(most, held)
                time.sleep(0.001)
                with lock:
                    held -= n_bytes
        with lock:
            done += 1

    threads = [threading.Thread(target=work, args=(n * LARGE_BYTES,)) for n in (1, 1, 2, 3, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert done == len(threads)
    assert 2 * LARGE_BYTES <= most <= 3 * LARGE_BYTES


def test_no_thread_waits_for_itself_or_for_ever() -> None:
    """More than the budget is held alone; what a thread needs besides, it gets at once."""
    budget = MemoryBudget(LARGE_BYTES)
    with budget.hold(5 * LARGE_BYTES), budget.hold(2 * LARGE_BYTES), budget.hold(1):
        others = threading.Thread(target=lambda: budget.hold(LARGE_BYTES).__enter__())
        others.daemon = True
        others.start()
        others.join(0.05)
        assert others.is_alive()
    others.join(30)
    assert not others.is_alive()
