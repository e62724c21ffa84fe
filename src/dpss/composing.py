"""From settings to the objects of a run: which classes stand behind the seams."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from dpss import __version__
from dpss.catalogs import Catalog
from dpss.catalogs.local import LocalCatalog
from dpss.drawing import DrawingProcesses
from dpss.errors import DpssError, SettingsError, UnknownFormatError, UnreachableError
from dpss.executors.threads import ThreadExecutor
from dpss.interrupts import Stop
from dpss.pipeline import Pipeline
from dpss.publication import Recipe
from dpss.run import Job, Observer
from dpss.settings import RunSettings, StatSettings
from dpss.stores.opening import local_path, open_source, open_store


def is_matrix(path: Path) -> bool:
    """Tell by its content whether a file is a matrix; a broken one is, too."""
    from dpss.formats.table import open_matrices

    try:
        open_matrices(open_source(str(path)))
    except UnknownFormatError:
        return False
    except DpssError:
        return path.stat().st_size > 0
    return True


def make_local_catalog(settings: RunSettings) -> Catalog:
    """Return the catalog of ``--source local``."""
    output = local_path(settings.output) if settings.output else None
    return LocalCatalog(settings.input or "", is_matrix, output)


CATALOGS: dict[str, Callable[[RunSettings], Catalog]] = {"local": make_local_catalog}
"""How each source's catalog is made. A function here imports its library when called."""


def make_catalog(settings: RunSettings) -> Catalog:
    """Return the catalog of a run's source.

    Raises:
        SettingsError: A setting that it needs is missing, or nobody knows the source.
    """
    if settings.source not in CATALOGS:
        raise SettingsError(
            f"--source (DPSS_SOURCE) {settings.source} is not there yet; "
            f"there is: {', '.join(sorted(CATALOGS))}"
        )
    return CATALOGS[settings.source](settings)


def make_job(
    settings: RunSettings,
    stop: Stop,
    observer: Observer,
    catalog: Catalog,
    *,
    simulated: bool = False,
) -> Job:
    """Return a run, ready to go.

    Args:
        settings: What it is asked to do.
        stop: Who may ask it to end early.
        observer: Who is told how it goes.
        catalog: What it processes.
        simulated: Whether the matrices are simulated.

    Raises:
        UnreachableError: The output can't be reached.
    """
    prepare_output(settings.output)
    pipeline = Pipeline(
        store=open_store(settings.output),
        stats=settings.stats,
        read=settings.read,
        recipe=recipe_of(settings.stats),
        executor=ThreadExecutor(settings.read.threads),
        stop=stop,
        drawing=DrawingProcesses(settings.read.threads),
        demo=simulated,
    )
    return Job(
        catalog=catalog,
        pipeline=pipeline,
        observer=observer,
        now=lambda: datetime.now(UTC),
        force=settings.force,
        only=settings.only,
    )


def prepare_output(output: str) -> None:
    """Make the folder of a local output: better now than after an hour's work.

    Raises:
        UnreachableError: It can't be made or written to.
    """
    folder = local_path(output)
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        return  # a file, of which `open_store` has something to say
    except OSError as error:
        raise UnreachableError(f"--output {output}: can't be made ({error.strerror})") from error
    if not os.access(folder, os.W_OK):
        raise UnreachableError(f"--output {output}: may not be written to")


def recipe_of(stats: StatSettings) -> Recipe:
    """Return what results depend on besides the input."""
    return Recipe(__version__, dict(stats.as_mapping()))
