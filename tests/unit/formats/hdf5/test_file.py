"""HDF5 read chunk by chunk, against what h5py reads."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError
from dpss.formats.arrays.vectors import Cursor
from dpss.formats.hdf5.file import Hdf5File, RemoteHdf5
from dpss.storage.local import LocalFile
from tests.conftest import ROOT

FILTERS = (
    {},
    {"compression": "gzip", "compression_opts": 1},
    {"compression": "gzip", "shuffle": True},
    {"compression": "lzf"},
    {"compression": "lzf", "shuffle": True},
    {"shuffle": True},
    {"compression": "gzip", "fletcher32": True},
)
PLUGINS = (
    hdf5plugin.Blosc(cname="lz4"),
    hdf5plugin.Blosc(cname="zstd", shuffle=hdf5plugin.Blosc.BITSHUFFLE),
    hdf5plugin.Zstd(),
    hdf5plugin.LZ4(nbytes=64),
    hdf5plugin.Bitshuffle(),
)
DTYPES = ("f4", "f8", "i4", "i8", "u2", "i1", ">f4", ">i8", "?")


@pytest.mark.slow
@given(
    length=st.integers(0, 70),
    chunk=st.one_of(st.none(), st.integers(1, 80)),
    filters=st.sampled_from(FILTERS),
    dtype=st.sampled_from(DTYPES),
    width=st.one_of(st.none(), st.tuples(st.integers(1, 9), st.integers(1, 9))),
    cuts=st.lists(st.integers(0, 70), max_size=4),
)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_every_range_is_what_h5py_reads(
    length: int,
    chunk: int | None,
    filters: dict[str, object],
    dtype: str,
    width: tuple[int, int] | None,
    cuts: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever the chunks, filters and types, consecutive ranges hold the same numbers."""
    path = tmp_path_factory.getbasetemp() / "ranges.h5"
    shape = (length,) if width is None else (length, width[0])
    values = (np.random.default_rng(length).random(shape) * 100).astype(dtype)
    with h5py.File(path, "w") as h5:
        if chunk is None or not length:
            h5.create_dataset("x", data=values)
        else:
            chunks = (min(chunk, length),) if width is None else (min(chunk, length), width[1])
            if width is not None:
                chunks = (chunks[0], min(width))
            h5.create_dataset("x", data=values, chunks=chunks, **filters)
    array = pickle.loads(pickle.dumps(Hdf5File(LocalFile(path)).array("x")))
    cursor = Cursor(array)
    bounds = sorted({0, length, *(min(cut, length) for cut in cuts)})
    for start, stop in pairwise(bounds):
        np.testing.assert_array_equal(cursor.read(start, stop), values[start:stop])
        np.testing.assert_array_equal(array.read(start, stop), values[start:stop])


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: type(plugin).__name__)
def test_other_compressors(plugin: Mapping[str, object], tmp_path: Path) -> None:
    """What hdf5plugin writes is read, also without it where the filter is known here."""
    values = np.random.default_rng(2).poisson(1, (300, 7)).astype("f4")
    with h5py.File(tmp_path / "x.h5", "w") as h5:
        h5.create_dataset("x", data=values, chunks=(70, 7), **plugin)
        h5.create_dataset("y", data=values[:, 0], chunks=(70,), shuffle=True, **plugin)
    file = Hdf5File(LocalFile(tmp_path / "x.h5"))
    np.testing.assert_array_equal(file.array("x").read(0, 300), values)
    np.testing.assert_array_equal(file.array("y").read(0, 300), values[:, 0])
    if not isinstance(plugin, hdf5plugin.Bitshuffle):
        assert file.array("x").layout() is not None


@pytest.mark.parametrize("plugin", PLUGINS[:4], ids=lambda plugin: type(plugin).__name__)
def test_damage_to_other_compressors_is_named(plugin: Mapping[str, object], tmp_path: Path) -> None:
    """Wherever a byte is wrong the result is the numbers or our error, nothing else."""
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as h5:
        x = h5.create_dataset("x", data=np.arange(200, dtype="i4"), chunks=(200,), **plugin)
        where = x.id.get_chunk_info(0)
    whole = path.read_bytes()
    for at in range(where.byte_offset, where.byte_offset + min(where.size, 60)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with contextlib.suppress(CorruptMatrixError):
            assert Hdf5File(LocalFile(path)).array("x").read(0, 200).shape == (200,)


def test_chunks_that_were_never_written_hold_the_fill_value(tmp_path: Path) -> None:
    """HDF5 leaves such chunks out of the file."""
    path = tmp_path / "holes.h5"
    with h5py.File(path, "w") as h5:
        x = h5.create_dataset("x", (100,), "f4", chunks=(10,), fillvalue=7, compression="gzip")
        x[35:40] = 1
        expected = x[()]
    np.testing.assert_array_equal(Hdf5File(LocalFile(path)).array("x").read(0, 100), expected)


def test_a_chunk_that_skips_a_filter_is_read(tmp_path: Path) -> None:
    """HDF5 notes for each chunk which filters were left out for it."""
    path = tmp_path / "mask.h5"
    values = np.arange(20, dtype="i4")
    with h5py.File(path, "w") as h5:
        x = h5.create_dataset("x", (20,), "i4", chunks=(10,), compression="gzip", shuffle=True)
        x[:] = values
        x.id.write_direct_chunk((10,), values[10:].tobytes(), filter_mask=3)
    np.testing.assert_array_equal(Hdf5File(LocalFile(path)).array("x").read(0, 20), values)


def test_damaged_bytes_are_named(tmp_path: Path) -> None:
    """A chunk that can't be inflated becomes an error with file, dataset and chunk."""
    path = tmp_path / "damaged.h5"
    with h5py.File(path, "w") as h5:
        x = h5.create_dataset("x", data=np.arange(1000), chunks=(500,), compression="gzip")
        where = x.id.get_chunk_info(1)
    with path.open("r+b") as file:
        file.seek(where.byte_offset + 4)
        file.write(b"\xff" * 20)
    with pytest.raises(
        CorruptMatrixError, match=r"damaged\.h5: chunk 1 of x can't be decompressed"
    ):
        Hdf5File(LocalFile(path)).array("x").read(0, 1000)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    """HDF5 itself notices; the message is ours."""
    path = tmp_path / "short.h5"
    with h5py.File(path, "w") as h5:
        h5["x"] = np.arange(10_000)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CorruptMatrixError, match=r"short\.h5: HDF5 can't be opened"):
        Hdf5File(LocalFile(path)).array("x")


def test_a_range_file_reads_like_a_file(tmp_path: Path) -> None:
    """h5py can open a file through nothing but byte ranges."""
    path = tmp_path / "ranged.h5"
    with h5py.File(path, "w") as h5:
        h5.create_dataset("x", data=np.arange(1000), compression="gzip")
    with h5py.File(RemoteHdf5(LocalFile(path)), "r") as h5:
        np.testing.assert_array_equal(h5["x"][()], np.arange(1000))


BREAKING_OFF = """
import sys
from tests.unit.formats.packing import h5ad
from tests.unit.storage.blobs import MemoryBlob
from dpss.errors import FetchError
from dpss.formats.registry import open_matrices

class BreakingOff(MemoryBlob):
    left = int(sys.argv[1])

    def read_range(self, start, length):
        type(self).left -= 1
        if self.left < 0:
            raise FetchError("the server is gone")
        return super().read_range(start, length)

try:
    open_matrices(BreakingOff("a.h5ad", h5ad()))
except FetchError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("n_reads", [1, 3, 5, 12])
def test_a_server_that_breaks_off_ends_in_its_own_error_and_not_in_a_crash(n_reads: int) -> None:
    """Nothing of the library is left for after Python's end, when it could not be given back."""
    done = subprocess.run(
        [sys.executable, "-c", BREAKING_OFF, str(n_reads)],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "the server is gone\n"), done.stderr
