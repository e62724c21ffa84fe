"""Chunks inflated many at a time, against h5py and against chunks inflated one by one."""

from __future__ import annotations

import threading
import zlib
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, MatrixError
from dpss.formats.arrays.vectors import Cursor
from dpss.formats.hdf5 import inflation
from dpss.formats.hdf5.file import Hdf5File
from dpss.storage.local import LocalFile
from tests.examples import examples

N_ITEMS, CHUNK = 1_000, 64


def _write(
    path: Path, chunks: dict[int, bytes] | None = None, mask: dict[int, int] | None = None
) -> Any:
    """Write a deflated vector; some chunks are replaced by other stored bytes."""
    values = np.random.default_rng(1).poisson(3, N_ITEMS).astype(np.float32)
    with h5py.File(path, "w") as h5:
        made = h5.create_dataset("x", data=values, chunks=(CHUNK,), compression="gzip")
        for number, stored in (chunks or {}).items():
            made.id.write_direct_chunk((number * CHUNK,), stored)
    return values


def _read(path: Path, cuts: list[int]) -> list[bytes]:
    """Read a vector from front to back by one cursor."""
    cursor = Cursor(Hdf5File(LocalFile(path)).array("x"))
    return [cursor.read(*cut).tobytes() for cut in pairwise(sorted({0, *cuts, N_ITEMS}))]


def _outcome(path: Path) -> str:
    """Return what reading a file gives: the values, or the error."""
    try:
        return repr(_read(path, [100, 101, 700]))
    except CorruptMatrixError as error:
        return str(error)


def _one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every chunk be left to the filters."""
    monkeypatch.setattr(inflation, "_library", lambda: None)


@given(cuts=st.lists(st.integers(0, N_ITEMS), max_size=8))
@settings(deadline=None, max_examples=examples(60))
def test_any_cut_gives_the_values(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    """However a vector is cut, its pieces are what was written."""
    path = tmp_path_factory.mktemp("cut") / "a.h5"
    values = _write(path)
    assert b"".join(_read(path, cuts)) == values.tobytes()


def _damages() -> dict[str, bytes]:
    """Return stored bytes that are no chunk of the right size."""
    plain = np.ones(CHUNK, dtype=np.float32).tobytes()
    whole = zlib.compress(plain)
    return {
        "a byte": b"x",
        "cut": whole[:-5],
        "too much": zlib.compress(plain + b"more"),
        "far too much": zlib.compress(bytes(1 << 24)),
        "too little": zlib.compress(plain[:-4]),
        "a wrong checksum": whole[:-1] + bytes([whole[-1] ^ 1]),
        "garbage": Random(1).randbytes(200),
        "no zlib header": zlib.compress(plain)[2:],
        "something behind": whole + b"behind",
    }


@pytest.mark.slow
@pytest.mark.parametrize("what", _damages())
@pytest.mark.parametrize("number", [0, 7, (N_ITEMS - 1) // CHUNK])
def test_damaged_chunks_end_as_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    """A damaged chunk, first, in the middle or last, gives the error or values of the filters."""
    path = tmp_path / "a.h5"
    _write(path, {number: _damages()[what]})
    found = _outcome(path)
    _one_by_one(monkeypatch)
    assert found == _outcome(path)
    assert what == "something behind" or f"chunk {number} of x" in found


@given(seed=st.integers(0, 1 << 30))
@settings(deadline=None, max_examples=examples(60))
def test_flipped_bytes_end_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Any damage within a chunk gives the error or values of the filters."""
    rng = Random(seed)
    stored = bytearray(zlib.compress(np.arange(CHUNK, dtype=np.float32).tobytes()))
    for _ in range(rng.randint(1, 3)):
        stored[rng.randrange(len(stored))] = rng.randrange(256)
    path = tmp_path_factory.mktemp("flip") / "a.h5"
    _write(path, {rng.randrange(N_ITEMS // CHUNK): bytes(stored)})
    found = _outcome(path)
    with pytest.MonkeyPatch.context() as monkeypatch:
        _one_by_one(monkeypatch)
        assert found == _outcome(path)


def test_unwritten_and_unfiltered_chunks_are_read(tmp_path: Path) -> None:
    """Chunks never written are the fill value; those without the filter are taken as they are."""
    path = tmp_path / "a.h5"
    plain = np.arange(CHUNK, dtype=np.float32)
    with h5py.File(path, "w") as h5:
        made = h5.create_dataset(
            "x", (N_ITEMS,), np.float32, chunks=(CHUNK,), compression="gzip", fillvalue=5.0
        )
        made[: 3 * CHUNK] = 1.0
        made.id.write_direct_chunk((CHUNK,), plain.tobytes(), 1)
        made[8 * CHUNK : 9 * CHUNK] = 2.0
        expected = made[:].tobytes()
    assert b"".join(_read(path, [70, 300])) == expected


@pytest.mark.parametrize(
    ("place", "size"), [(-1, 10), (5, 1 << 40), (1 << 62, 10), (4, -1), (0, 10), (90, 11)]
)
def test_no_byte_outside_is_touched(place: int, size: int) -> None:
    """A place or size beyond the stored bytes is refused before it is looked at."""
    out = np.zeros((1, 64), dtype=np.uint8)
    places, sizes = np.array([place]), np.array([size])
    assert inflation._inflate(bytes(100), places, sizes, out) == 0
    assert not out.any()


def test_threads_have_decompressors_of_their_own(tmp_path: Path) -> None:
    """Threads that read at the same time get the same values."""
    path = tmp_path / "a.h5"
    values = _write(path)
    wrong: list[int] = []

    def read(number: int) -> None:
        found = {b"".join(_read(path, [number, 500])) for _ in range(20)}
        if found != {values.tobytes()}:
            wrong.append(number)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("file", ["missing.so", "no-library"])
def test_a_library_without_the_functions_leaves_all_to_the_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """Where libdeflate can't be called by address, the same values come."""
    (tmp_path / "no-library").write_bytes(b"text")
    monkeypatch.setattr(inflation.deflate._deflate, "__file__", str(tmp_path / file))
    inflation._library.cache_clear()
    try:
        assert inflation._library() is None
        values = _write(tmp_path / "a.h5")
        assert b"".join(_read(tmp_path / "a.h5", [100])) == values.tobytes()
    finally:
        inflation._library.cache_clear()


def test_without_a_compiler_all_is_left_to_the_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither machine code nor a compiler is, the same values come."""

    def refuse(*_: object) -> int:
        raise MatrixError("there is no machine code")

    monkeypatch.setattr(inflation, "inflate_all", refuse)
    values = _write(tmp_path / "a.h5")
    assert b"".join(_read(tmp_path / "a.h5", [100])) == values.tobytes()
