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
from typing import TYPE_CHECKING

from dpss.compute.machine import peak_memory_bytes
from dpss.errors import LostError
from dpss.job.publication import SUMMARY, folder_of, part_name, publish, publish_parts
from dpss.job.reader import Reader, log_traceback
from dpss.job.report.outcomes import Outcome, Status
from dpss.job.results import Results, outcome_of
from dpss.job.stop import Stop
from dpss.model import MatrixRef, Project
from dpss.storage.base import Store

if TYPE_CHECKING:
    from dpss.engine.progress import Progress
    from dpss.job.children.isolation import IsolatedReader


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield an empty folder, removed at the end of the context."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@dataclass(frozen=True, kw_only=True)
class Pipeline(Reader):
    """Processes a file: reads, draws and publishes its matrices."""

    store: Store
    timer: Callable[[], float] = time.monotonic
    isolated: IsolatedReader | None = None
    """Reads, counts and draws in child processes; ``None`` for this process."""
    open_folder: Callable[[], AbstractContextManager[Path]] = temporary_folder
    """Opens an empty folder for files that are too large for memory."""

    def process(self, project: Project, ref: MatrixRef, progress: Progress) -> list[Outcome]:
        """Summarise and publish each matrix of a file.

        An error of a matrix, of any kind, becomes its outcome.

        Args:
            project: The project.
            ref: One of its files.
            progress: Receives the progress.
        """
        start = self.timer()
        stoppable = _StoppableProgress(progress, self.stop)
        peak = 0
        try:
            with self.open_folder() if self.stats.cells else nullcontext() as folder:
                if self.isolated is None:
                    results = self.make(project, ref, stoppable, folder)
                else:
                    results, peak = self.isolated.make(
                        project, ref, stoppable, self.stop.check, folder
                    )
                # A signal must not come between a publication and its entry in the report.
                with self.stop.shield(later=True):
                    outcomes = self._publish(ref, results)
        except Exception as error:
            log_traceback(ref, error)
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
class _StoppableProgress:
    """Progress that checks at each block, in each thread, whether the run is to end."""

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
