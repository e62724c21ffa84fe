"""The law of executors: wherever the partitions are read, the same bytes come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pytest
import scipy.sparse as sp

from dpss.compute.dask_executor import DaskExecutor
from dpss.compute.executor import Advance, Executor
from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.progress import NullProgress
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.engine.summarizer import summarize_matrix
from dpss.errors import CorruptMatrixError
from dpss.formats.base import Layer, Matrix
from dpss.formats.registry import open_matrices
from dpss.job.cell_file import CellFile
from dpss.storage.local import LocalFile
from dpss.summary.builder import Identity
from dpss.summary.embedding_tables import markers_csv
from dpss.summary.record import MatrixInfo, Provenance
from dpss.summary.tables import genes_csv, json_bytes, summary_document
from tests.cluster import Cluster

SMALL = ReadSettings(threads=1, block_bytes=1 << 10, partition_bytes=1 << 12)
"""Blocks and partitions so small that there are many of them."""


@dataclass
class Count(NullProgress):
    """Adds up what it is told."""

    n_values: int = 0

    def advance(self, n_values: int) -> None:
        """Add up; tests look at it when all is done."""
        self.n_values += n_values


def write_random(path: Path, seed: int, *, csc: bool) -> int:
    """Write a matrix of counts, some of them fractional; return how many values it stores."""
    rng = np.random.default_rng(seed)
    n_cells, n_genes = int(rng.integers(1, 400)), int(rng.integers(1, 60))
    counts = rng.integers(1, 2000, (n_cells, n_genes)).astype(np.float64)
    counts += rng.random((n_cells, n_genes)) * (seed % 2)
    counts *= rng.random((n_cells, n_genes)) < 0.3
    matrix = sp.csc_matrix(counts) if csc else sp.csr_matrix(counts)
    names = [f"MT-{i}" if i < 3 else f"g{i}" for i in range(n_genes)]
    adata = anndata.AnnData(matrix)
    adata.var_names = names
    adata.write_h5ad(path, compression="gzip")
    return int(matrix.nnz)


def write_kinds(path: Path, seed: int) -> None:
    """Write 260 cells of three kinds."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.4, 1.0, (3, 70))[rng.integers(0, 3, 260)]
    adata = anndata.AnnData(sp.csr_matrix(rng.poisson(rates).astype(np.float32)))
    adata.var_names = [f"MT-{i}" if i < 3 else f"g{i}" for i in range(70)]
    adata.write_h5ad(path, compression="gzip")


def files_of(
    path: Path,
    executor: Executor,
    progress: Any = None,
    read: ReadSettings = SMALL,
    **settings: Any,
) -> bytes:
    """Return what is published of a matrix in numbers, as bytes."""

    def identify(opened: Matrix, layer: Layer) -> Identity:
        info = MatrixInfo("", "url", opened.format, layer.name, "fingerprint")
        return Identity("p", "p", info, Provenance("0", {}))

    (matrix,) = open_matrices(LocalFile(path))
    table = CellFile(path.with_name("cells"))
    summary = summarize_matrix(
        matrix, identify, StatSettings(min_gene_count=3, **settings), read, executor,
        progress or NullProgress(), sink=table,
    )  # fmt: skip
    found = genes_csv(summary.genes) + json_bytes(summary_document(summary, []))
    found += table.path.read_bytes()
    if summary.embedding is not None:
        cells = summary.embedding.cells
        found += markers_csv(summary.embedding, summary.genes)
        found += cells.labels.tobytes() + cells.places.tobytes()
    return found


Read = Callable[[str, int], tuple[Path, bytes]]
"""Returns a matrix of a kind and a seed, and the bytes that one thread makes of it at once."""
WRITERS: dict[str, Callable[[Path, int], Any]] = {
    "csr": partial(write_random, csc=False),
    "csc": partial(write_random, csc=True),
    "kinds": write_kinds,
}


@pytest.fixture(scope="module")
def read_whole(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Each matrix is written and read in one partition once, for all executors."""
    whole = replace(SMALL, partition_bytes=1 << 30)

    @cache
    def read(kind: str, seed: int) -> tuple[Path, bytes]:
        path = tmp_path_factory.mktemp(f"{kind}{seed}") / "m.h5ad"
        WRITERS[kind](path, seed)
        return path, files_of(path, ThreadExecutor(1), read=whole)

    return read


class ExecutorLaws:
    """What every executor keeps. A subclass gives the fixture ``executor``."""

    @pytest.mark.parametrize(
        "seed", [1, 2, 3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (0, 4, 5))]
    )
    @pytest.mark.parametrize("kind", ["csr", "csc"])
    def test_same_bytes(self, executor: Executor, read_whole: Read, seed: int, kind: str) -> None:
        """Tables and numbers are those of one thread that reads all in one partition."""
        path, expected = read_whole(kind, seed)
        assert files_of(path, executor) == expected

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", range(3))
    def test_same_embedding(self, executor: Executor, read_whole: Read, seed: int) -> None:
        """Clusters, markers and places are those of one thread that reads all in one partition."""
        path, expected = read_whole("kinds", seed)
        assert b'"n_clusters"' in expected
        assert files_of(path, executor) == expected

    def test_progress_adds_up(self, executor: Executor, tmp_path: Path) -> None:
        """Every stored value is told of once."""
        path = tmp_path / "m.h5ad"
        n_values = write_random(path, 7, csc=False)
        count = Count()
        files_of(path, executor, count, embedding=False)
        assert count.n_values == n_values

    def test_first_error_ends_the_fold(self, executor: Executor, tmp_path: Path) -> None:
        """A damaged partition is reported as such, with the file's name."""
        with pytest.raises(CorruptMatrixError, match=r"a\.h5ad: broken"):
            executor.fold(Broken(3), [range(i, i + 1) for i in range(20)], lambda _: None)

    def test_no_shares(self, executor: Executor) -> None:
        """Nothing to do gives an empty accumulator."""
        assert executor.fold(Broken(0), [], lambda _: None).starts == []

    def test_all_shares_once(self, executor: Executor) -> None:
        """Each partition is read exactly once."""
        done = executor.fold(Broken(-1), [range(i, i + 2) for i in range(50)], lambda _: None)
        assert sorted(done.starts) == list(range(50))


@dataclass
class Starts:
    """Remembers where partitions begin."""

    starts: list[int]

    def merge(self, other: Starts) -> None:
        """Add another's."""
        self.starts += other.starts


@dataclass(frozen=True)
class Broken:
    """A fold that fails at one partition."""

    at: int

    def start(self) -> Starts:
        """Remember nothing."""
        return Starts([])

    def add(self, accumulator: Starts, partition: range, advance: Advance) -> None:
        """Remember a partition, or fail."""
        if partition.start == self.at:
            raise CorruptMatrixError("a.h5ad: broken")
        accumulator.starts.append(partition.start)
        advance(1)


class TestOneThread(ExecutorLaws):
    """One thread keeps the laws."""

    @pytest.fixture
    def executor(self) -> Executor:
        """One thread."""
        return ThreadExecutor(1)


class TestFourThreads(ExecutorLaws):
    """Four threads keep the laws."""

    @pytest.fixture
    def executor(self) -> Executor:
        """Four threads."""
        return ThreadExecutor(4)


@pytest.fixture(scope="module")
def dask_executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """A scheduler and two workers, three processes of their own."""
    with (
        Cluster(tmp_path_factory.mktemp("dask")) as cluster,
        closing(DaskExecutor(cluster.address)) as executor,
    ):
        yield executor


@pytest.mark.slow
class TestDask(ExecutorLaws):
    """A Dask cluster keeps the laws."""

    @pytest.fixture
    def executor(self, dask_executor: Executor) -> Executor:
        """Two workers."""
        return dask_executor


@pytest.mark.parametrize("partition_bytes", [1, 1 << 9, 1 << 14, 1 << 30])
def test_any_cut_into_partitions(read_whole: Read, partition_bytes: int) -> None:
    """However large the partitions are, the bytes are the same."""
    path, expected = read_whole("csr", 3)
    cut = replace(SMALL, partition_bytes=partition_bytes)
    assert files_of(path, ThreadExecutor(2), read=cut) == expected
