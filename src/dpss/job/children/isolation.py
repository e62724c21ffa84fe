"""Tasks of the child processes that read files, and the functions that call them.

Each child has its own reader and scratch space. Plan, log and publication stay in
the process of the run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dpss._version import __version__
from dpss.compute.executor import Executor
from dpss.compute.machine import peak_memory_bytes
from dpss.compute.processes import can_fork
from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.run_settings import RunSettings
from dpss.engine.settings import StatSettings
from dpss.errors import DpssError, LostError, UnknownFormatError
from dpss.job.children.workers import DEFAULT_TIME_LIMIT, Tasks, Workers, portable
from dpss.job.publication import Recipe
from dpss.job.reader import Reader
from dpss.job.results import Results
from dpss.job.sources import make_client
from dpss.job.stop import NeverStop, Stop
from dpss.model import MatrixRef, Project
from dpss.storage.download import Fetcher
from dpss.storage.locations import open_source
from dpss.storage.scratch import Scratch
from dpss.storage.scratch_folders import remove_abandoned

if TYPE_CHECKING:
    from dpss.engine.progress import Progress


_PRELOADED = (
    "dpss.formats.discovery",
    "dpss.formats.arrays.probes",
    "dpss.engine.summarizer",
    "dpss.figures.registry",
    "dpss.figures.export",
    "dpss.summary.verdict",
    "dpss.website.genes.lookup",
    "dpss.website.plots",
    "dpss.website.validation",
)
"""Modules that import nearly all that a task needs, while the run itself makes its plan."""


class IsolatedReader:
    """Reads, counts and draws files in child processes; safe in several threads."""

    def __init__(self, workers: Workers, *, ahead: bool = True) -> None:
        """Store the workers.

        Args:
            workers: The children; closed by the caller.
            ahead: Whether a child fetches the next file while it reads one; true where files are
                not read side by side.
        """
        self._workers = workers
        self._ahead = ahead
        self._expected: list[MatrixRef] = []

    def prefetch(self, refs: Sequence[MatrixRef]) -> None:
        """Store the files that will be read, so that a child prefetches the next one."""
        self._expected = list(refs)

    def make(
        self,
        project: Project,
        ref: MatrixRef,
        progress: Progress,
        check: Callable[[], None],
        folder: Path | None = None,
    ) -> tuple[Results, int]:
        """Return the results of a file, and the child's peak memory in bytes.

        Files that are too large to be held are made in ``folder``, if it is given.

        Raises:
            LostError: The child was lost.
            DpssError: The file can't be opened.
        """
        following: list[MatrixRef] = []
        if self._ahead and ref in self._expected:
            place = self._expected.index(ref)
            following = self._expected[place + 1 : place + 2]
        named = Project(project.id, project.title)
        try:
            results, peak = self._workers.call(
                "make", named, ref, following, folder, progress=progress, check=check
            )
        except MemoryError:
            self._workers.renew()
            raise
        if any(isinstance(result, MemoryError) for result in results.values()):
            self._workers.renew()
        return results, peak

    def is_matrix(self, path: Path, check: Callable[[], None]) -> bool:
        """Return whether a file is a matrix, by its content; true if the child is lost."""
        from dpss.engine.progress import NullProgress

        try:
            return bool(self._workers.call("is_matrix", path, progress=NullProgress(), check=check))
        except LostError:
            return True


@contextmanager
def open_workers(
    settings: RunSettings, *, simulated: bool = False, start: bool = True
) -> Iterator[Workers | None]:
    """Yield the children of a run, which end with the context; ``None`` for none.

    There are none on systems that can't fork safely, and with an executor that has its own
    processes. The context must be entered before threads are started.

    Args:
        settings: The run's settings.
        simulated: Whether the matrices are simulated.
        start: Whether to start the fork server at once.
    """
    if settings.executor != "threads" or not can_fork():
        yield None
        return
    folder = Path(settings.scratch or tempfile.gettempdir())
    workers = Workers(
        partial(open_tasks, settings, simulated=simulated),
        preload,
        settings.time_limit or DEFAULT_TIME_LIMIT,
        partial(remove_abandoned, folder),
    )
    try:
        if start:
            workers.start()
    except OSError:
        yield None
        return
    with closing(workers):
        yield workers


def preload() -> None:
    """Import the modules of most tasks; compiled loops are linked at their first use."""
    for name in _PRELOADED:
        import_module(name)
    from dpss.formats.hdf5 import preload as preload_hdf5

    preload_hdf5()


@contextmanager
def open_tasks(settings: RunSettings, *, simulated: bool = False) -> Iterator[Tasks]:
    """Yield the tasks of a child; its scratch space ends with the context."""
    limit = settings.scratch_limit
    folder = Path(settings.scratch) if settings.scratch else None
    with Scratch(limit and limit // settings.jobs, folder) as scratch:
        executor = ThreadExecutor(threads_of(settings))
        reader, fetcher = make_reader(settings, NeverStop(), scratch, executor, simulated=simulated)

        def make(
            project: Project,
            ref: MatrixRef,
            following: Sequence[MatrixRef],
            folder: Path | None,
            progress: Progress,
        ) -> tuple[Results, int]:
            fetcher.prefetch([ref, *following])
            results = reader.make(project, ref, progress, folder)
            sent = {
                name: portable(result) if isinstance(result, Exception) else result
                for name, result in results.items()
            }
            return sent, peak_memory_bytes()

        def recognise(path: Path, progress: Progress) -> bool:
            return is_matrix(path, settings)

        yield {"make": make, "is_matrix": recognise}


def make_reader(
    settings: RunSettings,
    stop: Stop,
    scratch: Scratch,
    executor: Executor,
    *,
    simulated: bool = False,
) -> tuple[Reader, Fetcher]:
    """Return the reader with the run's settings, and its fetcher of remote files.

    Args:
        settings: The run's settings.
        stop: Tells whether the run should end early.
        scratch: Scratch space for fetched files; emptied by the caller.
        executor: Distributes the partitions.
        simulated: Whether the matrices are simulated.
    """
    fetcher = Fetcher(scratch, partial(make_client, settings), stop.check)
    threads = threads_of(settings)
    reader = Reader(
        stats=settings.stats,
        read=replace(settings.read, threads=threads),
        recipe=recipe_of(settings.stats),
        executor=executor,
        executor_here=ThreadExecutor(threads),
        stop=stop,
        open_ref=fetcher.open,
        # Without waiting: the archive of the matrix may hold the space that it would wait for.
        hold=partial(scratch.hold, wait=False),
        open_room=scratch.room,
        demo=simulated,
    )
    return reader, fetcher


def threads_of(settings: RunSettings) -> int:
    """Return the threads per matrix; those read side by side share all threads."""
    return max(1, settings.read.threads // settings.jobs)


def recipe_of(stats: StatSettings) -> Recipe:
    """Return the version and settings on which results depend besides the input."""
    return Recipe(__version__, dict(stats.as_mapping()))


def is_matrix(path: Path, settings: RunSettings) -> bool:
    """Return whether a file is a matrix, by its content; true for a damaged one.

    Args:
        path: A local file.
        settings: Settings with the limits for opening the file.
    """
    from dpss.formats.discovery import holds_matrix
    from dpss.formats.options import OpenOptions, parse_orientation

    options = OpenOptions(
        threads=settings.read.threads,
        orientation=parse_orientation(settings.stats.orientation),
        memory_bytes=settings.read.memory_bytes,
    )
    try:
        return holds_matrix(open_source(str(path)), options)
    except UnknownFormatError:
        return False
    except DpssError:
        return path.stat().st_size > 0
