"""One file: open, summarise each matrix in it, draw, publish.

All files are made before any is published, so that a damaged file leaves the output as it was.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dpss.compute.machine import peak_memory_bytes
from dpss.errors import LostError
from dpss.job.publication import SUMMARY, folder_of, part_name, publish, publish_parts
from dpss.job.reader import Reader, trace
from dpss.job.report.outcomes import Outcome, Status
from dpss.job.results import Results, outcome_of
from dpss.job.stop import Stop
from dpss.model import MatrixRef, Project
from dpss.storage.base import Store

if TYPE_CHECKING:
    from dpss.engine.progress import Progress


class Apart(Protocol):
    """Makes results in another process; its loss is an error of the one file."""

    def make(
        self,
        project: Project,
        ref: MatrixRef,
        progress: Progress,
        check: Callable[[], None],
        folder: Path | None = None,
    ) -> tuple[Results, int]:
        """Return the results, and the largest resident memory of that process, in bytes.

        Files that are too large to be held are made in ``folder``, if it is given.

        Raises:
            LostError: The process was lost.
            DpssError: The file can't be opened.
        """


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give an empty folder, which is gone with the context."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@dataclass(frozen=True, kw_only=True)
class Pipeline(Reader):
    """Processes a file: reads, draws and publishes its matrices."""

    store: Store
    timer: Callable[[], float] = time.monotonic
    apart: Apart | None = None
    """Reads, counts and draws in another process; ``None`` for this process."""
    open_folder: Callable[[], AbstractContextManager[Path]] = temporary_folder
    """Gives an empty folder for files that are too large to be held."""

    def process(self, project: Project, ref: MatrixRef, progress: Progress) -> list[Outcome]:
        """Summarise and publish each matrix of a file.

        An error of a matrix, of any kind, becomes its outcome.

        Args:
            project: The project.
            ref: One of its files.
            progress: Receives the progress.
        """
        start = self.timer()
        watched = _Watched(progress, self.stop)
        peak = 0
        try:
            with self.open_folder() if self.stats.cells else nullcontext() as folder:
                if self.apart is None:
                    results = self.make(project, ref, watched, folder)
                else:
                    results, peak = self.apart.make(project, ref, watched, self.stop.check, folder)
                # Shielded: each published matrix must get into the report.
                with self.stop.shield(later=True):
                    outcomes = self._publish(ref, results)
        except Exception as error:
            trace(ref, error)
            peak = error.peak_memory_bytes if isinstance(error, LostError) else peak
            outcomes = [outcome_of(ref, "", error)]
        seconds, peak = self.timer() - start, peak or peak_memory_bytes()
        # A file is read once for all its matrices: the first outcome has the time and bytes.
        return [
            replace(
                outcome,
                seconds=0.0 if i else seconds,
                input_bytes=0 if i else ref.size_bytes,
                peak_memory_bytes=peak,
            )
            for i, outcome in enumerate(outcomes)
        ]

    def _publish(self, ref: MatrixRef, results: Results) -> list[Outcome]:
        """Publish every matrix that has a summary."""
        outcomes = []
        for name, result in results.items():
            folder = folder_of(ref.project_id, part_name(ref.name, name))
            if not isinstance(result, Exception):
                publish(self.store, folder, result.files, result.large)
            outcomes.append(outcome_of(ref, name, result))
        if results.keys() != {""} and not any(
            outcome.status is Status.FAILED for outcome in outcomes
        ):
            reasons = {o.matrix: o.reason or None for o in outcomes}
            summaries = {
                part_name(ref.name, name): result.files[SUMMARY]
                for name, result in results.items()
                if not isinstance(result, Exception)
            }
            publish_parts(self.store, ref, self.recipe, reasons, summaries)
        return outcomes


@dataclass(frozen=True)
class _Watched:
    """Progress that also checks for a stop, in every thread at every block."""

    inner: Progress
    stop: Stop

    def begin(self, label: str, n_values: int | None) -> None:
        self.stop.check()
        self.inner.begin(label, n_values)

    def advance(self, n_values: int) -> None:
        self.stop.check()
        self.inner.advance(n_values)

    def end(self) -> None:
        self.inner.end()
