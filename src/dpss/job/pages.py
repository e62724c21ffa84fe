"""Pages of the output, brought up to date during and after a run."""

from __future__ import annotations

import logging
import math
from datetime import timedelta
from importlib import import_module

from dpss.errors import DpssError
from dpss.job.base import Job
from dpss.job.report.outcomes import RunReport
from dpss.job.stop import Interrupted

log = logging.getLogger(__name__)


_SHARED = (
    "dpss.summary.cellxgene",
    "dpss.website.genes.lookup",
    "dpss.website.plots",
    "dpss.website.records",
)
"""Modules whose imports both pages and child processes need."""


PAGES_FIRST = timedelta(minutes=1)
"""Time until a run first makes pages, so that a run that is killed leaves an index."""


PAGES_EVERY = timedelta(minutes=10)
"""Longest time between two updates of the pages."""


PAGES_GRACE_SECONDS = 8.0
"""Seconds for making pages after a signal; then only the index is made."""


def pages_are_due(elapsed: timedelta, since_pages: timedelta) -> bool:
    """Return whether a run is to bring the pages up to date.

    The time between two updates is half of the run's time so far, within `PAGES_FIRST` and
    `PAGES_EVERY`.

    Args:
        elapsed: Time since the run began.
        since_pages: Time since it made pages, or began.
    """
    return since_pages >= min(PAGES_EVERY, max(PAGES_FIRST, elapsed / 2))


def preload_shared() -> None:
    """Import the modules that both pages and child processes need.

    Called before the first child is forked, so that each is imported once: there are 78.
    """
    for name in _SHARED:
        import_module(name)


def preload() -> None:
    """Import the modules that make pages, while files are read elsewhere: 0.2 s."""
    import_module("dpss.website.build")


def build_pages(job: Job, report: RunReport) -> RunReport:
    """Bring the pages up to date after a run.

    When a signal ends that, or has ended the run, an index of all that is published is
    written within about `PAGES_GRACE_SECONDS`; the next run makes the pages that are missing.
    Where several tasks do a run together, only its end makes pages.

    Args:
        job: The run.
        report: Outcomes of all matrices.

    Returns:
        Report with the problems, and the signal if one came.
    """
    stop = job.pipeline.stop
    found = RunReport()
    if job.shard.is_part:
        return found
    if not report.interrupted_by:
        try:
            stop.check()
            return try_pages(job)
        except Interrupted as interruption:
            log.warning("ended by %s; the next run completes the pages", interruption)
            found = RunReport(interrupted_by=interruption.number)
    with stop.shield(later=True):
        return found + try_pages(job, seconds=PAGES_GRACE_SECONDS)


def try_pages(job: Job, *, seconds: float = math.inf, lookup: bool = True) -> RunReport:
    """Build the pages; return a report with the problems."""
    from dpss.website.build import build_website

    try:
        build_website(
            job.pipeline.store,
            # Checksums tell which matrices changed: pages made during the run are kept.
            changed=(),
            prune=job.prune,
            seconds=seconds,
            lookup=lookup,
        )
    except (DpssError, OSError) as error:
        return problem_report(f"the pages could not be built: {error}")
    return RunReport()


def problem_report(text: str) -> RunReport:
    """Write a problem of a run to the log, and return it as a report."""
    log.error("%s", text)
    return RunReport(problems=(text,))
