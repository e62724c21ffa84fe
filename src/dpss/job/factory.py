"""The objects of a run, made from its settings: the classes behind the protocols."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields
from datetime import UTC, datetime

from dpss.catalogs.base import Catalog
from dpss.catalogs.local import LocalCatalog, Recognise
from dpss.catalogs.shards import parse_shard
from dpss.compute.executor import Executor
from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.run_settings import RunSettings
from dpss.errors import UnreachableError
from dpss.job.base import Job, RunListener
from dpss.job.children.isolation import IsolatedReader, make_reader, threads_of
from dpss.job.pipeline import Pipeline
from dpss.job.renderer import DrawingProcesses
from dpss.job.sources import REMOTE, read_listed, without_listed
from dpss.job.stop import Stop
from dpss.storage.locations import local_path, open_store
from dpss.storage.scratch import Scratch


def make_local_catalog(settings: RunSettings, recognise: Recognise) -> Catalog:
    """Return the catalog of ``--source local``."""
    if local_path(settings.input or "") is None:
        from dpss.catalogs.remote import RemoteCatalog

        return RemoteCatalog(settings.input or "")
    output = local_path(settings.output) if settings.output else None
    return LocalCatalog(settings.input or "", recognise, output)


def make_catalog(settings: RunSettings, recognise: Recognise) -> Catalog:
    """Return the catalog of a run's source, without what is on the blacklist.

    Args:
        settings: What the run is asked to do.
        recognise: Tells whether a local file whose name doesn't say so is a matrix.

    Raises:
        SettingsError: A setting that it needs is missing, or there is no such blacklist.
    """
    listed = read_listed(settings)
    if settings.source == "local":
        catalog = make_local_catalog(settings, recognise)
    else:
        catalog = REMOTE[settings.source](settings, listed)
    return without_listed(catalog, settings, listed)


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
    from dpss.compute.dask_executor import DaskExecutor

    executor = DaskExecutor(settings.scheduler, settings.read.threads)
    tell(executor.describe())
    return executor


def make_job(
    settings: RunSettings,
    stop: Stop,
    listener: RunListener,
    catalog: Catalog,
    scratch: Scratch,
    executor: Executor,
    apart: IsolatedReader | None = None,
    *,
    simulated: bool = False,
) -> Job:
    """Return a run, ready to go.

    Args:
        settings: The run's settings.
        stop: Tells whether the run should end early.
        listener: Receives steps and outcomes.
        catalog: The projects to process.
        scratch: Where it keeps what it fetches; emptied by the caller.
        executor: Where is read and counted.
        apart: Reads files in child processes; ``None`` to read them in this one.
        simulated: Whether the matrices are simulated.

    Raises:
        UnreachableError: The output can't be reached.
    """
    check_output(settings.output)
    reader, fetcher = make_reader(
        settings,
        stop,
        scratch,
        executor,
        DrawingProcesses(settings.read.threads),
        simulated=simulated,
    )
    pipeline = Pipeline(
        **{each.name: getattr(reader, each.name) for each in fields(reader)},
        store=open_store(settings.output),
        apart=apart,
    )
    return Job(
        catalog=catalog,
        pipeline=pipeline,
        listener=listener,
        now=lambda: datetime.now(UTC),
        force=settings.force,
        only=settings.only,
        shard=parse_shard(settings.shard),
        prune=settings.prune,
        jobs=settings.jobs,
        prefetch=apart.prefetch if apart else fetcher.prefetch,
    )


_CHECKS = 100
"""How often an output is checked that other runs make and remove at the same time."""


def check_output(output: str) -> None:
    """Check that a local output can be written to: better now than after an hour's work.

    Nothing is left behind: whether there is anything to publish will only be seen.

    Raises:
        UnreachableError: It can't be made or written to.
    """
    folder = local_path(output)
    if folder is None or folder.is_file():
        return
    try:
        for attempt in range(_CHECKS):
            missing = [each for each in (folder, *folder.parents) if not each.exists()]
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    pass
                break
            except (FileNotFoundError, FileExistsError):
                # Another run that checks the same output has removed what it had made.
                if attempt == _CHECKS - 1:
                    raise
        # What another run has filled, or removed, meanwhile is its own.
        with contextlib.suppress(OSError):
            for each in missing:
                each.rmdir()
    except OSError as error:
        raise UnreachableError(f"--output {output}: can't be written ({error.strerror})") from error
