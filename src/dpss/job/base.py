"""A run: what is to be processed and how, and the receiver of its progress."""

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
        """Tell what is going to be done."""

    def on_start(self, step: Step) -> Progress:
        """Announce that a file is begun, decided or not; return its progress reporter."""

    def on_finish(self, outcome: Outcome) -> None:
        """Tell what became of a matrix."""


@dataclass(frozen=True)
class Job:
    """A run: what is to be processed and how."""

    catalog: Catalog
    pipeline: Pipeline
    listener: RunListener
    now: Callable[[], datetime]
    """Tells the time, in UTC."""
    force: bool = False
    only: frozenset[str] = frozenset()
    """Ids of the projects to process; empty for all."""
    shard: Shard = ALL
    """The shard of the projects that is processed."""
    prune: bool = False
    """Delete what was published of matrices that the source no longer has."""
    jobs: int = 1
    """Files processed side by side."""
    prefetch: Callable[[Sequence[MatrixRef]], None] = lambda refs: None
    """Told which files will be opened, in this order."""
