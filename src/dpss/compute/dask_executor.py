"""A Dask cluster: the partitions of a matrix spread over other processes and machines.

The only module that knows Dask (the extra ``dask``). A task is what a thread does, only
for a few partitions: make an accumulator, add the partitions, hand it back. Results are merged
here as they come. A task whose worker dies is done again by another one; nothing
else is lost. All accumulators give the same bits whichever partitions they saw, so that
the result is that of threads, to the byte.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from types import TracebackType
from typing import Any, Generic, NamedTuple, TypeVar, cast

from dpss._version import __version__
from dpss.compute.executor import A, Advance, Fold, Mergeable
from dpss.compute.machine import return_memory_at_once
from dpss.compute.prefetch import Prefetchable
from dpss.errors import DpssError, SettingsError, UnreachableError

try:
    import dask
    import distributed
except ImportError as error:
    raise SettingsError(
        "--executor (DPSS_EXECUTOR) dask needs Dask: pip install 'data-portal-summary-stats[dask]'"
    ) from error

R = TypeVar("R", bound=Mergeable)

TASKS_PER_THREAD = 4
"""Tasks that a fold is cut into for each thread there is, so that fast ones do more."""
MAX_PARTITIONS = 16
"""Most partitions in a task: what is lost with a worker (a gigabyte decoded, about a second)."""
WINDOW_PER_THREAD = 2
"""Tasks handed out for each thread there is. What is done and not yet merged is among
them, so that results waiting for the merge never pile up."""
CONNECT_SECONDS = 20
WORKER_SECONDS = 60
"""How long to wait for a worker when there is none."""
_POLL_SECONDS = 5
_LARGE_JOB = "1GiB"
"""Dask warns of tasks that weigh more than this; ours weigh 8 bytes per cell at most."""


class Done(NamedTuple, Generic[R]):
    """Result of a task."""

    accumulator: R
    n_values: int
    """Values that were read."""


class DaskExecutor:
    """A fold on a Dask cluster. Use it as a context manager, or `close` it."""

    def __init__(self, address: str | None, n_workers: int | None = None) -> None:
        """Connect.

        Args:
            address: Of a scheduler, such as ``tcp://10.0.0.1:8786``. ``None`` starts a
                cluster of this machine's processors, which ends with the executor.
            n_workers: Workers of that cluster, one thread each; ``None`` for one per
                processor.

        Raises:
            UnreachableError: No scheduler answers there.
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

    def __enter__(self) -> DaskExecutor:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect."""
        self.close()

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
        """Return in one line what the cluster is, and where it can be looked at."""
        link = self.dashboard_link
        look = f"; dashboard: {link}" if link else ""
        return f"Dask: {self._name}, {self.n_threads} threads{look}"

    @property
    def n_threads(self) -> int:
        """Threads of all workers there are now."""
        return sum(self._client.nthreads().values())

    def wait_for_workers(self, n_workers: int) -> None:
        """Wait until there are as many workers.

        Raises:
            UnreachableError: They do not come.
        """
        with self._explained():
            self._client.wait_for_workers(n_workers, timeout=WORKER_SECONDS)

    def fold(self, job: Fold[A], partitions: Sequence[range], advance: Advance) -> A:
        """Do all partitions and return one merged accumulator; the first error is raised.

        Raises:
            UnreachableError: The scheduler or all of its workers are gone.
        """
        merged = job.start()
        with (
            self._explained(),
            dask.config.set({"distributed.admin.large-graph-warning-threshold": _LARGE_JOB}),
        ):
            # As bytes that a task unpickles: other than data put onto a worker it can
            # be made again if that worker dies, and it's unpickled once per worker.
            loaded = self._client.submit(
                load_job, pickle.dumps(job), __version__, pure=False, priority=1
            )
            for done in self._run(loaded, _group(partitions, self.n_threads)):
                merged.merge(done.accumulator)
                advance(done.n_values)
        return merged

    def _run(self, loaded: Any, tasks: Sequence[Sequence[range]]) -> Iterator[Done[Any]]:
        """Do tasks and yield what they return, with a few of them handed out at a time."""
        waiting = iter(tasks)
        pending: set[Any] = set()
        try:
            while True:
                window = WINDOW_PER_THREAD * max(1, self.n_threads)
                while len(pending) < window and (task := next(waiting, None)) is not None:
                    pending.add(self._client.submit(fold_partitions, loaded, task, pure=False))
                if not pending:
                    return
                for future in self._wait(pending):
                    pending.discard(future)
                    yield future.result()
        finally:
            # Also when the caller gave up: work whose result is not needed is not begun.
            self._client.cancel([loaded, *pending])

    def _wait(self, pending: set[Any]) -> list[Any]:
        """Return what is done, as soon as anything is.

        Raises:
            TimeoutError: There has been no worker for too long.
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
    def _explained(self) -> Iterator[None]:
        """Say in our own words what goes wrong with a cluster."""
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


def load_job(payload: bytes, version: str) -> Fold[Any]:
    """Unpickle a fold: the task that all others of it depend on.

    Raises:
        UnreachableError: The worker runs another version, whose numbers may differ.
    """
    if version != __version__:
        raise UnreachableError(
            f"a Dask worker has data-portal-summary-stats {__version__}, but {version} is needed"
        )
    return cast("Fold[Any]", pickle.loads(payload))


def fold_partitions(job: Fold[A], partitions: Sequence[range]) -> Done[A]:
    """Do some partitions: the task.

    Dask has its workers give each freed page back at once, which would cost every chunk
    its page faults: they do as this program does elsewhere.
    """
    return_memory_at_once()
    n_values = 0

    def count(n: int) -> None:
        nonlocal n_values
        n_values += n

    accumulator = job.start()
    if isinstance(job, Prefetchable):
        job.prefetch(partitions)
    for partition in partitions:
        job.add(accumulator, partition, count)
    return Done(accumulator, n_values)


def _group(partitions: Sequence[range], n_threads: int) -> list[Sequence[range]]:
    """Put neighbouring partitions together into tasks.

    >>> [len(task) for task in _group([range(i, i + 1) for i in range(10)], n_threads=1)]
    [2, 3, 2, 3]
    """
    n_partitions = len(partitions)
    n_tasks = max(TASKS_PER_THREAD * max(1, n_threads), -(-n_partitions // MAX_PARTITIONS))
    n_tasks = min(n_tasks, n_partitions)
    bounds = [n_partitions * i // max(1, n_tasks) for i in range(n_tasks + 1)]
    return [partitions[a:b] for a, b in pairwise(bounds)]
