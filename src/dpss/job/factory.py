"""Factories of the objects of a run; the settings decide on their classes."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import fields
from datetime import UTC, datetime

from dpss.catalogs.base import Catalog
from dpss.catalogs.local import LocalCatalog, Recognise
from dpss.catalogs.shards import parse_shard
from dpss.compute.executor import Executor
from dpss.compute.extras import require
from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.run_settings import RunSettings
from dpss.errors import SettingsError, UnreachableError
from dpss.job.base import Job, RunListener
from dpss.job.children.isolation import IsolatedReader, make_reader, threads_of
from dpss.job.pipeline import Pipeline
from dpss.job.sources import REMOTE, exclude, read_excluded
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
    """Return the catalog of a run's source without the projects on the blacklist.

    Args:
        settings: The settings of the run.
        recognise: Returns whether a local file is a matrix, by its content.

    Raises:
        SettingsError: A required setting is missing, or the blacklist can't be read.
    """
    excluded = read_excluded(settings)
    if settings.source == "local":
        catalog = make_local_catalog(settings, recognise)
    else:
        catalog = REMOTE[settings.source](settings, excluded)
    return exclude(catalog, settings, excluded)


def make_executor(
    settings: RunSettings, tell: Callable[[str], None]
) -> AbstractContextManager[Executor]:
    """Return a context with the executor of a run.

    Args:
        settings: The settings of the run.
        tell: Called with one line about the cluster and its dashboard.

    Raises:
        SettingsError: The executor needs a library that is not installed.
        UnreachableError: The Dask cluster can't be reached.
    """
    if settings.executor == "threads":
        return nullcontext(ThreadExecutor(threads_of(settings)))
    require("dask", "--executor (DPSS_EXECUTOR) dask needs Dask", SettingsError)
    from dpss.compute.dask_executor import DaskExecutor

    executor = DaskExecutor(settings.scheduler, settings.read.threads)
    tell(executor.describe())
    return closing(executor)


def make_job(
    settings: RunSettings,
    stop: Stop,
    listener: RunListener,
    catalog: Catalog,
    scratch: Scratch,
    executor: Executor,
    isolated: IsolatedReader | None = None,
    *,
    simulated: bool = False,
) -> Job:
    """Return the run with all its objects.

    Args:
        settings: The run's settings.
        stop: Tells whether the run should end early.
        listener: Receives steps and outcomes.
        catalog: The projects to process.
        scratch: Scratch space for fetched files; emptied by the caller.
        executor: Distributes the partitions.
        isolated: Reads files in child processes; ``None`` to read them in this one.
        simulated: Whether the matrices are simulated.

    Raises:
        UnreachableError: The output can't be reached.
    """
    check_output(settings.output)
    reader, fetcher = make_reader(settings, stop, scratch, executor, simulated=simulated)
    pipeline = Pipeline(
        **{each.name: getattr(reader, each.name) for each in fields(reader)},
        store=open_store(settings.output),
        isolated=isolated,
        open_folder=scratch.folder,
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
        prefetch=isolated.prefetch if isolated else fetcher.prefetch,
    )


_CHECKS = 100
"""Most attempts to check an output that other runs make and remove at the same time."""


def check_output(output: str) -> None:
    """Check that a local output can be written to, before the work begins.

    The check leaves nothing behind, as there may be nothing to publish.

    Raises:
        UnreachableError: The folder can't be made or written to.
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
                # Another run that checks the same output has removed its folders.
                if attempt == _CHECKS - 1:
                    raise
        # A folder that another run has filled or removed meanwhile is left alone.
        with contextlib.suppress(OSError):
            for each in missing:
                each.rmdir()
    except OSError as error:
        raise UnreachableError(f"--output {output}: can't be written ({error.strerror})") from error
