"""Reads the metrics and all barcodes that a pipeline wrote beside a matrix."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from dpss.compute.executor import Executor
from dpss.engine.progress import Progress
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.engine.summarizer import summarize_matrix
from dpss.formats.base import Layer, Matrix
from dpss.formats.discovery import OpenFailure, iter_matrices
from dpss.formats.options import OpenOptions
from dpss.model import Certainty, Companions, Decision
from dpss.storage.base import Blob
from dpss.storage.locations import open_source
from dpss.summary.builder import Identity
from dpss.summary.pipeline import MAX_BYTES, PipelineReport, Unfiltered, parse_metrics
from dpss.summary.record import Check, Summary

log = logging.getLogger(__name__)


def with_companions(
    summary: Summary,
    companions: Companions,
    unfiltered: Callable[[], Unfiltered | None],
) -> Summary:
    """Return a summary with the facts that its pipeline wrote beside the matrix.

    A file that can't be read is a check that warns.

    Args:
        summary: The summary of the filtered matrix.
        companions: The files beside it.
        unfiltered: Summarises the matrix of all barcodes.
    """
    metrics: dict[str, float] = {}
    files: list[str] = []
    faults: list[str] = []
    for url, location in companions.metrics:
        try:
            source = open_source(location)
            if not isinstance(source, Blob) or (source.size_bytes or 0) > MAX_BYTES:
                raise ValueError("too large")
            found = parse_metrics(source.name, source.read_range(0, source.size_bytes or 0))
            metrics = found | metrics
            files.append(url)
        except Exception as error:
            faults.append(f"{url} can't be read ({error}).")
    barcodes = None
    try:
        barcodes = unfiltered()
    except Exception as error:
        faults.append(f"{companions.unfiltered_url} can't be read ({error}).")
    if faults:
        log.warning("%s", " ".join(faults))
    checks = tuple(Check("pipeline_files", "warn", fault) for fault in faults)
    report = PipelineReport(companions.pipeline, tuple(files), metrics, barcodes)
    reading = (*summary.reading, *([_decide(companions)] if companions.same else []))
    return replace(summary, pipeline=report, checks=(*summary.checks, *checks), reading=reading)


def _decide(companions: Companions) -> Decision:
    """Return the decision to read one of several formats of a matrix."""
    return Decision(
        "same_matrix",
        "read once",
        f"By the names that {companions.pipeline} gives its files, {', '.join(companions.same)} "
        "is the same matrix in another format; it was not read.",
        Certainty.TOLD_BY_CONTENT,
    )


def read_unfiltered(
    companions: Companions,
    summary: Summary,
    stats: StatSettings,
    read: ReadSettings,
    options: OpenOptions,
    executor: Executor,
    progress: Progress,
) -> Unfiltered | None:
    """Return the numbers of the matrix of all barcodes; ``None`` where there is none.

    Raises:
        MatrixError: It can't be read.
    """
    if not companions.unfiltered:
        return None

    def identify(matrix: Matrix, layer: Layer) -> Identity:
        return Identity(
            summary.project_id, summary.project_title, summary.matrix, summary.provenance
        )

    plain = replace(
        stats, embedding=False, annotation="none", by=None, by_file=None, cells=False,
        policy=None, cells_above_knee=False, min_gene_count=0,
    )  # fmt: skip
    with closing(iter_matrices(open_source(companions.unfiltered), options)) as matrices:
        found = next(matrices)
        if isinstance(found, OpenFailure):
            raise found.error
        whole = summarize_matrix(
            found, identify, plain, read, executor, progress, hold_places=False
        )
    total = whole.total_counts
    return Unfiltered(
        companions.unfiltered_url,
        whole.n_cells,
        whole.droplets.knee.n_cells if whole.droplets else None,
        total,
        100 * summary.total_counts / total if total else None,
    )
