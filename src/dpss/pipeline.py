"""One file: open, summarise each matrix in it, draw, publish.

Everything is made before anything is published, so that a file that turns out to be
broken half way leaves the output as it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dpss.drawing import Drawing, DrawingHere
from dpss.errors import (
    CorruptMatrixError,
    DpssError,
    NeedsWholeError,
    NoCountsError,
    NoMatrixError,
    UnknownFormatError,
)
from dpss.executors import Executor
from dpss.interrupts import Stop
from dpss.machine import peak_memory_bytes
from dpss.model import MatrixRef, Project
from dpss.outcomes import Outcome, Status
from dpss.publication import (
    SUMMARY,
    Recipe,
    folder_of,
    part_name,
    publish,
    publish_parts,
)
from dpss.settings import ReadSettings, StatSettings
from dpss.stores import Store
from dpss.stores.addresses import shown_address
from dpss.stores.local import last_modified
from dpss.stores.one_pass import OnePassBlob
from dpss.stores.opening import Source, local_path, open_source
from dpss.stores.scratch import ScratchFile

if TYPE_CHECKING:
    from dpss.building import Identity
    from dpss.formats import Layer, Matrix
    from dpss.formats.means import Hold, Means
    from dpss.summarizing import Progress
    from dpss.summary import Summary

log = logging.getLogger(__name__)

OpenRef = Callable[[MatrixRef], AbstractContextManager[Source]]
"""Opens what a reference means for as long as it's needed."""


@contextmanager
def open_ref(ref: MatrixRef) -> Iterator[Source]:
    """Open what a reference means, in place.

    Raises:
        CorruptMatrixError: At the end: it was changed meanwhile.
    """
    yield open_source(ref.address)
    path = local_path(ref.address)
    if path is not None and ref.modified is not None and last_modified(path) != ref.modified:
        raise CorruptMatrixError(f"{path}: was changed while it was read; run again")


@dataclass(frozen=True)
class Pipeline:
    """What it takes to process a file."""

    store: Store
    stats: StatSettings
    read: ReadSettings
    recipe: Recipe
    executor: Executor
    stop: Stop
    executor_here: Executor | None = None
    """Of this process, for what lies where only this process sees it; by default the same."""
    drawing: Drawing = field(default_factory=DrawingHere)
    open_ref: OpenRef = open_ref
    open_whole: OpenRef | None = None
    """Fetches what can't be read where it is."""
    timer: Callable[[], float] = time.monotonic
    hold: Hold | None = None
    """Keeps what has to be unpacked; by default a scratch space of its own."""
    demo: bool = False
    """Whether the matrices are simulated."""

    def process(self, project: Project, ref: MatrixRef, progress: Progress) -> list[Outcome]:
        """Summarise and publish each matrix of a file.

        What goes wrong with a matrix, whatever it is, becomes its outcome.

        Args:
            project: The project.
            ref: One of its files.
            progress: Who is told how far it is.
        """
        start = self.timer()
        self.drawing.prepare()
        watched = _Watched(progress, self.stop)
        try:
            try:
                results = self._summarize(project, ref, watched, self.open_ref)
            except NeedsWholeError as error:
                if self.open_whole is None or local_path(ref.address) is not None:
                    raise
                log.info("%s; it is fetched", error)
                results = self._summarize(project, ref, watched, self.open_whole)
            files = {name: self._draw(result, watched) for name, result in results.items()}
            # What is published must get into the report, too.
            with self.stop.shield(later=True):
                outcomes = self._publish(ref, results, files)
        except Exception as error:
            outcomes = [_outcome(ref, "", error)]
        seconds, peak = self.timer() - start, peak_memory_bytes()
        # A file is read once for all its matrices: the first one is billed.
        return [
            replace(
                outcome,
                seconds=0.0 if i else seconds,
                input_bytes=0 if i else ref.size_bytes,
                peak_memory_bytes=peak,
            )
            for i, outcome in enumerate(outcomes)
        ]

    def _summarize(
        self, project: Project, ref: MatrixRef, progress: Progress, open_ref: OpenRef
    ) -> dict[str, Summary | Exception]:
        """Return the summary of every matrix of a file, or its error, by its name there.

        Raises:
            MatrixError: The file can't be opened.
            NeedsWholeError: It can't be read where it is.
        """
        from dpss.formats.finding import Refused, each_matrix
        from dpss.summarizing import summarize_matrix

        def identify(matrix: Matrix, layer: Layer) -> Identity:
            return self._identify(project, ref, matrix, layer)

        results: dict[str, Summary | Exception] = {}
        with open_ref(ref) as source:
            executor = self._executor_for(source)
            with closing(each_matrix(source, self._means())) as matrices:
                for matrix in matrices:
                    self.stop.check()
                    if isinstance(matrix, Refused):
                        if isinstance(matrix.error, NeedsWholeError):
                            raise matrix.error
                        results[matrix.name] = matrix.error
                        continue
                    try:
                        results[matrix.name] = summarize_matrix(
                            matrix,
                            identify,
                            self.stats,
                            self.read,
                            executor,
                            progress,
                            expected_cells=ref.n_cells,
                        )
                    except NeedsWholeError:
                        raise
                    except Exception as error:
                        results[matrix.name] = error
        return results

    def _means(self) -> Means:
        from dpss.formats.means import Means, hold_apart, parse_orientation

        return Means(
            threads=self.read.threads,
            orientation=parse_orientation(self.stats.orientation),
            memory_bytes=self.read.memory_bytes,
            hold=self.hold or hold_apart,
        )

    def _executor_for(self, source: Source) -> Executor:
        """Return who reads a source: what was or is fetched can be read by this process only."""
        fetched = isinstance(source, (ScratchFile, OnePassBlob))
        here = fetched and self.executor_here is not None
        return self.executor_here or self.executor if here else self.executor

    def _identify(self, project: Project, ref: MatrixRef, matrix: Matrix, layer: Layer) -> Identity:
        from dpss.building import Identity
        from dpss.summary import MatrixInfo, Provenance

        return Identity(
            project_id=project.id,
            project_title=project.title,
            matrix=MatrixInfo(
                name=part_name(ref.name, matrix.name),
                url=ref.url,
                format=matrix.format,
                layer=layer.name,
                fingerprint=ref.fingerprint,
                strata=ref.strata,
            ),
            provenance=Provenance(self.recipe.version, self.recipe.settings),
            demo=self.demo,
        )

    def _draw(self, result: Summary | Exception, progress: Progress) -> dict[str, bytes]:
        """Return all files of a summary, the summary itself last; none of an error."""
        return {} if isinstance(result, Exception) else self.drawing.files_of(result, progress)

    def _publish(
        self,
        ref: MatrixRef,
        results: Mapping[str, Summary | Exception],
        files: Mapping[str, Mapping[str, bytes]],
    ) -> list[Outcome]:
        """Publish every matrix that there is a summary of."""
        outcomes = []
        for name, result in results.items():
            folder = folder_of(ref.project_id, part_name(ref.name, name))
            if not isinstance(result, Exception):
                publish(self.store, folder, files[name])
            outcomes.append(_outcome(ref, name, result))
        if results.keys() != {""} and not any(
            outcome.status is Status.FAILED for outcome in outcomes
        ):
            reasons = {o.matrix: o.reason or None for o in outcomes}
            summaries = {part_name(ref.name, n): made[SUMMARY] for n, made in files.items() if made}
            publish_parts(self.store, ref, self.recipe, reasons, summaries)
        return outcomes


def describe_error(error: Exception, where: str) -> str:
    """Return an error as one line that names the file and what to do.

    >>> describe_error(CorruptMatrixError("holds NaN"), "a.h5ad")
    'a.h5ad: holds NaN'
    >>> describe_error(IndexError("7"), "a.h5ad")
    'a.h5ad: unexpected IndexError (7); --debug shows where'
    """
    text = " ".join(str(error).split())
    if isinstance(error, DpssError):
        return text if where in text else f"{where}: {text}"
    if isinstance(error, MemoryError):
        return f"{where}: out of memory; try --threads 1, or a machine with more"
    if isinstance(error, OSError) and error.strerror:
        return f"{where}: {error.strerror} ({error.filename or type(error).__name__})"
    return f"{where}: unexpected {type(error).__name__} ({text}); --debug shows where"


def _outcome(ref: MatrixRef, name: str, result: Summary | Exception) -> Outcome:
    """Return what became of one matrix of a file."""
    full_name = part_name(ref.name, name)
    outcome = Outcome(
        ref.project_id,
        full_name,
        Status.PUBLISHED,
        folder=folder_of(ref.project_id, full_name),
        url=ref.url,
        fingerprint=ref.fingerprint,
    )
    if not isinstance(result, Exception):
        return replace(outcome, n_cells=result.n_cells, n_genes=result.n_genes)
    where = shown_address(ref.address)
    log.debug("traceback of %s", where, exc_info=result)
    # Of what only may have been a matrix, to find that it's none is no failure.
    unsure = not ref.certain or bool(name)
    no_matrix = unsure and isinstance(result, (UnknownFormatError, NoMatrixError))
    status = Status.SKIPPED if isinstance(result, NoCountsError) or no_matrix else Status.FAILED
    return replace(outcome, status=status, reason=describe_error(result, where))


@dataclass(frozen=True)
class _Watched:
    """Progress that also looks whether it's time to end: in every thread, at every block."""

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
