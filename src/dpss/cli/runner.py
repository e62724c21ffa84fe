"""Common parts of all commands that do a run: progress, and the final table."""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dpss.cli.logs import clean, set_up_logs
from dpss.errors import UnreachableError

if TYPE_CHECKING:
    from rich.console import Console

    from dpss.catalogs.base import Catalog
    from dpss.catalogs.local import Recognise
    from dpss.engine.run_settings import RunSettings
    from dpss.job.base import Job, RunListener
    from dpss.job.children.isolation import IsolatedReader
    from dpss.job.children.workers import Workers
    from dpss.job.report.outcomes import Outcome, RunReport
    from dpss.job.stop import Stop

log = logging.getLogger(__name__)

MAX_VERDICTS = 20
"""Most verdicts that are printed after the table."""


@dataclass(frozen=True)
class LogSettings:
    """Settings of progress and log lines."""

    style: str
    level: str
    debug: bool

    @property
    def as_lines(self) -> bool:
        """Whether progress is shown as log lines, not as bars on a terminal."""
        return self.style == "json" or self.debug or not sys.stderr.isatty()


def take_log_settings(options: dict[str, Any]) -> LogSettings:
    """Remove the options of logging from ``options``; return them as settings."""
    style, level = options.pop("log_format"), options.pop("log_level")
    debug = options.pop("debug")
    settings = LogSettings(style, level or "", debug)
    default = "info" if settings.as_lines else "warning"
    return LogSettings(style, "debug" if debug else level or default, debug)


def perform(
    settings: RunSettings,
    make: Callable[[Recognise], Catalog],
    stop: Stop,
    logs: LogSettings,
    *,
    simulated: bool = False,
) -> RunReport:
    """Do a run, and print its outcomes.

    Args:
        settings: The settings of the run.
        make: Makes the source's catalog; its argument tells whether a local file is a matrix.
        stop: Tells whether the run should end early.
        logs: Settings of progress and log lines.
        simulated: Whether the matrices are simulated.
    """
    from dpss.job.children.isolation import open_workers
    from dpss.job.pages import build_pages, preload_shared

    start = time.monotonic()
    start_logs(logs)
    preload_shared()
    # A search for cycles writes to all objects, and so copies the memory shared with children.
    gc.freeze()
    # Entered first: children must be forked while there is one thread.
    with open_workers(settings, simulated=simulated) as workers:
        job, report = _process(settings, make, stop, logs, workers, simulated=simulated)
    seconds = time.monotonic() - start
    if report.started is not None:
        seconds = (job.now() - report.started).total_seconds()
    if job.shard.is_part:
        settings = replace(settings, metrics=None)  # the end of the run prints those of all shards
    # Before the pages: the outcomes of the matrices are printed even if the pages fail.
    print_report(report, settings, logs, seconds)
    report += build_pages(job, report)
    _print_index_page(job, report, settings.output)
    return report


def _process(
    settings: RunSettings,
    make: Callable[[Recognise], Catalog],
    stop: Stop,
    logs: LogSettings,
    workers: Workers | None,
    *,
    simulated: bool,
) -> tuple[Job, RunReport]:
    """Process a source; return the run and its report.

    The modules are imported while the fork server imports those that read.
    """
    from dpss.job.children.isolation import IsolatedReader
    from dpss.job.factory import make_executor, make_job
    from dpss.job.run import process
    from dpss.storage.scratch import Scratch

    folder = Path(settings.scratch) if settings.scratch else None
    with (
        Scratch(settings.scratch_limit, folder) as scratch,
        make_executor(settings, log.info if logs.as_lines else _echo) as executor,
        open_listener(logs) as listener,
    ):
        isolated = IsolatedReader(workers, ahead=settings.jobs == 1) if workers else None
        catalog = make(make_recogniser(settings, isolated, stop))
        job = make_job(
            settings, stop, listener, catalog, scratch, executor, isolated, simulated=simulated
        )
        return job, process(job)


def _print_index_page(job: Job, report: RunReport, output: str) -> None:
    from dpss.cli.console import open_console
    from dpss.job.report.outcomes import Status

    if report.count(Status.PUBLISHED) + report.count(Status.UNCHANGED) and not job.shard.is_part:
        open_console(sys.stdout).print(f"Pages: {index_page(output)}", soft_wrap=True)


def given_catalog(matrices: Sequence[str], samplesheet: str | None, _: Recognise) -> Catalog:
    """Return the catalog of a sample sheet, if there is one, else of matrices."""
    from dpss.catalogs.local import GivenCatalog, SheetCatalog

    return SheetCatalog(samplesheet) if samplesheet else GivenCatalog(matrices)


def make_recogniser(
    settings: RunSettings, isolated: IsolatedReader | None, stop: Stop
) -> Recognise:
    """Return a function that tells whether a file is a matrix, by its content."""
    from dpss.job.children.isolation import is_matrix

    if isolated is None:
        return partial(is_matrix, settings=settings)
    return partial(isolated.is_matrix, check=stop.check)


def print_plan(settings: RunSettings, stop: Stop) -> str:
    """Print the files that a run would process, and those it would skip, with reasons.

    Args:
        settings: The settings of the run; without an output no matrix counts as unchanged.
        stop: Tells whether to end early.

    Returns:
        The reason why the list of projects is incomplete; empty if it is complete.
    """
    from dpss.catalogs.shards import parse_shard
    from dpss.cli.console import describe_plan, open_console, plan_table
    from dpss.job.children.isolation import IsolatedReader, open_workers, recipe_of
    from dpss.job.factory import make_catalog
    from dpss.job.plan.attempts import Attempts
    from dpss.job.plan.steps import OutputState, plan_run
    from dpss.job.run import list_projects, plan
    from dpss.storage.locations import open_store

    with open_workers(settings, start=settings.source == "local") as workers:
        isolated = IsolatedReader(workers) if workers else None
        catalog = make_catalog(settings, make_recogniser(settings, isolated, stop))
        projects, problem = list_projects(catalog, settings.only, parse_shard(settings.shard))
    recipe = recipe_of(settings.stats)
    if settings.output:
        store, shard = open_store(settings.output), parse_shard(settings.shard)
        attempts = Attempts(store, recipe, lambda: datetime.now(UTC), shard)
        steps = plan(projects, store, recipe, attempts.known)
    else:
        steps = plan_run(projects, OutputState(), recipe)
    console = open_console(sys.stdout)
    console.print(plan_table(steps))
    console.print(describe_plan(steps))
    return problem


def print_report(
    report: RunReport, settings: RunSettings, logs: LogSettings, seconds: float
) -> None:
    """Print the outcomes and the duration of a run."""
    from dpss.cli.console import open_console, outcome_table, size
    from dpss.compute.machine import peak_memory_bytes
    from dpss.job.report.metrics import emf_line
    from dpss.job.report.outcomes import Status

    console = open_console(sys.stdout)
    console.print(outcome_table(report))
    if not logs.as_lines:
        for outcome in report.outcomes:
            if outcome.status is Status.SKIPPED:
                _echo(f"skipped: {outcome.reason}")
    for outcome in report.outcomes:
        if outcome.assumed:
            _print_about(console, outcome, outcome.assumed, "yellow")
    for outcome in report.outcomes:
        for sentence in outcome.apart:
            _print_about(console, outcome, sentence, "yellow")
    _print_verdicts(console, report)
    for outcome in report.outcomes:
        for finding in outcome.policy_findings:
            style = "red" if finding.startswith("fail") else "yellow"
            _print_about(console, outcome, f"policy {finding}", style)
    peak = max((peak_memory_bytes(), *(o.peak_memory_bytes or 0 for o in report.outcomes)))
    console.print(f"{report.describe()} in {seconds:.1f} s, peak memory {size(peak)}")
    if settings.metrics:
        click.echo(emf_line(report, settings, datetime.now(UTC), seconds))
    sys.stdout.flush()


def _print_verdicts(console: Console, report: RunReport) -> None:
    """Print the verdicts that do not pass, failures first."""
    order = {"fail": 0, "warn": 1}
    found = [o for o in report.outcomes if o.verdict_status in order]
    found.sort(key=lambda outcome: order[outcome.verdict_status])
    for outcome in found[:MAX_VERDICTS]:
        style = "red" if outcome.verdict_status == "fail" else "yellow"
        _print_about(console, outcome, outcome.verdict, style)
    if len(found) > MAX_VERDICTS:
        console.print(f"and {len(found) - MAX_VERDICTS} more, on the pages", style="yellow")


def _print_about(console: Console, outcome: Outcome, text: str, style: str) -> None:
    console.print(clean(f"{outcome.label}: {text}"), style=style)


def _echo(line: str) -> None:
    """Print a line to stderr."""
    click.echo(clean(line), err=True)


def start_logs(logs: LogSettings) -> None:
    """Send log lines to stderr, in the format and level of the settings."""
    set_up_logs(logs.level, logs.style, sys.stderr)


@contextmanager
def open_listener(logs: LogSettings) -> Iterator[RunListener]:
    """Show the progress of a run on stderr: as bars on a terminal, else as log lines."""
    from dpss.cli.console import open_console
    from dpss.cli.listeners import LogListener, ProgressHandler, TerminalListener

    if logs.as_lines:
        yield LogListener()
        return
    with TerminalListener(open_console(sys.stderr)) as listener:
        set_up_logs(logs.level, logs.style, ProgressHandler(listener.progress.console))
        yield listener
    start_logs(logs)


def local_output(output: str) -> Path | None:
    """Return the folder of an output, ``None`` where it isn't local.

    Raises:
        UnreachableError: There is no such folder.
    """
    from dpss.storage.locations import local_path

    folder = local_path(output)
    if folder is not None and not folder.is_dir():
        raise UnreachableError(f"{output}: there is no such folder; publish to it first")
    return folder


def index_page(output: str) -> str:
    """Return the path or address of the first page of an output."""
    return output.rstrip("/") + "/index.html"


def print_error(message: str) -> None:
    """Print an error to stderr."""
    for line in clean(message).splitlines():
        click.echo(f"dpss: error: {line}", err=True)
