"""All published files of a summary, drawn in this process or in helper processes.

matplotlib draws in one thread at a time. A server process imports it while this process reads, and
forks the helpers that draw side by side; this process stays small.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Protocol

from dpss.job.tables import Files, tables_of, with_summary
from dpss.summary.manifest import NOTHING, Manifest

if TYPE_CHECKING:
    from dpss.engine.progress import Progress
    from dpss.summary.record import Summary

log = logging.getLogger(__name__)
_GROUPS = (
    ("highly_variable_genes", "highest_expr_genes", "knee"),
    (
        "genes_by_cell_count",
        "violin",
        "scatter_genes_vs_counts",
        "scatter_percentMitoGenes_vs_count",
    ),
)
"""Slugs of the figures that one helper draws; all groups take about the same time."""
_EMBEDDING_GROUPS = (
    ("umap_clusters", "umap_qc"),
    ("pca_variance", "marker_genes", "cluster_qc"),
)
"""Groups of slugs of the figures of an embedding."""
_ANNOTATION_GROUPS = (
    ("authors_embedding", "annotation_markers"),
    ("annotations", "annotation_clusters"),
)
"""Groups of slugs of the figures of the authors' annotation."""
_STRATA_GROUPS = (("strata",),)
"""Groups of slugs of the figures of strata."""

_GRACE_SECONDS = 2.0
"""Seconds that helpers have to end after SIGTERM; less than a child has to end."""


class Drawing(Protocol):
    """Draws the figures of a summary."""

    def prepare(self) -> None:
        """Start preparations for drawing, without waiting for them."""

    def files_of(self, summary: Summary, progress: Progress, more: Manifest = NOTHING) -> Files:
        """Return all published files of a summary by name, ``summary.json`` last.

        Args:
            summary: The summary.
            progress: Receives the progress.
            more: Files that are made elsewhere, which ``summary.json`` lists, too.
        """

    def close(self) -> None:
        """Release the resources of drawing; no summary follows."""


class DrawingHere:
    """Draws figures in this process."""

    def prepare(self) -> None:
        """Import matplotlib in a thread, while the reading mostly runs without the GIL."""
        threading.Thread(target=_preload, name="dpss-preload", daemon=True).start()

    def files_of(self, summary: Summary, progress: Progress, more: Manifest = NOTHING) -> Files:
        """Return all published files of a summary by name, ``summary.json`` last."""
        from dpss.figures.registry import figures_of

        figures = figures_of(summary)
        progress.begin("drawing", len(figures))
        drawn: dict[str, bytes] = {}
        try:
            for figure in figures:
                drawn |= draw_figures(summary, (figure.slug,))
                progress.advance(1)
        finally:
            progress.end()
        return with_summary(summary, drawn | tables_of(summary), more)

    def close(self) -> None:
        """Do nothing."""


class DrawingProcesses:
    """Draws figures in helper processes, which start with the first summary.

    Where processes can't be started, or are killed, it draws in this process.
    """

    def __init__(self, n_processes: int) -> None:
        """Store the largest number of helpers."""
        self._n_processes = max(1, min(n_processes, len(_GROUPS)))
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()
        self._closed = False

    def prepare(self) -> None:
        """Start the helpers in a thread, unless they run: their server takes a second."""
        threading.Thread(target=self._start, name="dpss-helpers", daemon=True).start()

    def _start(self) -> None:
        """Start the helpers, unless they run."""
        with self._lock:
            if self._pool is not None or self._closed:
                return
            self._pool = ProcessPoolExecutor(
                self._n_processes,
                mp_context=_context(),
                initializer=_begin_helper,
            )
            try:
                for _ in range(self._n_processes):
                    self._pool.submit(_preload)
            except OSError as error:
                log.debug("no helper processes for figures: %s", error)

    def files_of(self, summary: Summary, progress: Progress, more: Manifest = NOTHING) -> Files:
        """Return all published files of a summary by name, ``summary.json`` last."""
        self._closed = False
        self._start()
        try:
            futures = self._submit(summary)
            tables = tables_of(summary)
            return with_summary(summary, self._collect(futures, progress) | tables, more)
        except (OSError, BrokenProcessPool) as error:
            log.debug("figures are drawn in this process: %s", error)
            return DrawingHere().files_of(summary, progress, more)

    def close(self) -> None:
        """End the helpers, also those that draw; takes a few seconds at most.

        Otherwise the pool would end them at the interpreter's exit, where it sometimes fails on
        pipes that are already closed.
        """
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            # All processes, also those that the pool has started since.
            _end_processes(list((pool._processes or {}).values()))
            shutdown = threading.Thread(
                target=partial(pool.shutdown, wait=True, cancel_futures=True), daemon=True
            )
            shutdown.start()
            # The pool's feeder thread may wait for a pipe that no process reads any more.
            shutdown.join(_GRACE_SECONDS)

    def _submit(self, summary: Summary) -> list[tuple[int, Future[dict[str, bytes]]]]:
        pool = self._pool
        if pool is None:
            raise BrokenProcessPool("there are no helpers")
        from dpss.figures.registry import figures_of

        slugs = {figure.slug for figure in figures_of(summary)}
        return [
            (len(group), pool.submit(draw_figures, summary, group))
            for group in (*_GROUPS, *_ANNOTATION_GROUPS, *_EMBEDDING_GROUPS, *_STRATA_GROUPS)
            if slugs.issuperset(group)
        ]

    def _collect(
        self, futures: Sequence[tuple[int, Future[dict[str, bytes]]]], progress: Progress
    ) -> dict[str, bytes]:
        drawn: dict[str, bytes] = {}
        progress.begin("drawing", sum(n for n, _ in futures))
        try:
            for n, future in futures:
                drawn |= future.result()
                progress.advance(n)
        finally:
            progress.end()
        return dict(sorted(drawn.items()))


def _end_processes(processes: Sequence[BaseProcess]) -> None:
    """End processes by SIGTERM; those that have not ended after a few seconds by SIGKILL."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    waiting = {process.sentinel for process in processes}
    while waiting and (left := deadline - time.monotonic()) > 0:
        waiting -= set(connection.wait(list(waiting), left))
    for process in processes:
        if process.sentinel in waiting:
            log.debug("helper %s ignored SIGTERM and is killed", process.pid)
            process.kill()


def draw_figures(summary: Summary, slugs: Sequence[str]) -> dict[str, bytes]:
    """Draw figures and return them as files by name; those without numbers are left out."""
    from dpss.figures.elements.style import theme
    from dpss.figures.registry import figure_files, figures_of

    files: dict[str, bytes] = {}
    with theme():
        for figure in figures_of(summary):
            if figure.slug in slugs and figure.needs(summary) is None:
                files |= figure_files(figure, summary)
    return files


def _context() -> BaseContext:
    """Return the start method of helpers: a fork server that has imported matplotlib."""
    try:
        if not hasattr(os, "fork"):
            raise ValueError
        context = multiprocessing.get_context("forkserver")
    except ValueError:  # This system has no fork server.
        return multiprocessing.get_context("spawn")
    context.set_forkserver_preload(["dpss.figures.preload"])
    return context


def _begin_helper() -> None:
    """Ignore signals, and end when the parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _preload() -> None:
    """Import the modules of drawing before the first figure."""
    from dpss.figures.registry import preload

    preload()
