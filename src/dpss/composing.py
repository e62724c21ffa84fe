"""From settings to the objects of a run: which classes stand behind the seams."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dpss import __version__
from dpss.catalogs import Catalog
from dpss.catalogs.local import LocalCatalog
from dpss.catalogs.sharding import parse_shard
from dpss.drawing import DrawingProcesses
from dpss.errors import DpssError, UnknownFormatError, UnreachableError
from dpss.executors import Executor
from dpss.executors.threads import ThreadExecutor
from dpss.interrupts import Stop
from dpss.pipeline import Pipeline
from dpss.publication import Recipe
from dpss.run import Job, Observer
from dpss.settings import RunSettings, StatSettings
from dpss.sources import REMOTE, make_client, read_listed, without_listed
from dpss.stores import Blob
from dpss.stores.fetching import Fetcher
from dpss.stores.opening import local_path, open_source, open_store
from dpss.stores.scratch import Scratch


def is_matrix(path: Path, settings: RunSettings) -> bool:
    """Tell by its content whether a file is a matrix; a broken one is, too.

    Args:
        path: A local file.
        settings: What opening it may use.
    """
    from dpss.formats.finding import holds_matrix
    from dpss.formats.means import Means, parse_orientation

    means = Means(
        threads=settings.read.threads,
        orientation=parse_orientation(settings.stats.orientation),
        memory_bytes=settings.read.memory_bytes,
    )
    try:
        return holds_matrix(open_source(str(path)), means)
    except UnknownFormatError:
        return False
    except DpssError:
        return path.stat().st_size > 0


def make_local_catalog(settings: RunSettings) -> Catalog:
    """Return the catalog of ``--source local``."""
    if local_path(settings.input or "") is None:
        from dpss.catalogs.remote import RemoteCatalog

        return RemoteCatalog(settings.input or "")
    output = local_path(settings.output) if settings.output else None
    return LocalCatalog(settings.input or "", partial(is_matrix, settings=settings), output)


def make_catalog(settings: RunSettings) -> Catalog:
    """Return the catalog of a run's source, without what is on the blacklist.

    Raises:
        SettingsError: A setting that it needs is missing, or there is no such blacklist.
    """
    listed = read_listed(settings)
    if settings.source == "local":
        catalog = make_local_catalog(settings)
    else:
        catalog = REMOTE[settings.source](settings, listed)
    return without_listed(catalog, settings, listed)


def threads_of(settings: RunSettings) -> int:
    """Return the threads of a matrix: side by side they share them, and with them the memory."""
    return max(1, settings.read.threads // settings.jobs)


def make_executor(
    settings: RunSettings, tell: Callable[[str], None]
) -> AbstractContextManager[Executor]:
    """Return where the reading and counting is done, for as long as the context lasts.

    Args:
        settings: What a run is asked to do.
        tell: Told in one line what the cluster is and where it can be looked at.

    Raises:
        SettingsError: It needs a library that is not installed.
        UnreachableError: The cluster can't be reached.
    """
    if settings.executor == "threads":
        return nullcontext(ThreadExecutor(threads_of(settings)))
    from dpss.executors.dask import DaskExecutor

    executor = DaskExecutor(settings.scheduler, settings.read.threads)
    tell(executor.describe())
    return executor


def make_job(
    settings: RunSettings,
    stop: Stop,
    observer: Observer,
    catalog: Catalog,
    scratch: Scratch,
    executor: Executor,
    *,
    simulated: bool = False,
) -> Job:
    """Return a run, ready to go.

    Args:
        settings: What it is asked to do.
        stop: Who may ask it to end early.
        observer: Who is told how it goes.
        catalog: What it processes.
        scratch: Where it keeps what it fetches; emptied by the caller.
        executor: Where is read and counted.
        simulated: Whether the matrices are simulated.

    Raises:
        UnreachableError: The output can't be reached.
    """
    check_output(settings.output)
    fetcher = Fetcher(
        scratch,
        partial(make_client, settings),
        stop.check,
        partial(_reads_in_one_pass, settings.stats),
    )
    threads = threads_of(settings)
    pipeline = Pipeline(
        store=open_store(settings.output),
        stats=settings.stats,
        read=replace(settings.read, threads=threads),
        recipe=recipe_of(settings.stats),
        executor=executor,
        executor_here=ThreadExecutor(threads),
        stop=stop,
        drawing=DrawingProcesses(settings.read.threads),
        open_ref=fetcher.open,
        open_whole=partial(fetcher.open, whole=True),
        # What a matrix's file is in may be held already.
        hold=partial(scratch.hold, wait=False),
        demo=simulated,
    )
    return Job(
        catalog=catalog,
        pipeline=pipeline,
        observer=observer,
        now=lambda: datetime.now(UTC),
        force=settings.force,
        only=settings.only,
        shard=parse_shard(settings.shard),
        prune=settings.prune,
        jobs=settings.jobs,
        expect=fetcher.expect,
    )


def _reads_in_one_pass(stats: StatSettings, blob: Blob) -> bool:
    """Tell by a file's beginning whether to read it once is enough."""
    from dpss.formats.means import parse_orientation
    from dpss.formats.one_pass import reads_in_one_pass

    return reads_in_one_pass(blob, parse_orientation(stats.orientation))


def check_output(output: str) -> None:
    """Check that a local output can be written to: better now than after an hour's work.

    Nothing is left behind: whether there is anything to publish will only be seen.

    Raises:
        UnreachableError: It can't be made or written to.
    """
    folder = local_path(output)
    if folder is None or folder.is_file():
        return
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for each in missing:
            each.rmdir()
    except OSError as error:
        raise UnreachableError(f"--output {output}: can't be written ({error.strerror})") from error


def recipe_of(stats: StatSettings) -> Recipe:
    """Return what results depend on besides the input."""
    return Recipe(__version__, dict(stats.as_mapping()))
