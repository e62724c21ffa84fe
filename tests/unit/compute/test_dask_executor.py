"""What a Dask cluster adds to the laws: lost workers, wrong addresses, clear words."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import inputs
from dpss._version import __version__
from dpss.compute import dask_executor as module
from dpss.compute.dask_executor import DaskExecutor, load_fold
from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.folds import CellFold, Reading
from dpss.errors import UnreachableError
from dpss.formats.base import Layer
from dpss.formats.registry import open_matrices
from dpss.stats.accumulator import Features
from dpss.storage.local import LocalFile
from tests.cluster import Cluster, Watched
from tests.laws.test_accumulator_laws import equal

PARTITION_BYTES = 1 << 18


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """A matrix of 2,000 cells: about 130 partitions."""
    path = tmp_path_factory.mktemp("matrix") / "m.h5ad"
    inputs.write_h5ad(path, 2_000)
    return open_matrices(LocalFile(path))[0].layers[0]


def make_fold(layer: Layer) -> CellFold:
    """All statistics of a layer in one pass."""
    is_gene = layer.genes.is_gene
    features = Features(is_gene, np.zeros(len(is_gene), bool), np.arange(100))
    return CellFold(Reading(layer, 1 << 16), features, 0)


@pytest.fixture(scope="module")
def expected(layer: Layer) -> Any:
    """What one thread finds in the whole layer."""
    whole = ThreadExecutor(1).fold(make_fold(layer), layer.partitions(1 << 30), lambda _: None)
    return whole.result()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler with one worker, which tests may add to."""
    with Cluster(tmp_path_factory.mktemp("cluster"), n_workers=1) as cluster:
        yield cluster


@pytest.mark.slow
def test_a_killed_worker_costs_only_its_partition(
    layer: Layer, expected: Any, tmp_path: Path
) -> None:
    """One of two workers dies mid-run: same bytes, every value told of once, little redone."""
    fold, partitions = make_fold(layer), layer.partitions(PARTITION_BYTES)
    told: list[int] = []
    with (
        Cluster(tmp_path / "cluster") as cluster,
        closing(DaskExecutor(cluster.address)) as executor,
    ):
        executor.wait_for_workers(2)

        def advance(n: int) -> None:
            if not told:
                cluster.kill_worker(0)
            told.append(n)

        watched = Watched(fold, tmp_path / "begun.txt")
        found = executor.fold(watched, partitions, advance).result()
        assert executor.n_threads == 1
    assert equal(found, expected)
    assert sum(told) == layer.n_values
    assert len(told) >= 8
    begun = [int(line) for line in (tmp_path / "begun.txt").read_text().split()]
    assert set(begun) == {partition.start for partition in partitions}
    # What the lost worker had: the task it was at, and what was done but not fetched.
    lost = len(begun) - len(partitions)
    assert lost <= module.WINDOW_PER_THREAD * module.MAX_PARTITIONS


@pytest.mark.slow
def test_a_worker_that_joins_late_helps(layer: Layer, expected: Any, cluster: Cluster) -> None:
    """A fold begins with one worker, and another one takes part as soon as it is there."""
    with closing(DaskExecutor(cluster.address)) as executor:
        executor.wait_for_workers(1)
        joined = threading.Event()

        def advance(n: int) -> None:
            if not joined.is_set():
                cluster.start_worker(1)
                executor.wait_for_workers(2)
                joined.set()

        found = executor.fold(make_fold(layer), layer.partitions(PARTITION_BYTES), advance)
        assert executor.n_threads == 2
    assert equal(found.result(), expected)


@pytest.mark.slow
def test_a_fold_that_is_given_up_leaves_nothing(layer: Layer, cluster: Cluster) -> None:
    """Whoever stops a fold (a signal, say) gets the executor back, ready for the next one."""

    class Stopped(BaseException):
        pass

    def stop(n: int) -> None:
        raise Stopped

    with closing(DaskExecutor(cluster.address)) as executor:
        with pytest.raises(Stopped):
            executor.fold(make_fold(layer), layer.partitions(PARTITION_BYTES), stop)
        found = executor.fold(make_fold(layer), layer.partitions(1 << 30), lambda _: None)
        assert found.result().cells.n_cells == layer.n_cells


@pytest.mark.slow
def test_a_cluster_of_its_own(layer: Layer, expected: Any) -> None:
    """Without an address this machine's processors are the cluster; it has a dashboard link."""
    with closing(DaskExecutor(None, n_workers=2)) as executor:
        found = executor.fold(make_fold(layer), layer.partitions(PARTITION_BYTES), lambda _: None)
        assert executor.n_threads == 2
        assert (executor.dashboard_link or "").startswith("http://127.0.0.1:")
    assert equal(found.result(), expected)


@pytest.mark.slow
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong address is one clear message that names the option and the address."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 1)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UnreachableError, match=rf"--scheduler .*{address}"):
            DaskExecutor(address)


@pytest.mark.slow
def test_no_worker(layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler without workers is said to be one; nothing hangs."""
    monkeypatch.setattr(module, "WORKER_SECONDS", 1)
    with (
        Cluster(tmp_path / "cluster", n_workers=0) as cluster,
        closing(DaskExecutor(cluster.address)) as executor,
        pytest.raises(UnreachableError, match="no worker"),
    ):
        executor.fold(make_fold(layer), layer.partitions(1 << 30), lambda _: None)


@pytest.mark.slow
def test_the_scheduler_dies(layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the scheduler dies the fold ends with a clear message; nothing hangs."""
    with (
        Cluster(tmp_path / "cluster", n_workers=1) as cluster,
        closing(DaskExecutor(cluster.address)) as executor,
    ):

        def advance(n: int) -> None:
            cluster.processes[0].send_signal(signal.SIGKILL)

        with pytest.raises(UnreachableError, match="scheduler"):
            executor.fold(make_fold(layer), layer.partitions(PARTITION_BYTES), advance)


@given(st.integers(0, 600), st.integers(0, 40))
def test_tasks_become_smaller(n_partitions: int, n_threads: int) -> None:
    """They are all partitions in order; the last ones are single, and none is too large."""
    partitions = [range(i, i + 1) for i in range(n_partitions)]
    tasks = module._group(partitions, n_threads)
    assert [each for task in tasks for each in task] == partitions
    sizes = [len(task) for task in tasks]
    assert sizes == sorted(sizes, reverse=True)
    assert all(1 <= size <= module.MAX_PARTITIONS for size in sizes)
    assert sizes[-1:] in ([], [1])


class FakeClient:
    """Ends the tasks of some workers in turn, and notes where each was sent."""

    def __init__(self, threads: dict[str, int]) -> None:
        self.threads = threads
        self.loads: list[Any] = []
        self.tasks: list[tuple[str, Any]] = []
        self.cancelled: list[Any] = []

    def nthreads(self) -> dict[str, int]:
        return self.threads

    def submit(self, function: Any, *arguments: Any, **options: Any) -> str:
        if function is load_fold:
            assert options.get("allow_other_workers", not self.threads)
            self.loads.append(options.get("workers"))
            return f"loaded {options.get('workers', ['nowhere'])[0]}"
        self.tasks.append(arguments)
        return f"task {len(self.tasks) - 1}"

    def cancel(self, futures: list[Any]) -> None:
        self.cancelled += futures


@pytest.mark.parametrize("threads", [{}, {"a": 1}, {"a": 1, "b": 1}, {"a": 2, "b": 1, "c": 4}])
def test_each_worker_loads_the_fold(
    threads: dict[str, int], layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once; each thread's tasks need that of its worker, and a task's end brings the next there."""
    client = FakeClient(threads)
    executor = DaskExecutor.__new__(DaskExecutor)
    vars(executor)["_client"] = client
    loaded = executor._load(make_fold(layer))
    assert client.loads == ([[name] for name in threads] or [None])
    n_threads = max(1, sum(threads.values()))
    assert len(loaded) == n_threads
    results = {f"task {i}": module.TaskResult(object(), i) for i in range(40)}  # type: ignore[type-var]

    class Ended(str):
        def result(self) -> Any:
            return results[self]

    monkeypatch.setattr(executor, "_wait", lambda pending: [min(pending, key=lambda t: int(t[5:]))])
    submit = client.submit
    monkeypatch.setattr(client, "submit", lambda *a, **k: Ended(submit(*a, **k)))
    found = [done.n_values for done in executor._run(loaded, [[range(i)] for i in range(40)])]
    assert sorted(found) == list(range(40))
    begun = [needs for needs, _ in client.tasks[: module.WINDOW_PER_THREAD * n_threads]]
    assert sorted(begun) == sorted(loaded * module.WINDOW_PER_THREAD)
    assert sorted(needs for needs, _ in client.tasks) == sorted((loaded * 40)[:40])


def test_another_version() -> None:
    """A worker with another version of the program refuses, and says which is needed."""
    with pytest.raises(UnreachableError, match=r"9\.9 is needed"):
        load_fold(b"", "9.9")
    assert __version__ != "9.9"
