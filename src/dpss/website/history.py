"""What the last runs did: new, changed, vanished, failed; read from ``runs/*.json``."""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dpss.website.genes import dumps, script
from dpss.website.publishing import Publisher

log = logging.getLogger(__name__)

RUN = re.compile(r"^runs/\d{8}T\d{6}(?:\.\d+)?Z\.json$")
DATES = "runs/dates.js"
"""What changes with time lies below ``runs/`` with the reports: all else stays the same."""
N_RUNS = 50
"""Reports that are looked at; older dates are kept in `DATES`."""


@dataclass(frozen=True)
class Entry:
    """What became of one matrix in a run."""

    folder: str
    project_id: str
    name: str
    kind: str
    """``new``, ``changed``, ``failed``, ``skipped`` or ``vanished``."""
    reason: str = ""


@dataclass(frozen=True)
class Run:
    """A run, as the page of changes tells it."""

    started: str
    """UTC, ISO 8601."""
    finished: str
    source: str
    version: str
    seconds: float
    counts: Mapping[str, int]
    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    """What went wrong with the run as a whole."""
    only: tuple[str, ...] = ()
    """What it was limited to: projects, a shard."""

    def of_kind(self, kind: str) -> list[Entry]:
        """Return the entries of one kind."""
        return [entry for entry in self.entries if entry.kind == kind]


@dataclass(frozen=True)
class History:
    """The last runs and what follows from them."""

    runs: tuple[Run, ...] = ()
    """The latest first."""
    dates: Mapping[str, str] = field(default_factory=dict)
    """When each folder was last published, ISO 8601."""
    latest: Mapping[str, Entry] = field(default_factory=dict)
    """By folder, matrices that were not published when last looked at, and why."""
    output: str = ""
    """The output as the last run named it."""

    @property
    def feed_id(self) -> str:
        """An id for the feed that stays the same for an output."""
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, self.output)}"


def read_history(publisher: Publisher) -> History:
    """Read the last reports; one that can't be read is left out."""
    keys = [key for key in publisher.keys("runs/") if RUN.match(key)][-N_RUNS:]
    dates = _earlier_dates(publisher)
    first = _stamp(keys[0]) if keys else ""
    # What the reports tell anew must not be known from before.
    dates = {folder: date for folder, date in dates.items() if date < first}
    runs: list[Run] = []
    latest: dict[str, Entry] = {}
    before: dict[str, dict[str, tuple[str, str]]] = {}
    output = ""
    for key in keys:
        try:
            document = json.loads(publisher.read(key) or b"")
            runs.append(_read_run(document, dates, latest, before))
            output = str(document["output"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s is left out of the changes: %s", key, error)
    return History(tuple(reversed(runs)), dates, latest, output)


def dates_script(history: History) -> bytes:
    """Return the data file that tells when each project was last published."""
    projects: dict[str, str] = {}
    for folder, date in sorted(history.dates.items()):
        project = folder.partition("/")[0]
        projects[project] = max(projects.get(project, ""), date)
    value = {"projects": list(projects.items()), "folders": sorted(history.dates.items())}
    return script(dumps(value))


def _read_run(
    document: Mapping[str, Any],
    dates: dict[str, str],
    latest: dict[str, Entry],
    before: dict[str, dict[str, tuple[str, str]]],
) -> Run:
    """Read one report, and bring what is known up to date with it.

    Args:
        document: The report.
        dates: When each folder was last published.
        latest: What was not published when last looked at.
        before: By source, the matrices that its last complete run saw.
    """
    started, source = str(document["started"]), str(document["source"])
    entries: list[Entry] = []
    seen: dict[str, tuple[str, str]] = {}
    for item in document["matrices"]:
        folder, status = str(item["folder"]), str(item["status"])
        project_id, name = str(item["project_id"]), str(item["matrix"])
        folder = folder or f"{project_id}/{name}".rstrip("/")
        seen[folder] = (project_id, name)
        if status == "published":
            kind = "changed" if folder in dates else "new"
            entries.append(Entry(folder, project_id, name, kind))
            dates[folder] = started
        elif status in ("failed", "skipped"):
            entries.append(Entry(folder, project_id, name, status, str(item["reason"])))
        if status in ("failed", "skipped"):
            latest[folder] = entries[-1]
        else:
            latest.pop(folder, None)
    if _complete(document):
        for folder, (project_id, name) in before.get(source, {}).items():
            if folder not in seen:
                entry = Entry(folder, project_id, name, "vanished", "no longer in its source")
                entries.append(entry)
                latest[folder] = entry
        before[source] = seen
    else:
        # Part of a source: what it shows is there, and of the rest nothing is known.
        before.setdefault(source, {}).update(seen)
    problems = [str(problem) for problem in document.get("problems", ())]
    if document.get("interrupted_by"):
        problems.append(f"ended early by {document['interrupted_by']}")
    return Run(
        started=started,
        finished=str(document["finished"]),
        source=source,
        version=str(document["version"]),
        seconds=float(document["seconds"]),
        counts={str(name): int(count) for name, count in document["counts"].items()},
        entries=tuple(entries),
        problems=tuple(problems),
        only=tuple(str(name) for name in document.get("only", ())),
    )


def _complete(document: Mapping[str, Any]) -> bool:
    """Tell whether a run saw all of its source: only then a matrix can be known to be gone.

    A run limited to some projects or to a shard did not, nor does one of matrices that
    were named one by one say anything of others.
    """
    limited = document.get("only") or document["source"] == "given"
    return not (limited or document.get("interrupted_by") or document.get("problems"))


def _earlier_dates(publisher: Publisher) -> dict[str, str]:
    data = publisher.read(DATES)
    if data is None:
        return {}
    try:
        value = json.loads(data.decode().removeprefix("dpss.receive(").removesuffix(");\n"))
        return {str(folder): str(date) for folder, date in value["folders"]}
    except (ValueError, KeyError, TypeError):
        return {}


def _stamp(key: str) -> str:
    """Return the time in a report's key as it stands in reports, to compare with."""
    text = key.removeprefix("runs/")
    date, time = text[:8], text[9:15]
    return f"{date[:4]}-{date[4:6]}-{date[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}"
