"""The end of a run in shards: joins the reports of all tasks.

Each task wrote a report of its shard. Those of this run are the ones since the last report of a
whole source. A task that was restarted wrote several reports: the newest counts, and matrices that
an earlier one published stay published.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from dpss.catalogs.shards import Shard
from dpss.job.report.outcomes import Outcome, RunReport, Status, is_run_key, parse_time
from dpss.storage.base import Store
from dpss.storage.json_text import parse_json

log = logging.getLogger(__name__)

MAX_REPORTS = 2000
"""Most reports that are read: those of shards, and of other runs at the same time."""
MAX_AGE = timedelta(hours=20)
"""Largest difference in age between reports of one run. A run takes less than a day; for a task
that died without a report, the report of the day before must not count.
"""
RESUMED_WITHIN = timedelta(hours=2)
"""Time after the report of an end in which a restart of that end uses the same report."""
_NAMES = frozenset(field.name for field in fields(Outcome))


@dataclass(frozen=True)
class JoinedReport:
    """The joined report of all tasks of a run."""

    report: RunReport
    started: datetime | None = None
    """Start time of the first task; ``None`` where there is no report."""
    parts: tuple[str, ...] = ()
    """Keys of the reports, from the newest."""


@dataclass(frozen=True)
class _Part:
    key: str
    shard: str
    started: datetime
    report: RunReport
    ended_by: str


def join_reports(store: Store, end: Shard, only: frozenset[str], now: datetime) -> JoinedReport:
    """Join the reports of a run's tasks.

    A shard without a report, or whose last task was ended early, is a problem of the run.

    Args:
        store: The output with the reports.
        end: The end of the run, with the number of shards.
        only: Ids of the projects that the run is limited to, as in its tasks.
        now: The time, in UTC. An end that is restarted after an interruption while it made the
            pages uses the report that it wrote.

    Raises:
        UnreachableError: The store can't be reached.
    """
    wanted = [str(Shard(number, end.count)) for number in range(1, end.count + 1)]
    found = list(_parts(store, set(wanted), only))
    if not found and (summed := _summed(store, only, now)):
        return summed
    newest: dict[str, _Part] = {}
    for part in found:
        newest.setdefault(part.shard, part)
    problems = []
    for shard in wanted:
        if shard not in newest:
            problems.append(f"shard {shard} wrote no report: the next run does what it left")
        elif newest[shard].ended_by:
            problems.append(f"shard {shard} was ended early by {newest[shard].ended_by}")
    problems += [p for part in newest.values() for p in part.report.problems]
    outcomes: dict[tuple[str, str], Outcome] = {}
    for part in reversed(found):
        for outcome in part.report.outcomes:
            _add(outcomes, outcome)
    return JoinedReport(
        RunReport(tuple(outcomes.values()), problems=tuple(problems)),
        min((part.started for part in found), default=None),
        tuple(part.key for part in found),
    )


def _add(outcomes: dict[tuple[str, str], Outcome], outcome: Outcome) -> None:
    """Add a newer outcome, unless it is unchanged after a publication of this run."""
    key = (outcome.project_id, outcome.folder or outcome.matrix)
    earlier = outcomes.get(key)
    if (
        earlier is not None
        and outcome.status is Status.UNCHANGED
        and (earlier.status, earlier.fingerprint) == (Status.PUBLISHED, outcome.fingerprint)
    ):
        return
    outcomes[key] = outcome


def _parts(store: Store, shards: set[str], only: frozenset[str]) -> Iterator[_Part]:
    """Yield reports of shards from the newest to that of a whole source."""
    keys = sorted(filter(is_run_key, store.keys("runs/")), reverse=True)[:MAX_REPORTS]
    latest: datetime | None = None
    for key in keys:
        try:
            document = parse_json(store.read(key))
            if not document["only"] or document.get("parts"):
                return
            part = _read_part(key, document)
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s can't be read and is not taken into account (%s)", key, error)
            continue
        if part.shard not in shards or frozenset(document["only"][:-1]) != only:
            continue
        latest = latest or part.started
        if latest - part.started > MAX_AGE:
            return
        yield part


def _summed(store: Store, only: frozenset[str], now: datetime) -> JoinedReport | None:
    """Return the newest report if it joins parts, and ended within `RESUMED_WITHIN`."""
    key = max(filter(is_run_key, store.keys("runs/")), default="")
    if not key:
        return None
    try:
        document = parse_json(store.read(key))
        recent = now - parse_time(document["finished"]) < RESUMED_WITHIN
        if not document.get("parts") or frozenset(document["only"]) != only or not recent:
            return None
        return JoinedReport(
            _read_report(document),
            parse_time(document["started"]),
            tuple(map(str, document["parts"])),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _read_report(document: dict[str, Any]) -> RunReport:
    """Return the outcomes and problems of a report."""
    outcomes = tuple(
        Outcome(
            **{name: value for name, value in entry.items() if name in _NAMES}
            | {"status": Status(entry["status"])}
        )
        for entry in document["matrices"]
    )
    return RunReport(outcomes, problems=tuple(map(str, document["problems"])))


def _read_part(key: str, document: dict[str, Any]) -> _Part:
    return _Part(
        key,
        str(document["only"][-1]).removeprefix("shard "),
        parse_time(document["started"]),
        _read_report(document),
        str(document["interrupted_by"] or ""),
    )
