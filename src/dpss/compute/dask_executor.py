"""Executor on a Dask cluster, in other processes and on other machines.

The only module that knows Dask (the extra ``dask``). A task makes an accumulator, adds a few
partitions and returns it; this process merges the results as they arrive. A task whose worker dies
is repeated by another worker; nothing else is lost. All accumulators give the same bits whichever
partitions they saw, so that the result is that of threads, to the byte.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar, cast

import dask
import distributed

from dpss._version import __version__
from dpss.compute.executor import A, Advance, Fold, Mergeable
from dpss.compute.machine import return_memory_at_once
from dpss.compute.prefetch import Prefetchable
from dpss.errors import DpssError, UnreachableError, plural

R = TypeVar("R", bound=Mergeable)

TASKS_PER_THREAD = 2
"""Number of tasks per thread into which the remaining partitions would be cut. Tasks become smaller
towards the end, so that less time passes until the last one ends, and fast threads run more.
"""
MAX_PARTITIONS = 16
"""Most partitions in a task, which bounds the work lost with a worker (1 GB decoded, 1 s)."""
WINDOW_PER_THREAD = 2
"""Number of tasks per thread that run, wait or have a result; bounds the memory of results.
"""
CONNECT_SECONDS = 20
WORKER_SECONDS = 60
"""Seconds to wait for a worker when there is none."""
_POLL_SECONDS = 5
_LARGE_TASK = "1GiB"
"""Size of a task above which Dask warns; those here have 8 bytes per cell at most."""


class TaskResult(NamedTuple, Generic[R]):
    """Result of a task."""

    accumulator: R
    n_values: int
    """Number of values that were read."""


class DaskExecutor:
    """Runs folds on a Dask cluster; `close` ends the connection."""

    is_local = False

    def __init__(self, address: str | None, n_workers: int | None = None) -> None:
        """Connect to a scheduler, or start a cluster.

        Args:
            address: Address of a scheduler, such as ``tcp://10.0.0.1:8786``. ``None`` starts a
                cluster on this machine, which ends with the executor.
            n_workers: Workers of the started cluster, one thread each; ``None`` for one per
                processor.

        Raises:
            UnreachableError: No scheduler answers at the address.
        """
        self._cluster: Any = None
        self._name = address or "a cluster of this machine"
        try:
            if address is None:
                with dask.config.set({"distributed.worker.daemon": True}):
                    self._cluster = distributed.LocalCluster(
                        n_workers=n_workers, threads_per_worker=1, dashboard_address="127.0.0.1:0"
                    )
            self._client: Any = distributed.Client(
                self._cluster or address, timeout=CONNECT_SECONDS, set_as_default=False
            )
        except (OSError, ValueError) as error:
            raise UnreachableError(
                f"--scheduler (DPSS_SCHEDULER) {self._name}: no Dask scheduler answers ({error})"
            ) from error

    def close(self) -> None:
        """Disconnect, and end the cluster if it was started here."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    @property
    def dashboard_link(self) -> str | None:
        """Address of the scheduler's dashboard, ``None`` if it has none."""
        try:
            return cast("str | None", self._client.dashboard_link)
        except (KeyError, AttributeError):
            return None

    def describe(self) -> str:
        """Return one line with the cluster's name, threads and dashboard."""
        link = self.dashboard_link
        dashboard = f"; dashboard: {link}" if link else ""
        return f"Dask: {self._name}, {plural(self.n_threads, 'thread')}{dashboard}"

    @property
    def n_threads(self) -> int:
        """Number of threads of all present workers."""
        return sum(self._client.nthreads().values())

    def wait_for_workers(self, n_workers: int) -> None:
        """Wait until the cluster has this number of workers.

        Raises:
            UnreachableError: Too few workers came within the time limit.
        """
        with self._translated_errors():
            self._client.wait_for_workers(n_workers, timeout=WORKER_SECONDS)

    def fold(self, fold: Fold[A], partitions: Sequence[range], advance: Advance) -> A:
        """Process all partitions and return one merged accumulator; raise the first error.

        Raises:
            UnreachableError: The scheduler or all workers can no longer be reached.
        """
        merged = fold.start()
        with (
            self._translated_errors(),
            dask.config.set({"distributed.admin.large-graph-warning-threshold": _LARGE_TASK}),
        ):
            for result in self._run(self._load(fold), _group(partitions, self.n_threads)):
                merged.merge(result.accumulator)
                advance(result.n_values)
        return merged

    def _load(self, fold: Fold[Any]) -> list[Any]:
        """Load a fold in each worker; return the future of it for each thread.

        The fold is sent as bytes that a task unpickles. Unlike data scattered to a worker, the task
        can be repeated by another if that worker dies. Dask gives a task to a worker that has what
        it needs: with the fold in one worker, all tasks would begin there.
        """
        payload = pickle.dumps(fold)
        submit = partial(
            self._client.submit, load_fold, payload, __version__, pure=False, priority=1
        )
        loaded = []
        for address, n_threads in self._client.nthreads().items():
            future = submit(workers=[address], allow_other_workers=True)
            loaded += [future] * n_threads
        return loaded or [submit()]

    def _run(
        self, loaded: Sequence[Any], tasks: Sequence[Sequence[range]]
    ) -> Iterator[TaskResult[Any]]:
        """Submit tasks, a few at a time, and yield their results.

        Args:
            loaded: The futures of the fold, one per thread; a task that ends is followed by another
                that needs the same one.
            tasks: The partitions of each task.
        """
        waiting = iter(tasks)
        pending: dict[Any, int] = {}
        try:
            while True:
                window = WINDOW_PER_THREAD * max(1, self.n_threads)
                while len(pending) < window and (task := next(waiting, None)) is not None:
                    n_pending = Counter(pending.values())
                    number = min(range(len(loaded)), key=n_pending.__getitem__)
                    future = self._client.submit(fold_partitions, loaded[number], task, pure=False)
                    pending[future] = number
                if not pending:
                    return
                for future in self._wait(pending):
                    del pending[future]
                    yield future.result()
        finally:
            # Also if the caller closes the iterator: tasks that have not started are cancelled.
            self._client.cancel([*loaded, *pending])

    def _wait(self, pending: Iterable[Any]) -> list[Any]:
        """Wait for the first tasks to end, and return their results.

        Raises:
            TimeoutError: There was no worker for `WORKER_SECONDS`.
        """
        without_worker = 0
        while True:
            try:
                with self._client.as_current():
                    return list(
                        distributed.wait(
                            list(pending), timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED"
                        ).done
                    )
            except TimeoutError:
                without_worker = 0 if self.n_threads else without_worker + _POLL_SECONDS
                if without_worker >= WORKER_SECONDS:
                    raise

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Convert errors of Dask into `UnreachableError` with a plain message."""
        try:
            yield
        except DpssError:
            raise
        except TimeoutError as error:
            raise UnreachableError(
                f"{self._name}: the Dask scheduler has had no worker for {WORKER_SECONDS} s; "
                "start some"
            ) from error
        except distributed.KilledWorker as error:
            raise UnreachableError(
                f"{self._name}: workers die of this matrix again and again (out of memory?): "
                f"{error}"
            ) from error
        except (distributed.CancelledError, distributed.comm.CommClosedError) as error:
            raise UnreachableError(f"{self._name}: the Dask scheduler is gone") from error
        except ImportError as error:
            raise UnreachableError(
                f"{self._name}: its workers lack {error.name}; they need "
                f"data-portal-summary-stats[dask] {__version__}"
            ) from error


def load_fold(payload: bytes, version: str) -> Fold[Any]:
    """Unpickle a fold; all tasks of the fold depend on this one.

    Raises:
        UnreachableError: The worker runs another version, whose numbers may differ.
    """
    if version != __version__:
        raise UnreachableError(
            f"a Dask worker has data-portal-summary-stats {__version__}, but {version} is needed"
        )
    return cast("Fold[Any]", pickle.loads(payload))


def fold_partitions(fold: Fold[A], partitions: Sequence[range]) -> TaskResult[A]:
    """Add some partitions to a new accumulator: the work of one task.

    Dask makes its workers return each freed page to the system at once, which would cause page
    faults for every chunk; this sets the allocator as in other processes of the program.
    """
    return_memory_at_once()
    n_values = 0

    def count(n: int) -> None:
        nonlocal n_values
        n_values += n

    accumulator = fold.start()
    if isinstance(fold, Prefetchable):
        fold.prefetch(partitions)
    for partition in partitions:
        fold.add(accumulator, partition, count)
    return TaskResult(accumulator, n_values)


def _group(partitions: Sequence[range], n_threads: int) -> list[Sequence[range]]:
    """Group neighbouring partitions into tasks, which become smaller.

    >>> [len(task) for task in _group([range(i, i + 1) for i in range(10)], n_threads=1)]
    [5, 3, 1, 1]
    """
    tasks, first = [], 0
    while first < len(partitions):
        part = -(-(len(partitions) - first) // (TASKS_PER_THREAD * max(1, n_threads)))
        n = min(part, MAX_PARTITIONS)
        tasks.append(partitions[first : first + n])
        first += n
    return tasks
