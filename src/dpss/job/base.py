"""A run: its catalog, store and settings, and the interface of progress listeners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dpss.catalogs.base import Catalog
from dpss.catalogs.shards import ALL, Shard
from dpss.job.pipeline import Pipeline
from dpss.job.plan.steps import Step
from dpss.job.report.outcomes import Outcome
from dpss.model import MatrixRef

if TYPE_CHECKING:
    from dpss.engine.progress import Progress


class RunListener(Protocol):
    """Receives the progress of a run."""

    def on_plan(self, steps: Sequence[Step]) -> None:
        """Called once with the steps of the plan."""

    def on_start(self, step: Step) -> Progress:
        """Called before a file is read; returns its progress reporter."""

    def on_finish(self, outcome: Outcome) -> None:
        """Called with the outcome of each matrix."""


@dataclass(frozen=True)
class Job:
    """A run: its catalog, store, settings and dependencies."""

    catalog: Catalog
    pipeline: Pipeline
    listener: RunListener
    now: Callable[[], datetime]
    """Returns the current time, in UTC."""
    force: bool = False
    only: frozenset[str] = frozenset()
    """Ids of the projects to process; empty for all."""
    shard: Shard = ALL
    """The shard of the projects that is processed."""
    prune: bool = False
    """Whether to delete the published files of matrices that the source no longer has."""
    jobs: int = 1
    """Number of files processed side by side."""
    prefetch: Callable[[Sequence[MatrixRef]], None] = lambda refs: None
    """Called with the files that will be opened, in this order."""
