"""The reader of a file: opens it, summarises and draws each matrix."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dpss.compute.executor import Executor
from dpss.compute.machine import return_freed_memory
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.errors import (
    NeedsWholeError,
    NoMatrixError,
    SeveralMatricesError,
    UnknownFormatError,
)
from dpss.job.publication import CELLS, Recipe, part_name
from dpss.job.renderer import render_files
from dpss.job.results import MatrixFiles, Results, headline
from dpss.job.stop import Stop
from dpss.model import Companions, MatrixRef, Project
from dpss.storage.access import is_private
from dpss.storage.download import open_unchanged
from dpss.storage.locations import Source, local_path
from dpss.storage.redaction import redact_url
from dpss.storage.scratch import OpenRoom, temporary_room

if TYPE_CHECKING:
    from dpss.engine.progress import Progress
    from dpss.formats.base import Layer, Matrix
    from dpss.formats.discovery import OpenFailure
    from dpss.formats.options import OpenOptions
    from dpss.job.cell_file import CellFile
    from dpss.job.renderer import Render
    from dpss.storage.access import Hold
    from dpss.summary.builder import Identity
    from dpss.summary.record import Summary

log = logging.getLogger(__name__)


class OpenRef(Protocol):
    """Function that opens the file of a reference for the length of a context."""

    def __call__(self, ref: MatrixRef, *, whole: bool = False) -> AbstractContextManager[Source]:
        """Open the file; with ``whole`` as a local copy, as it can't be read in place."""


def open_in_place(ref: MatrixRef, *, whole: bool = False) -> AbstractContextManager[Source]:
    """Open the file of a reference in place, without scratch space."""
    return open_unchanged(ref)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads, counts and draws a file."""

    stats: StatSettings
    read: ReadSettings
    recipe: Recipe
    executor: Executor
    stop: Stop
    executor_here: Executor | None = None
    """Executor for files that only this machine can read; ``None`` for ``executor``."""
    render: Render = render_files
    """Makes the published files of a summary."""
    open_ref: OpenRef = open_in_place
    hold: Hold | None = None
    """Copies a blob to scratch space; by default to a new one."""
    open_room: OpenRoom = temporary_room
    """Opens a folder for copies of matrices by cell; by default in a new scratch space."""
    demo: bool = False
    """Whether the matrices are simulated."""

    def make(
        self, project: Project, ref: MatrixRef, progress: Progress, folder: Path | None = None
    ) -> Results:
        """Return the files to publish, or the error, of each matrix of a file.

        Args:
            project: The project.
            ref: One of its files.
            progress: Receives the progress.
            folder: Where files that are too large to be held are made; without one there are none.

        Raises:
            MatrixError: The file can't be opened.
        """
        try:
            results = self._summarize(project, ref, progress, folder)
        except NeedsWholeError as error:
            if local_path(ref.address) is not None:
                raise
            log.info("%s; it is fetched", error)
            results = self._summarize(project, ref, progress, folder, whole=True)
        for result in results.values():
            if isinstance(result, Exception):
                log_traceback(ref, result)
        return {
            name: made if isinstance(made, Exception) else self._draw(*made, progress)
            for name, made in results.items()
        }

    def _summarize(
        self,
        project: Project,
        ref: MatrixRef,
        progress: Progress,
        folder: Path | None,
        *,
        whole: bool = False,
    ) -> dict[str, tuple[Summary, CellFile | None] | Exception]:
        """Return the summary or the error of each matrix of a file, by its name there.

        A summary comes with the table of its cells, if one is asked for.

        Raises:
            MatrixError: The file can't be opened.
            NeedsWholeError: The file can't be read in place.
            SeveralMatricesError: It is one sample of a sheet, but holds several matrices.
        """
        from dpss.engine.summarizer import summarize_matrix
        from dpss.formats.discovery import OpenFailure, iter_matrices

        def identify(matrix: Matrix, layer: Layer) -> Identity:
            return self._identify(project, ref, matrix, layer)

        results: dict[str, tuple[Summary, CellFile | None] | Exception] = {}
        with self.open_ref(ref, whole=whole) as source:
            # Only this machine can read a copy in its scratch space.
            executor = (is_private(source) and self.executor_here) or self.executor
            with closing(iter_matrices(source, self._open_options())) as matrices:
                for matrix in _one_of(ref, matrices) if ref.is_sample else matrices:
                    self.stop.check()
                    if isinstance(matrix, OpenFailure):
                        if isinstance(matrix.error, NeedsWholeError):
                            raise matrix.error
                        results[matrix.name] = matrix.error
                        continue
                    try:
                        table = self._cell_file(folder, len(results))
                        summary = summarize_matrix(
                            matrix,
                            identify,
                            self.stats,
                            self.read,
                            executor,
                            progress,
                            expected_cells=ref.n_cells,
                            sink=table,
                            hold_places=False,
                            open_room=self.open_room,
                        )
                        if not matrix.name:
                            summary = self._with_sample(ref, summary, progress)
                        results[matrix.name] = (summary, table)
                    except NeedsWholeError:
                        raise
                    except Exception as error:
                        results[matrix.name] = error
        return results

    def _with_sample(self, ref: MatrixRef, summary: Summary, progress: Progress) -> Summary:
        """Return a summary with the data of its sample from outside the matrix."""
        found = summary
        if ref.companions:
            found = self._with_companions(ref.companions, found, progress)
        if ref.n_cells_expected:
            from dpss.summary.checks.yields import with_yield

            found = with_yield(found, ref.n_cells_expected)
        if self.stats.policy is not None and found is not summary:
            from dpss.summary.policy import apply_policy
            from dpss.summary.tables import summary_document

            # Rules may count the checks, and there are more of them now.
            judgements = apply_policy(self.stats.policy, summary_document(found, []))
            found = replace(found, policy=judgements)
        return found

    def _with_companions(
        self, companions: Companions, summary: Summary, progress: Progress
    ) -> Summary:
        """Return a summary with the facts that its pipeline wrote beside the matrix."""
        from dpss.job.companions import read_unfiltered, with_companions

        executor = self.executor_here or self.executor
        return with_companions(
            summary,
            companions,
            lambda: read_unfiltered(
                companions, summary, self.stats, self.read, self._open_options(), executor, progress
            ),
        )

    def _open_options(self) -> OpenOptions:
        from dpss.formats.options import OpenOptions, copy_to_temp, parse_orientation

        return OpenOptions(
            threads=self.read.threads,
            orientation=parse_orientation(self.stats.orientation),
            memory_bytes=self.read.memory_bytes,
            hold=self.hold or copy_to_temp,
        )

    def _identify(self, project: Project, ref: MatrixRef, matrix: Matrix, layer: Layer) -> Identity:
        from dpss.summary.builder import Identity
        from dpss.summary.record import MatrixInfo, Provenance

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
                peers=ref.peers,
            ),
            provenance=Provenance(self.recipe.version, self.recipe.settings),
            demo=self.demo,
        )

    def _cell_file(self, folder: Path | None, number: int) -> CellFile | None:
        if not self.stats.cells or folder is None:
            return None
        from dpss.job.cell_file import CellFile

        return CellFile(folder / f"{number}.csv.gz")

    def _draw(self, result: Summary, table: CellFile | None, progress: Progress) -> MatrixFiles:
        """Return all files of a summary, the summary itself last."""
        # Up to 16 MiB that reading has freed are still held; memory peaks while figures are drawn.
        return_freed_memory()
        more = {} if table is None else {CELLS: table.entry}
        files = self.render(result, progress, more)
        from dpss.summary.assumptions import assumptions, describe_assumption
        from dpss.summary.policy import describe_policy
        from dpss.summary.verdict import judge

        assumed = " ".join(map(describe_assumption, assumptions(result.reading)))
        verdict = judge(result.checks)
        return MatrixFiles(
            files,
            result.n_cells,
            result.n_genes,
            assumed,
            headline(result),
            verdict.sentence,
            verdict.status,
            *describe_policy(result.policy),
            large={} if table is None else {CELLS: table.path},
        )


def _one_of(
    ref: MatrixRef, found: Iterable[Matrix | OpenFailure]
) -> Iterator[Matrix | OpenFailure]:
    """Yield the one matrix of a sample, without a name of its own.

    Raises:
        SeveralMatricesError: There is another one.
    """
    names: list[str] = []
    for each in found:
        if isinstance(getattr(each, "error", None), (UnknownFormatError, NoMatrixError)):
            continue
        names.append(each.name)
        if len(names) > 1:
            raise SeveralMatricesError(
                f"{redact_url(ref.address)}: holds several matrices, {names[0]} and {names[1]} "
                "among them, but a line of a sheet is one sample; give the path of one, or all "
                "of it without a sheet"
            )
        yield replace(each, name="")


def log_traceback(ref: MatrixRef, error: Exception) -> None:
    """Log an error's traceback at level DEBUG."""
    log.debug("traceback of %s", redact_url(ref.address), exc_info=error)
