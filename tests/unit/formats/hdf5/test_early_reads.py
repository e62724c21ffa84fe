"""Samples of an array of very many chunks need no walk over the file's whole index."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.engine.inspection import inspect_source
from dpss.engine.samples import take_sample
from dpss.formats.hdf5.early_reads import EarlyReads
from dpss.formats.hdf5.file import ChunkedArray, Hdf5File
from dpss.formats.options import OpenOptions
from dpss.formats.registry import open_matrices
from dpss.storage.base import Spans
from dpss.storage.local import LocalFile
from tests.summarise import source_of, summarise
from tests.unit.storage.blobs import MemoryBlob

N_CELLS, N_GENES = 400, 60


@pytest.fixture
def many_chunks(tmp_path: Path) -> Path:
    """Write a sparse h5ad of 2,000 chunks in each vector."""
    rng = np.random.default_rng(9)
    x = rng.poisson(0.5, (N_CELLS, N_GENES)) * (rng.random((N_CELLS, N_GENES)) < 0.6)
    cells, genes = np.nonzero(x)
    with h5py.File(tmp_path / "a.h5ad", "w") as file:
        group = file.create_group("X")
        group.attrs["encoding-type"], group.attrs["shape"] = "csr_matrix", x.shape
        group["indptr"] = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=N_CELLS))])
        for name, values in {"data": x[cells, genes].astype("f4"), "indices": genes}.items():
            chunk = (max(1, len(values) // 2000),)
            group.create_dataset(name, data=values, chunks=chunk, compression="gzip")
        for name, n in {"obs": N_CELLS, "var": N_GENES}.items():
            file[f"{name}/_index"] = np.array([f"{name}{k}" for k in range(n)], dtype="S")
    np.save(tmp_path / "x.npy", x)
    return tmp_path / "a.h5ad"


def test_a_sample_reads_no_positions(many_chunks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run does, once, and its numbers are those of the file."""
    walked = []
    whole = ChunkedArray.layout

    def layout(array: ChunkedArray) -> object:
        walked.append(array.path)
        return whole(array)

    monkeypatch.setattr(ChunkedArray, "layout", layout)
    (found,) = inspect_source(source_of(many_chunks), OpenOptions(sample_only=True))
    assert found.layers == (("X", "counts"),)
    assert not {"X/data", "X/indices"} & {path.strip("/") for path in walked}
    summary = summarise(many_chunks, min_gene_count=0)
    assert summary.total_counts == np.load(many_chunks.with_name("x.npy")).sum()


def test_samples_are_those_of_few_chunks(many_chunks: Path, tmp_path: Path) -> None:
    """However the values are read."""
    with h5py.File(many_chunks) as one, h5py.File(tmp_path / "b.h5ad", "w") as other:
        for name in ("obs", "var"):
            one.copy(name, other)
        group = other.create_group("X")
        group.attrs.update(dict(one["X"].attrs))
        for name in ("data", "indices", "indptr"):
            group[name] = one[f"X/{name}"][()]
    digests = []
    for path in (many_chunks, tmp_path / "b.h5ad"):
        (matrix,) = open_matrices(source_of(path))
        digests.append(take_sample(matrix.layers[0]).digest)
    assert digests[0] == digests[1]


@pytest.fixture(scope="module")
def many_numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the numbers below 5,000 in chunks of three."""
    path = tmp_path_factory.mktemp("numbers") / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("v", data=np.arange(5000, dtype="i4"), chunks=(3,))
    return path


@given(
    reads=st.lists(st.tuples(st.integers(0, 4999), st.integers(0, 300)), min_size=1, max_size=20)
)
@settings(max_examples=20)
def test_reads_are_those_of_the_library(many_numbers: Path, reads: list[tuple[int, int]]) -> None:
    """Before the positions are known, and after."""
    array = Hdf5File(LocalFile(many_numbers)).array("v")
    for start, n in reads:
        stop = min(start + n, 5000)
        assert array.read(start, stop).tolist() == list(range(start, stop))


class Announced(MemoryBlob):
    """A remote blob that writes down what is announced."""

    def prefetch(self, spans: Spans) -> None:
        vars(self).setdefault("spans", []).append(spans)


def test_samples_of_a_remote_file_are_announced_at_once(many_chunks: Path) -> None:
    """Its positions are read first; the values of each place are then one span."""
    blob = Announced("a.h5ad", many_chunks.read_bytes())
    array = Hdf5File(blob).array("X/data")
    places = [range(200), range(1300, 1500), range(2600, 2800)]
    vars(blob)["spans"] = []
    for place in places:
        array.prefetch(place)
    found = [spans.places for spans in vars(blob)["spans"] if not spans.soon]
    assert len(found) == len(places)
    # A node of the index may lie between chunks, and is not read twice.
    assert max(map(len, found)) <= 2
    local = Hdf5File(LocalFile(many_chunks)).array("X/data")
    for place in places:
        wanted = local.read(place.start, place.stop).tolist()
        assert array.read(place.start, place.stop).tolist() == wanted


def test_early_reads_end() -> None:
    """After some the array is read whole; large reads are none, nor those of few chunks."""
    early = EarlyReads((10**8,), (1000,), 4)
    assert early.allows(1000)
    assert not early.allows(10**7)
    early.n = 8
    assert not early.allows(1000)
    assert not EarlyReads((10**5,), (1000,), 4).allows(10)
    assert not EarlyReads((10**8,), None, 4).allows(10)
    assert not EarlyReads((10**7,), (1000,), 4, remote=True).allows(1000)
    assert EarlyReads((10**8,), (1000,), 4, remote=True).allows(1000)
    assert not EarlyReads((10**10,), (10**6,), 4).allows(10)
