"""Reading in child processes: the tasks that they do, and how a run asks for them.

A child has a reader, scratch space and helpers for drawing of its own. The run keeps the
plan, the log and the publication.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
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
from dpss.job.renderer import Drawing, DrawingProcesses
from dpss.job.results import Results
from dpss.job.sources import make_client
from dpss.job.stop import NeverStop, Stop
from dpss.model import MatrixRef, Project
from dpss.storage.download import Fetcher
from dpss.storage.locations import open_source
from dpss.storage.scratch import Scratch, remove_abandoned

if TYPE_CHECKING:
    from dpss.engine.progress import Progress


class IsolatedReader:
    """Reads, counts and draws files in child processes; can be used by several threads."""

    def __init__(self, workers: Workers, *, ahead: bool = True) -> None:
        """Read in the children of ``workers``.

        Args:
            workers: The children; closed by the caller.
            ahead: Whether a child may fetch the next file while it reads one: where
                files are not read side by side.
        """
        self._workers = workers
        self._ahead = ahead
        self._expected: list[MatrixRef] = []

    def prefetch(self, refs: Sequence[MatrixRef]) -> None:
        """Note which files will be read, in this order, so that a child can prefetch the next."""
        self._expected = list(refs)

    def make(
        self, project: Project, ref: MatrixRef, progress: Progress, check: Callable[[], None]
    ) -> tuple[Results, int]:
        """Return all that is published of a file, and the child's peak memory in bytes.

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
                "make", named, ref, following, progress=progress, check=check
            )
        except MemoryError:
            self._workers.renew()
            raise
        if any(isinstance(result, MemoryError) for result in results.values()):
            self._workers.renew()
        return results, peak

    def is_matrix(self, path: Path, check: Callable[[], None]) -> bool:
        """Tell by its content whether a file is a matrix; one that costs a child is, too."""
        from dpss.engine.progress import NullProgress

        try:
            return bool(self._workers.call("is_matrix", path, progress=NullProgress(), check=check))
        except LostError:
            return True


@contextmanager
def open_workers(
    settings: RunSettings, *, simulated: bool = False, start: bool = True
) -> Iterator[Workers | None]:
    """Give the children of a run, which end with the context; ``None`` where there are none.

    There are none on systems that can't fork safely, and with an executor that has other
    processes itself. To be entered before threads are started.

    Args:
        settings: The run's settings.
        simulated: Whether the matrices are simulated.
        start: Whether to begin at once with what the first child needs.
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
    """Import what most tasks need; the compiled loops are linked when they are used."""


@contextmanager
def open_tasks(settings: RunSettings, *, simulated: bool = False) -> Iterator[Tasks]:
    """Give what a child can do; its scratch space and helpers are gone with the context."""
    limit = settings.scratch_limit
    folder = Path(settings.scratch) if settings.scratch else None
    with Scratch(limit and limit // settings.jobs, folder) as scratch:
        executor = ThreadExecutor(threads_of(settings))
        drawing = DrawingProcesses(settings.read.threads)
        reader, fetcher = make_reader(
            settings, NeverStop(), scratch, executor, drawing, simulated=simulated
        )

        def make(
            project: Project, ref: MatrixRef, following: Sequence[MatrixRef], progress: Progress
        ) -> tuple[Results, int]:
            fetcher.prefetch([ref, *following])
            results = reader.make(project, ref, progress)
            sent = {
                name: portable(result) if isinstance(result, Exception) else result
                for name, result in results.items()
            }
            return sent, peak_memory_bytes()

        def recognise(path: Path, progress: Progress) -> bool:
            return is_matrix(path, settings)

        with closing(drawing):
            yield {"make": make, "is_matrix": recognise}


def make_reader(
    settings: RunSettings,
    stop: Stop,
    scratch: Scratch,
    executor: Executor,
    drawing: Drawing,
    *,
    simulated: bool = False,
) -> tuple[Reader, Fetcher]:
    """Return the reader of files with the run's settings, and the fetcher of remote files.

    Args:
        settings: The run's settings.
        stop: Tells whether the run should end early.
        scratch: Where it keeps what it fetches; emptied by the caller.
        executor: Where is read and counted.
        drawing: Draws the figures; closed by the caller.
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
        drawing=drawing,
        open_ref=fetcher.open,
        # What a matrix's file is in may be held already.
        hold=partial(scratch.hold, wait=False),
        demo=simulated,
    )
    return reader, fetcher


def threads_of(settings: RunSettings) -> int:
    """Return the threads of a matrix: side by side they share them, and with them the memory."""
    return max(1, settings.read.threads // settings.jobs)


def recipe_of(stats: StatSettings) -> Recipe:
    """Return what results depend on besides the input."""
    return Recipe(__version__, dict(stats.as_mapping()))


def is_matrix(path: Path, settings: RunSettings) -> bool:
    """Tell by its content whether a file is a matrix; a broken one is, too.

    Args:
        path: A local file.
        settings: What opening it may use.
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
