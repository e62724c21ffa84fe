"""History of the last runs and their changes, read from ``runs/*.json``."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dpss.storage.json_text import parse_json
from dpss.website.data_files import dumps, read_script, script
from dpss.website.writer import Publisher

log = logging.getLogger(__name__)

RUN = re.compile(r"^runs/\d{8}T\d{6}(?:\.\d+)?Z\.json$")
DATES = "runs/dates.js"
"""Key of the data file with dates, which change in each run."""
N_RUNS = 50
"""Most reports that are read; older dates are kept in `DATES`."""
_NOT_PUBLISHED = ("failed", "skipped")


@dataclass(frozen=True)
class Entry:
    """Outcome of one matrix in a run."""

    folder: str
    project_id: str
    name: str
    kind: str
    """``new``, ``changed``, ``failed``, ``skipped`` or ``vanished``; in a report, its status."""
    reason: str = ""
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    """Numbers of the published matrix: sizes, medians, checks by status."""
    before: Mapping[str, float | None] = field(default_factory=dict)
    """Numbers of the publication before, for a changed matrix, as far as reports have them."""

    @property
    def comparison(self) -> tuple[tuple[str, float | None, float | None], ...]:
        """Name, value before and value after of each number, if both are known."""
        names = self.numbers if self.before else ()
        return tuple((name, self.before[name], self.numbers[name]) for name in names
                     if name in self.before)  # fmt: skip


@dataclass(frozen=True)
class RunRecord:
    """A run, as the page of changes shows it."""

    started: str
    """Start time of the run, UTC, ISO 8601."""
    finished: str
    source: str
    version: str
    seconds: float
    counts: Mapping[str, int]
    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    """Problems of the run as a whole."""
    only: tuple[str, ...] = ()
    """Limits of the run: projects, a shard."""
    complete: bool = True
    """Whether the run covered all of its source: only then a missing matrix has vanished."""

    def of_kind(self, kind: str) -> list[Entry]:
        """Return the entries of one kind."""
        return [entry for entry in self.entries if entry.kind == kind]


@dataclass(frozen=True)
class History:
    """The last runs, and the dates and states that follow from them."""

    runs: tuple[RunRecord, ...] = ()
    """The last runs, the latest first."""
    dates: Mapping[str, str] = field(default_factory=dict)
    """Time of the last publication of each folder, ISO 8601."""
    latest: Mapping[str, Entry] = field(default_factory=dict)
    """Entries, by folder, of matrices that their last run did not publish, with the reason."""
    output: str = ""
    """Address of the output in the last report."""

    @property
    def feed_id(self) -> str:
        """An id for the feed that stays the same for an output."""
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, self.output)}"


def read_history(publisher: Publisher) -> History:
    """Read the last reports; one that can't be read is left out."""
    found = _last_reports(publisher)
    dates = _earlier_dates(publisher)
    first = _time_in_key(min(found)) if found else ""
    # Entries of the reports that are read again must not be known from before.
    dates = {folder: date for folder, date in dates.items() if date < first}
    state = _State(dates)
    runs = [state.add(run) for _, (run, _) in sorted(found.items())]
    output = found[max(found)][1] if found else ""
    return History(tuple(reversed(runs)), state.dates, state.latest, output)


def _last_reports(publisher: Publisher) -> dict[str, tuple[RunRecord, str]]:
    """Return the last runs, each with the address of its output, by key.

    Reports of shards are left out where a report joins them.
    """
    found: dict[str, tuple[RunRecord, str]] = {}
    joined: set[str] = set()
    for key in sorted(filter(RUN.match, publisher.keys("runs/")), reverse=True):
        if len(found) == N_RUNS:
            break
        if key in joined:
            continue
        try:
            document = parse_json(publisher.read(key) or b"")
            found[key] = _read_run(document), str(document["output"])
            joined.update(map(str, document.get("parts", ())))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s is left out of the changes: %s", key, error)
    return found


def dates_script(history: History) -> bytes:
    """Return the data file with the time of each project's last publication."""
    projects: dict[str, str] = {}
    for folder, date in sorted(history.dates.items()):
        project = folder.partition("/")[0]
        projects[project] = max(projects.get(project, ""), date)
    value = {"projects": list(projects.items()), "folders": sorted(history.dates.items())}
    return script(dumps(value))


@dataclass
class _State:
    """State of the matrices after the reports read so far."""

    dates: dict[str, str]
    """Time of the last publication of each folder."""
    latest: dict[str, Entry] = field(default_factory=dict)
    """The last entry of each matrix that was not published, by folder."""
    numbers: dict[str, Mapping[str, float | None]] = field(default_factory=dict)
    """Numbers of the last publication of each folder."""
    seen: dict[str, dict[str, Entry]] = field(default_factory=dict)
    """By source, the matrices that it is known to have had, by folder."""

    def add(self, run: RunRecord) -> RunRecord:
        """Update the state with a report, and return the run with its changes."""
        changes = [change for entry in run.entries for change in self._note(entry, run.started)]
        there = {entry.folder: entry for entry in run.entries}
        if run.complete:
            changes += self._note_vanished(self.seen.get(run.source, {}), there)
            self.seen[run.source] = there
        else:
            # A report of a part of a source: its matrices exist, the others are not known.
            self.seen.setdefault(run.source, {}).update(there)
        return replace(run, entries=tuple(changes))

    def _note(self, entry: Entry, started: str) -> Iterator[Entry]:
        """Note the outcome of a matrix; yield it if it is a change."""
        if entry.kind in _NOT_PUBLISHED:
            self.latest[entry.folder] = entry
            yield entry
            return
        self.latest.pop(entry.folder, None)
        if entry.kind == "published":
            kind = "changed" if entry.folder in self.dates else "new"
            yield replace(entry, kind=kind, before=self.numbers.get(entry.folder, {}))
            self.dates[entry.folder] = started
            self.numbers[entry.folder] = entry.numbers

    def _note_vanished(
        self, before: Mapping[str, Entry], there: Mapping[str, Entry]
    ) -> Iterator[Entry]:
        """Note the matrices that are no longer there, and yield them."""
        for folder, entry in before.items():
            if folder not in there:
                gone = replace(entry, kind="vanished", reason="no longer in its source")
                self.latest[folder] = gone
                yield gone


def _read_run(document: Mapping[str, Any]) -> RunRecord:
    """Read a report; each matrix is an entry, with its status as kind."""
    problems = [str(problem) for problem in document.get("problems", ())]
    if document.get("interrupted_by"):
        problems.append(f"ended early by {document['interrupted_by']}")
    only = tuple(str(name) for name in document.get("only", ()))
    source = str(document["source"])
    return RunRecord(
        started=str(document["started"]),
        finished=str(document["finished"]),
        source=source,
        version=str(document["version"]),
        seconds=float(document["seconds"]),
        counts={str(name): int(count) for name, count in document["counts"].items()},
        entries=tuple(_read_entry(item) for item in document["matrices"]),
        problems=tuple(problems),
        only=only,
        # A run of matrices given one by one does not tell about others.
        complete=not (problems or only or source == "given"),
    )


def _read_entry(item: Mapping[str, Any]) -> Entry:
    project_id, name, status = str(item["project_id"]), str(item["matrix"]), str(item["status"])
    folder = str(item["folder"]) or f"{project_id}/{name}".rstrip("/")
    reason = str(item["reason"]) if status in _NOT_PUBLISHED else ""
    return Entry(folder, project_id, name, status, reason, _read_numbers(item))


def _read_numbers(item: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the numbers of a published matrix; reports of earlier versions have none."""
    numbers = item.get("numbers") or {}
    return {str(name): None if value is None else float(value) for name, value in numbers.items()}


def _earlier_dates(publisher: Publisher) -> dict[str, str]:
    data = publisher.read(DATES)
    if data is None:
        return {}
    try:
        value = read_script(data)
        return {str(folder): str(date) for folder, date in value["folders"]}
    except (ValueError, KeyError, TypeError):
        return {}


def _time_in_key(key: str) -> str:
    """Return the time in a report's key, in the form of reports."""
    text = key.removeprefix("runs/")
    date, time = text[:8], text[9:15]
    return f"{date[:4]}-{date[4:6]}-{date[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}"
