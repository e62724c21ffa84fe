"""From what is asked for to settings: every fault is gathered before anything is said."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeVar

from dpss.engine.settings import (
    EXECUTORS,
    SOURCES,
    ReadSettings,
    RunSettings,
    StatSettings,
    bucket_of,
    make_read_settings,
    size_option,
)
from dpss.errors import SettingsError

T = TypeVar("T")


def make_run_settings(  # noqa: PLR0913 - the options of a command
    *,
    source: str | None = None,
    input: str | None = None,
    output: str | None = None,
    environ: str | None = None,
    blacklist: bool = False,
    blacklist_file: str | None = None,
    only: Collection[str] = (),
    shard: str | None = None,
    force: bool = False,
    prune: bool = False,
    source_url: str | None = None,
    azul_url: str | None = None,
    catalog: str | None = None,
    include_intermediate: bool = False,
    all_files: bool = False,
    jobs: int | None = None,
    scratch: str | None = None,
    scratch_limit: str | None = None,
    timeout: float | None = None,
    time_limit: float | None = None,
    metrics: str | None = None,
    min_gene_count: int = 0,
    layer: str | None = None,
    orientation: str | None = None,
    threads: int | None = None,
    memory: str | None = None,
    executor: str | None = None,
    scheduler: str | None = None,
    output_needed: bool = True,
) -> RunSettings:
    """Fill in what follows from other settings, and check that all go together.

    The arguments are the options of ``dpss run``, ``None`` where they are not given.

    Raises:
        SettingsError: Something is missing or contradicts; all faults in one message.
    """
    bucket = bucket_of(environ) if environ else None
    malformed: list[str] = []
    settings = RunSettings(
        source=source or ("local" if input else ""),
        output=output or (bucket.figures if bucket else ""),
        input=input,
        environ=environ,
        blacklist=blacklist_file or (bucket.blacklist if bucket and blacklist else None),
        only=frozenset(only),
        shard=shard or "1/1",
        force=force,
        prune=prune,
        source_url=source_url,
        azul_url=azul_url,
        catalog=catalog or "",
        include_intermediate=include_intermediate,
        all_files=all_files,
        jobs=1 if jobs is None else jobs,
        scratch=scratch,
        scratch_limit=_tried(lambda: size_option("scratch-limit", scratch_limit), None, malformed),
        timeout=timeout,
        time_limit=time_limit,
        metrics=metrics,
        executor=executor or ("dask" if scheduler else EXECUTORS[0]),
        scheduler=scheduler,
        stats=_tried(
            lambda: StatSettings(min_gene_count, layer or None, orientation or None),
            StatSettings(),
            malformed,
        ),
        read=_tried(lambda: make_read_settings(threads, memory), ReadSettings(), malformed),
    )
    faults = [*_find_faults_of_source(settings), *_find_faults_of_work(settings), *malformed]
    if output_needed and not settings.output:
        faults.append(
            "--output (DPSS_OUTPUT) is missing: a folder or s3://bucket/prefix; "
            "--environ (DPSS_ENVIRON) would set it to that deployment's bucket"
        )
    if blacklist and not settings.blacklist:
        faults.append(
            "--blacklist (DPSS_BLACKLIST) needs --environ (DPSS_ENVIRON), whose bucket has the "
            "list, or --blacklist-file (DPSS_BLACKLIST_FILE)"
        )
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def _tried(make: Callable[[], T], otherwise: T, faults: list[str]) -> T:
    """Return what is made; where it can't be, note why."""
    try:
        return make()
    except SettingsError as error:
        faults.append(str(error))
        return otherwise


def _find_faults_of_source(settings: RunSettings) -> Iterator[str]:
    """Yield what is wrong with where projects come from."""
    source = settings.source
    if not source:
        yield f"--source (DPSS_SOURCE) is missing; there is: {', '.join(SOURCES)}"
    if source == "local" and not settings.input:
        yield "--input (DPSS_INPUT) is missing: the source local needs a folder, file or glob"
    if source not in ("", "local") and settings.input:
        yield (
            f"--input (DPSS_INPUT) is {settings.input}, but only the source local has one; "
            f"--source (DPSS_SOURCE) is {source}"
        )
    if source == "canned" and not (settings.source_url or settings.environ):
        yield (
            "--environ (DPSS_ENVIRON) or --source-url (DPSS_SOURCE_URL) is missing: the source "
            "canned is a prefix of a bucket, s3://bucket/prefix"
        )


def _find_faults_of_work(settings: RunSettings) -> Iterator[str]:
    """Yield what is wrong with how the work is to be done."""
    if settings.scheduler and settings.executor != "dask":
        yield (
            f"--scheduler (DPSS_SCHEDULER) is {settings.scheduler}, but only --executor dask has "
            f"one; --executor (DPSS_EXECUTOR) is {settings.executor}"
        )
    if settings.jobs < 1:
        yield f"--jobs (DPSS_JOBS) is {settings.jobs}; it takes one at least"
    if settings.timeout is not None and settings.timeout <= 0:
        yield f"--timeout (DPSS_TIMEOUT) is {settings.timeout:g}; it must be more than 0 seconds"
    if settings.time_limit is not None and settings.time_limit <= 0:
        yield (
            f"--time-limit (DPSS_TIME_LIMIT) is {settings.time_limit:g}; it must be more than 0 "
            "seconds"
        )
    if settings.scratch and not Path(settings.scratch).is_dir():
        yield f"--scratch (DPSS_SCRATCH) {settings.scratch}: there is no such folder"
