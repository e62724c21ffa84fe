"""Outcomes of single matrices, and the report of a whole run."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

SCHEMA = 1
"""Version of the layout of ``runs/<time>.json``."""

POLICY_FAILED = 3
"""Exit code of a complete run in which a matrix fails the policy."""


class Status(StrEnum):
    """Status of a matrix after a run."""

    PUBLISHED = "published"
    """The matrix was summarised and published."""
    UNCHANGED = "unchanged"
    """The published files already match the input, the settings and the version."""
    SKIPPED = "skipped"
    """The matrix was left out by a rule, which the reason states."""
    FAILED = "failed"
    """The matrix could not be summarised; the reason says why."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of one matrix."""

    project_id: str
    matrix: str
    """Name of the matrix within the project; empty where a project has one by definition."""
    status: Status
    reason: str = ""
    """Reason why the matrix was skipped or failed, one line; empty otherwise."""
    folder: str = ""
    """Key of the matrix's folder in the output."""
    url: str = ""
    """Address that the matrix was read from, without secrets."""
    fingerprint: str = ""
    """Fingerprint of the bytes, as the source gave it."""
    n_cells: int | None = None
    n_genes: int | None = None
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    """Numbers of the published summary that runs are compared by: sizes, medians, checks; of an
    unchanged matrix the medians.
    """
    assumed: str = ""
    """Assumptions about the file that change numbers, in sentences; empty if there are none."""
    verdict: str = ""
    """The verdict on the published matrix, one sentence; empty if it was not published."""
    verdict_status: str = ""
    """Status of the verdict: ``pass``, ``warn`` or ``fail``; empty if not published."""
    peers: str = ""
    """Name of the group that its medians are compared with; empty for its project."""
    apart: tuple[str, ...] = ()
    """Sentences on the medians that stand apart from those of the matrices side by side."""
    policy: str = ""
    """Status by the policy asked for, of unchanged matrices too; empty without one."""
    policy_findings: tuple[str, ...] = ()
    """Sentences on the rules of the policy that the matrix breaks."""
    input_bytes: int | None = None
    """Size of the file in bytes; ``None`` if it was not read, or its size isn't known."""
    seconds: float = 0.0
    """Seconds from opening the file to the end of its publication."""
    peak_memory_bytes: int | None = None
    """Largest resident memory of the process that read the matrix, in bytes."""
    lost: bool = False
    """Whether the process that read it was lost: a crash, a lack of memory, a time limit."""
    cause: str = ""
    """Cause of that process's end: a signal's name, ``exit code 3``, ``time limit``, ``memory``;
    empty where it wasn't lost."""

    @property
    def caution(self) -> str:
        """Worst status of the matrix: ``fail`` or ``warn``, as on the pages; else empty."""
        if self.verdict_status == "fail":
            return "fail"
        return "warn" if self.verdict_status == "warn" or self.apart or self.assumed else ""

    @property
    def label(self) -> str:
        """Project and matrix as text, for messages; one name where both are the same."""
        same = self.matrix in ("", self.project_id)
        return self.project_id if same else f"{self.project_id}/{self.matrix}"


@dataclass(frozen=True)
class RunReport:
    """Outcomes of all matrices of a run. Reports of parts of a run add up with ``+``."""

    outcomes: tuple[Outcome, ...] = ()
    interrupted_by: int | None = None
    """Number of the signal that ended the run early."""
    problems: tuple[str, ...] = ()
    """Problems apart from single matrices: an incomplete list, pages not built."""
    started: datetime | None = None
    """Start time of the first task, in a run shared by several tasks."""
    parts: tuple[str, ...] = ()
    """Keys of the reports of these tasks."""
    known_failures: frozenset[str] = frozenset()
    """Labels of matrices that failed in the run before, too, and have not changed since."""

    def __add__(self, other: RunReport) -> RunReport:
        """Join two reports; an interruption of one is an interruption of the sum."""
        return RunReport(
            self.outcomes + other.outcomes,
            self.interrupted_by or other.interrupted_by,
            self.problems + other.problems,
            self.started or other.started,
            self.parts + other.parts,
            self.known_failures | other.known_failures,
        )

    def count(self, status: Status) -> int:
        """Return the number of matrices with a status."""
        return sum(outcome.status is status for outcome in self.outcomes)

    @property
    def new_failures(self) -> tuple[Outcome, ...]:
        """The matrices that failed, and did not in the run before or have changed since."""
        failed = (o for o in self.outcomes if o.status is Status.FAILED)
        return tuple(o for o in failed if o.label not in self.known_failures)

    @property
    def published(self) -> tuple[str, ...]:
        """The folders that were published anew."""
        return tuple(o.folder for o in self.outcomes if o.status is Status.PUBLISHED)

    @property
    def exit_code(self) -> int:
        """Exit code of the run.

        0; 1 if something failed; 3 if all is done but a matrix fails the policy; 128 and the
        signal's number if a signal ended the run.
        """
        if self.interrupted_by:
            return 128 + self.interrupted_by
        return self._failure or self._policy_failure

    @property
    def _failure(self) -> int:
        return int(self.count(Status.FAILED) > 0 or bool(self.problems))

    @property
    def _policy_failure(self) -> int:
        failed = any(outcome.policy == "fail" for outcome in self.outcomes)
        return POLICY_FAILED if failed else 0

    @property
    def strict_exit_code(self) -> int:
        """As `exit_code`, but with a skip as a failure: for matrices that the user named."""
        skipped = int(self.count(Status.SKIPPED) > 0)
        return skipped or self.exit_code if self.exit_code in (0, POLICY_FAILED) else self.exit_code

    def describe(self) -> str:
        """Return the counts in words.

        >>> RunReport((Outcome("p", "", Status.FAILED),)).describe()
        '0 published, 0 unchanged, 0 skipped, 1 failed'
        """
        return ", ".join(f"{self.count(status)} {status}" for status in Status)


@dataclass(frozen=True)
class RunHeader:
    """The head of a run's report: source, settings and time."""

    started: datetime
    """Start time of the run, in UTC."""
    finished: datetime
    version: str
    source: str
    """Name of the source, and its address where it has one."""
    output: str
    settings: Mapping[str, Any]
    """The settings that change results."""
    only: tuple[str, ...] = ()
    """Ids of the projects that the run was limited to; empty for all."""
    parts: tuple[str, ...] = ()
    """Keys of the reports that are joined, in a run shared by several tasks."""


_RUN_KEY = re.compile(r"runs/\d{8}T\d{6}\.\d{6}Z\.json")


def is_run_key(key: str) -> bool:
    """Return whether a key is that of a run's report; pages are in the same folder."""
    return _RUN_KEY.fullmatch(key) is not None


def run_key(started: datetime) -> str:
    """Return the key of a run's report; keys sort by time.

    >>> from datetime import UTC
    >>> run_key(datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC))
    'runs/20260304T050607.000089Z.json'
    """
    return f"runs/{started:%Y%m%dT%H%M%S.%fZ}.json"


def parse_time(text: str) -> datetime:
    """Return a time of a report or record, which has a time zone.

    Raises:
        ValueError: The text is no time in ISO 8601, or has no time zone.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"the time {text} has no time zone")
    return found


def run_document(header: RunHeader, report: RunReport) -> dict[str, Any]:
    """Return the content of ``runs/<time>.json``."""
    number = report.interrupted_by
    return {
        "schema": SCHEMA,
        "started": header.started.isoformat(),
        "finished": header.finished.isoformat(),
        "seconds": round((header.finished - header.started).total_seconds(), 3),
        "version": header.version,
        "source": header.source,
        "output": header.output,
        "settings": dict(header.settings),
        "only": list(header.only),
        **({"parts": list(header.parts)} if header.parts else {}),
        "interrupted_by": signal.Signals(number).name if number else None,
        "problems": list(report.problems),
        "exit_code": report.exit_code,
        "counts": {str(status): report.count(status) for status in Status},
        "matrices": [_outcome_document(outcome) for outcome in report.outcomes],
    }


def _outcome_document(outcome: Outcome) -> dict[str, Any]:
    document = asdict(outcome)
    document["status"] = str(outcome.status)
    document["seconds"] = round(outcome.seconds, 3)
    return document
