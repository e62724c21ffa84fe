"""Large chunks of zarr: decoded some lines at a time, and within one budget of all threads."""

from __future__ import annotations

import errno
import gzip
import json
import threading
import time
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec

from dpss.errors import ChunkError, CorruptMatrixError
from dpss.formats.arrays import tiles
from dpss.formats.arrays.budget import LARGE_BYTES, MemoryBudget
from dpss.formats.zarr import array as zarr_array
from dpss.formats.zarr import strips
from dpss.formats.zarr.codecs import STREAMS
from dpss.formats.zarr.group import ZarrTree
from dpss.storage.local import LocalFile, LocalFolder
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

    threads = [
        threading.Thread(target=work, args=(n * LARGE_BYTES,), daemon=True)
        for n in (1, 1, 2, 3, 1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
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
    others.join(300)
    assert not others.is_alive()


CODECS = [
    [], [BloscCodec(cname="zstd", blocksize=256)], [GzipCodec()], [ZstdCodec()], [Crc32cCodec()],
    [ZstdCodec(), Crc32cCodec()], [BloscCodec(cname="lz4"), Crc32cCodec()],
]  # fmt: skip


@pytest.mark.parametrize("codecs", CODECS)
@pytest.mark.parametrize("n", [1, 70])
def test_chunks_longer_than_an_array(codecs: list[Any], n: int, tmp_path: Path) -> None:
    """Only the part within the array is decoded; a checksum at the end is not data."""
    values = np.arange(n, dtype=np.int32) * 3
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    group.create_array("v", shape=(n,), chunks=(100,), dtype="i4", compressors=codecs)[:] = values
    array = ZarrTree(LocalFolder(tmp_path / "a.zarr")).array("v")
    assert np.array_equal(array.read(0, n), values)


def stretched(n: int, n_chunk: int, codec: Any, root: Path) -> Any:
    """Return a vector of ``n`` numbers in one chunk of ``n_chunk``."""
    group = zarr.open_group(root, mode="w", zarr_format=2)
    options = {"shape": (n,), "chunks": (n_chunk,), "dtype": "i4", "compressors": codec}
    group.create_array("v", **options)[:] = np.arange(n, dtype=np.int32)
    return ZarrTree(LocalFolder(root)).array("v")


@pytest.mark.parametrize("codec", [numcodecs.Zlib(1), numcodecs.Zstd(1), None])
def test_the_first_part_of_a_chunk_is_held_once(
    codec: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a few strips and stored bytes: not as strips, and again as a whole."""
    monkeypatch.setattr(zarr_array, "_STRIP_BYTES", 1 << 17)
    monkeypatch.setattr(strips, "_FEED_BYTES", 1 << 16)
    n = 1 << 20
    array = stretched(n, n + n // 2, codec, tmp_path / "a.zarr")
    tracemalloc.start()
    try:
        chunk = array.read_chunk((0,))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.array_equal(chunk, np.arange(n))
    assert chunk.nbytes < most < 1.6 * chunk.nbytes


@pytest.mark.parametrize("codec", [numcodecs.Zlib(1), numcodecs.Blosc(), None])
def test_a_file_that_can_not_be_read_is_not_damaged(
    codec: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the system is told as it is."""
    array = stretched(50, 80, codec, tmp_path / "a.zarr")

    def read_range(blob: LocalFile, start: int, length: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(LocalFile, "read_range", read_range)
    monkeypatch.setattr(LocalFile, "open", lambda blob: read_range(blob, 0, 1))
    with pytest.raises(OSError, match="Input/output error") as found:
        array.read_chunk((0,))
    assert not isinstance(found.value, CorruptMatrixError)


@pytest.mark.parametrize("codec", V2)
@pytest.mark.parametrize("n_stored", [50, 60, 80])
def test_lines_beyond_the_end_may_be_missing(codec: Any, n_stored: int, tmp_path: Path) -> None:
    """Some writers cut the last chunk; what lies within the array has to be there."""
    array = stretched(50, 80, codec, tmp_path / "a.zarr")
    if isinstance(codec, numcodecs.LZ4):
        return  # It is decoded whole.
    for n, good in ((n_stored, True), (49, False)):
        data = np.arange(n, dtype=np.int32).tobytes()
        (tmp_path / "a.zarr" / "v" / "0").write_bytes(data if codec is None else codec.encode(data))
        if good:
            assert np.array_equal(array.read_chunk((0,)), np.arange(50))
        else:
            with pytest.raises(CorruptMatrixError, match="damaged"):
                array.read_chunk((0,))
