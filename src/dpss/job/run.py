"""The run over all matrices of a source: plan, process, report.

Each matrix is processed separately: after an error in one, the next one follows.
Nothing heavy is imported before there is something to do.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from functools import partial

from dpss.catalogs.base import Catalog
from dpss.catalogs.selection import is_named
from dpss.catalogs.shards import ALL, Shard, projects_of
from dpss.compute.background import begin
from dpss.errors import DpssError, SettingsError, UnreachableError
from dpss.job.base import Job
from dpss.job.concurrency import do_in_turn, do_side_by_side
from dpss.job.context import context
from dpss.job.pages import build_pages, pages_are_due, preload, problem_report, try_pages
from dpss.job.plan.attempts import Attempts
from dpss.job.plan.reports import describe_new_failures, find_known_failures, read_earlier
from dpss.job.plan.steps import Attempt, OutputState, Step, largest_first, plan_run
from dpss.job.publication import Recipe, folder_of, read_published
from dpss.job.removal import prune, warn_of_earlier_samples
from dpss.job.report.outcomes import Outcome, RunHeader, RunReport, run_document, run_key
from dpss.job.report.parts import join_reports
from dpss.job.report.peers import mark_apart
from dpss.job.stop import Interrupted
from dpss.model import Project
from dpss.storage.base import Store
from dpss.storage.plain_text import indented_json

log = logging.getLogger(__name__)

N_READERS = 8
"""Published summaries read at once: on a bucket a round trip takes longer than the reading."""


def list_projects(
    catalog: Catalog, only: Collection[str], shard: Shard = ALL
) -> tuple[list[Project], str]:
    """Return a shard of a source's projects, and the reason if the list is incomplete.

    Raises:
        UnreachableError: Nothing could be listed.
        SettingsError: A project that the settings name does not exist.
    """
    projects: list[Project] = []
    problem = ""
    try:
        projects.extend(catalog.projects())
    except UnreachableError as error:
        if not projects:
            raise
        problem = f"the list of projects is incomplete: {error}"
    missing = sorted(
        name for name in only if not any(is_named(project.id, {name}) for project in projects)
    )
    if missing and not problem:
        raise SettingsError(
            f"--project (DPSS_PROJECT) {', '.join(missing)}: the source has no such project; "
            "`dpss list` shows those that it has"
        )
    wanted = [p for p in projects if not only or is_named(p.id, only)]
    return projects_of(wanted, shard), problem


def plan(
    projects: Sequence[Project],
    store: Store,
    recipe: Recipe,
    attempts: Mapping[str, Attempt],
    *,
    force: bool = False,
) -> list[Step]:
    """Read the content of the output and return the steps of the plan.

    Args:
        projects: The projects of the source.
        store: The output.
        recipe: Version and settings of this run.
        attempts: Earlier attempts that ended their process, by folder.
        force: Whether to process every file.
    """
    refs = [ref for project in projects for ref in project.refs]
    with ThreadPoolExecutor(N_READERS) as pool:
        sizes = store.sizes() if refs else {}
        found = list(pool.map(lambda ref: read_published(store, ref, recipe, sizes), refs))
    published = {
        folder_of(ref.project_id, ref.name): earlier
        for ref, earlier in zip(refs, found, strict=True)
        if earlier is not None
    }
    folders = {folder_of(ref.project_id, ref.name) for ref in refs}
    earlier = read_earlier(store, folders)
    return plan_run(projects, OutputState(published, earlier, attempts), recipe, force=force)


def run(job: Job) -> RunReport:
    """Process a source and bring the pages up to date.

    Returns:
        Outcomes of all matrices, also when a signal ended the run early.

    Raises:
        UnreachableError: The source or the output can't be reached; nothing was done.
        SettingsError: A project that the settings name does not exist.
    """
    report = process(job)
    return report + build_pages(job, report)


def process(job: Job) -> RunReport:
    """Process a source, and write the report.

    A long run makes pages after `PAGES_FIRST`, then at growing intervals up to `PAGES_EVERY`, so
    that a killed run leaves pages of most matrices. The last build of pages is left to the caller.

    Returns:
        Outcomes of all matrices, also when a signal ended the run early.

    Raises:
        UnreachableError: The source or the output can't be reached; nothing was done.
        SettingsError: A project that the settings name does not exist.
    """
    started = last_pages = job.now()
    report = RunReport()
    store, key = job.pipeline.store, run_key(started)
    with context(run=key.removeprefix("runs/").removesuffix(".json")):
        try:
            for part in _work(job):
                # Added one by one, so that finished outcomes stay in the report after an error.
                report += part
                now = job.now()
                due = pages_are_due(now - started, now - last_pages)
                if due and not job.shard.is_part:
                    try_pages(job, lookup=False)
                    last_pages = job.now()
        except Interrupted as interruption:
            log.warning("ended by %s; what is finished is kept", interruption)
            report += RunReport(interrupted_by=interruption.number)
        with job.pipeline.stop.shield(later=True):
            report = mark_apart(report)
            report = replace(report, known_failures=find_known_failures(store, report))
            report += _write_report(job, started, report)
        if not job.shard.is_part and (told := describe_new_failures(report, store.url, key)):
            log.error("%s", told)
    return report


def _work(job: Job) -> Iterator[RunReport]:
    """Do the run, and yield parts of its report as they become known."""
    if job.shard.is_end:
        yield from _end(job)
        return
    projects, problem = list_projects(job.catalog, job.only, job.shard)
    if problem:
        yield problem_report(problem)
    store, recipe = job.pipeline.store, job.pipeline.recipe
    attempts = Attempts(store, recipe, job.now, job.shard)
    steps = largest_first(plan(projects, store, recipe, attempts.known, force=job.force))
    job.listener.on_plan(steps)
    if not steps:
        log.warning("the source %s has nothing to process", job.catalog.name)
    job.prefetch([step.ref for step in steps if step.ref and step.outcome is None])
    if not job.shard.is_part:
        begin(preload)
    do = do_in_turn if job.jobs == 1 else do_side_by_side
    with closing(attempts):
        for outcome in do(partial(_do_step, job, attempts), steps, job.pipeline.stop, job.jobs):
            yield RunReport((outcome,))
            job.listener.on_finish(outcome)
    job.pipeline.stop.check()
    if job.prune and not problem and not job.only and job.shard == ALL:
        prune(store, projects, recipe)
    else:
        warn_of_earlier_samples(store, projects)


def _end(job: Job) -> Iterator[RunReport]:
    """End a run in shards: yield the joined report of its tasks, then prune."""
    store = job.pipeline.store
    joined = join_reports(store, job.shard, job.only, job.now())
    for problem in joined.report.problems:
        log.error("%s", problem)
    yield replace(joined.report, started=joined.started, parts=joined.parts)
    if job.prune and not joined.report.problems and not job.only:
        projects, problem = list_projects(job.catalog, job.only)
        if problem:
            yield problem_report(problem)
        else:
            prune(store, projects, job.pipeline.recipe)


def _do_step(job: Job, attempts: Attempts, step: Step) -> list[Outcome]:
    if step.outcome is not None or step.ref is None:
        return [step.outcome] if step.outcome else []
    folder = folder_of(step.ref.project_id, step.ref.name)
    with context(project=step.project.id, matrix=step.ref.name):
        progress = job.listener.on_start(step)
        attempts.begin(folder, step.ref.fingerprint)
        outcomes = job.pipeline.process(step.project, step.ref, progress)
        attempts.finish(folder, next((each.reason for each in outcomes if each.lost), None))
        return outcomes


def _write_report(job: Job, started: datetime, report: RunReport) -> RunReport:
    """Write the report of the run; return a report with the problems of that."""
    recipe = job.pipeline.recipe
    header = RunHeader(
        started=report.started or started,
        finished=job.now(),
        version=recipe.version,
        source=job.catalog.name,
        output=job.pipeline.store.url,
        settings=recipe.settings,
        only=(*sorted(job.only), *([f"shard {job.shard}"] if job.shard.is_part else [])),
        parts=report.parts,
    )
    text = indented_json(run_document(header, report)) + "\n"
    try:
        job.pipeline.store.write(run_key(started), text.encode())
    except (DpssError, OSError) as error:
        return problem_report(f"the report of this run could not be written: {error}")
    return RunReport()
