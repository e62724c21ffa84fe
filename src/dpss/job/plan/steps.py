"""Steps of a run, decided from the source's matrices and the output."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dpss.errors import plural
from dpss.job.publication import Published, Recipe, folder_of
from dpss.job.report.outcomes import Outcome, Status
from dpss.model import MatrixRef, Project, Skipped
from dpss.summary.policy import describe_policy

MAX_DAYS_LOST = 3
"""Days on which a matrix may end the process that reads it, before it is skipped."""


@dataclass(frozen=True)
class Step:
    """One file of the plan, to be processed or with an outcome that is known already."""

    project: Project
    ref: MatrixRef | None
    """Reference to the file; ``None`` for an entry that the catalog left out."""
    why: str
    """Reason why the file is processed (``new``, ``changed``, ...) or not."""
    outcome: Outcome | None = None
    """Outcome that is known already; ``None`` if the matrix is to be processed."""
    was_lost: bool = False
    """Whether the file ended the process that read it in an earlier run."""

    @property
    def label(self) -> str:
        """Project and matrix as text, for messages."""
        if self.outcome is not None:
            return self.outcome.label
        name = self.ref.name if self.ref else ""
        return Outcome(self.project.id, name, Status.PUBLISHED).label


@dataclass(frozen=True)
class EarlierOutcome:
    """The newest entry of a matrix in the reports of earlier runs."""

    status: Status
    fingerprint: str
    """Fingerprint of the bytes at that time; empty for an entry that the catalog left out."""
    reason: str
    """Reason why the matrix was skipped or failed; empty otherwise."""
    recipe: Recipe
    """The version and settings of that run."""
    made_at: datetime
    """Start time of that run, with its time zone."""


@dataclass(frozen=True)
class Attempt:
    """Earlier attempts to read a matrix that ended the process that read it."""

    fingerprint: str
    recipe: Recipe
    """The version and settings of the run."""
    days: tuple[str, ...] = ()
    """Days (UTC) on which the process was lost, in order."""
    reason: str = ""
    """Cause of the last loss."""
    at: datetime | None = None
    """Time of the last loss, with its time zone."""

    def is_of(self, fingerprint: str, recipe: Recipe) -> bool:
        """Return whether fingerprint and recipe are those of the attempt."""
        return (self.fingerprint, self.recipe) == (fingerprint, recipe)

    def lost_at(self, at: datetime, reason: str) -> Attempt:
        """Return the attempt with one more loss."""
        days = tuple(sorted({*self.days, f"{at:%Y-%m-%d}"}))
        return replace(self, days=days, reason=reason, at=at)


@dataclass(frozen=True)
class OutputState:
    """The content of an output that the plan depends on."""

    published: Mapping[str, Published] = field(default_factory=dict)
    """Publications by the key of the folder."""
    earlier: Mapping[str, EarlierOutcome] = field(default_factory=dict)
    """Entries of earlier reports, by the key of the folder."""
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    """Attempts that ended their process, by the key of the folder."""


def plan_run(
    projects: Iterable[Project], state: OutputState, recipe: Recipe, *, force: bool = False
) -> list[Step]:
    """Return a step for every file of a source, in the source's order.

    Of several files with the same folder only the first is processed: the others would replace it.

    Args:
        projects: The projects of the source.
        state: The content of the output.
        recipe: Version and settings of this run.
        force: Whether to process every file.
    """
    steps: list[Step] = []
    first: dict[str, MatrixRef] = {}
    for project in projects:
        for ref in project.refs:
            owner = first.setdefault(folder_of(ref.project_id, ref.name), ref)
            steps.append(
                _decide(project, ref, state, recipe, force=force)
                if owner is ref
                else _refuse(project, ref, owner)
            )
        steps += [
            Step(project, None, skipped.reason, _outcome_of_skipped(project, skipped))
            for skipped in project.skipped
        ]
    return steps


def largest_first(steps: Iterable[Step]) -> list[Step]:
    """Return the decided steps first, then those to process, the largest first.

    A large file started last would leave other threads idle. Files of unknown size follow, and last
    those that ended the process that read them before.
    """

    def key(step: Step) -> tuple[bool, bool, int]:
        size = step.ref.size_bytes if step.ref else None
        return step.outcome is None, step.was_lost, -(size or 0)

    return sorted(steps, key=key)


def vanished(folders: Iterable[str], projects: Iterable[Project]) -> list[str]:
    """Return the published folders whose matrices the source no longer has.

    Entries that the source leaves out, by a rule or an error, count as present; an entry without a
    name stands for all matrices of its project.

    Args:
        folders: Keys of all published folders.
        projects: All projects of the source.
    """
    whole: set[str] = set()
    single: set[str] = set()
    for project in projects:
        for entry in project.skipped:
            (single if entry.name else whole).add(folder_of(project.id, entry.name))
        single |= {folder_of(ref.project_id, ref.name) for ref in project.refs}
    return [
        folder
        for folder in folders
        if folder.partition("/")[0] not in whole
        # A file with several matrices has a folder for each, named after it.
        and not any(
            folder == known or folder.startswith((f"{known}/", f"{known}.")) for known in single
        )
    ]


def superseded(
    folders: Iterable[str], refs: Container[str], current: Mapping[str, Collection[str]]
) -> list[str]:
    """Return published folders that the newest publication of their file lacks.

    Args:
        folders: Keys of all published folders.
        refs: Keys of the folders of all files of the source.
        current: Folders of the newest publication of each file, by the folder of the file.
    """
    found = []
    for folder in folders:
        owner = next((each for each in _owners(folder) if each in refs), None)
        if owner is not None and owner in current and folder not in current[owner]:
            found.append(folder)
    return found


def _owners(folder: str) -> Iterator[str]:
    """Yield the folders of files that a matrix may belong to, the longest first."""
    project, _, name = folder.partition("/")
    while name:
        yield f"{project}/{name}"
        name = name.rpartition(".")[0]
    yield project


def _outcome_of_skipped(project: Project, skipped: Skipped) -> Outcome:
    status = Status.FAILED if skipped.failed else Status.SKIPPED
    return Outcome(project.id, skipped.name, status, skipped.reason)


def _outcome(ref: MatrixRef, status: Status, reason: str = "") -> Outcome:
    """Return the outcome of a file that is not processed."""
    folder = folder_of(ref.project_id, ref.name)
    return Outcome(
        ref.project_id, ref.name, status, reason,
        folder=folder, url=ref.url, fingerprint=ref.fingerprint,
    )  # fmt: skip


def _decide(
    project: Project, ref: MatrixRef, state: OutputState, recipe: Recipe, *, force: bool
) -> Step:
    folder = folder_of(ref.project_id, ref.name)
    published = state.published.get(folder)
    why = "asked for" if force else reason_to_repeat(ref, published, recipe) if published else "new"
    if why or published is None:
        attempt = _attempt_of(ref, folder, state, recipe)
        reason = None if force else _recall_skip(ref, state.earlier.get(folder), recipe)
        if reason is None and not force:
            reason = _too_often_lost(attempt)
        if reason is not None:
            return Step(project, ref, reason, _outcome(ref, Status.SKIPPED, reason))
        return Step(project, ref, why, was_lost=attempt is not None)
    policy, findings = describe_policy(published.judgements)
    outcome = replace(
        _outcome(ref, Status.UNCHANGED),
        n_cells=published.n_cells,
        n_genes=published.n_genes,
        numbers=published.medians,
        peers=ref.peers,
        policy=policy,
        policy_findings=findings,
    )
    return Step(project, ref, "unchanged", outcome)


def _refuse(project: Project, ref: MatrixRef, owner: MatrixRef) -> Step:
    """Return the step that refuses a file whose folder is that of another file."""
    folder = folder_of(ref.project_id, ref.name)
    reason = f"{ref.url}: would replace {folder}, which is of {owner.url}; give it another name"
    return Step(project, ref, reason, _outcome(ref, Status.FAILED, reason))


def reason_to_repeat(ref: MatrixRef, published: Published, recipe: Recipe) -> str:
    """Return the reason to process a published matrix again; empty if there is none."""
    if ref.fingerprint != published.fingerprint:
        return "changed"
    if published.recipe.settings != recipe.settings:
        return "other settings"
    if published.recipe.version != recipe.version:
        return f"made by version {published.recipe.version}"
    if ref.modified and (published.modified is None or ref.modified >= published.modified):
        return "newer than its summary"
    return ""


def _recall_skip(ref: MatrixRef, earlier: EarlierOutcome | None, recipe: Recipe) -> str | None:
    """Return why an earlier run skipped a file, if nothing has changed since."""
    if earlier is None or earlier.status is not Status.SKIPPED:
        return None
    if (earlier.fingerprint, earlier.recipe) != (ref.fingerprint, recipe):
        return None
    if ref.modified and ref.modified >= earlier.made_at:
        return None
    return earlier.reason


def _attempt_of(ref: MatrixRef, folder: str, state: OutputState, recipe: Recipe) -> Attempt | None:
    """Return the earlier attempt at a matrix, if nothing has changed."""
    attempt = state.attempts.get(folder)
    if attempt is None or not attempt.is_of(ref.fingerprint, recipe):
        return None
    if ref.modified and attempt.at and ref.modified >= attempt.at:
        return None
    return attempt


def _too_often_lost(attempt: Attempt | None) -> str | None:
    """Return why a matrix is skipped that was lost too often; else ``None``."""
    if attempt is None or len(attempt.days) < MAX_DAYS_LOST:
        return None
    return (
        f"cost the process that read it on {plural(len(attempt.days), 'day')}, the last time "
        f"{attempt.days[-1]} ({attempt.reason}); skipped until it changes, or with --force"
    )
