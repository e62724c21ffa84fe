"""Results of reading a file: files to publish, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dpss.errors import DpssError, LostError, NoCountsError, NoMatrixError, UnknownFormatError
from dpss.job.publication import folder_of, part_name
from dpss.job.report.outcomes import Outcome, Status
from dpss.model import MatrixRef
from dpss.storage.redaction import redact_url
from dpss.summary.record import Summary


@dataclass(frozen=True)
class MatrixFiles:
    """The files to publish of one matrix, with facts for its outcome."""

    files: Mapping[str, bytes]
    """Content of the files by name, ``summary.json`` last."""
    n_cells: int
    n_genes: int
    assumed: str = ""
    """Assumptions about the file that change numbers, in sentences."""
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    """Numbers for the report, by name, as `headline` returns them."""
    verdict: str = ""
    """The verdict on the matrix, one sentence."""
    verdict_status: str = ""
    """Status of the verdict: ``pass``, ``warn`` or ``fail``."""
    policy: str = ""
    """Status by the policy asked for; empty without one."""
    policy_findings: tuple[str, ...] = ()
    """Sentences on the rules of the policy that the matrix breaks."""
    large: Mapping[str, Path] = field(default_factory=dict)
    """Files that are too large to be held, by name: where they are until they are published."""


def headline(summary: Summary) -> dict[str, float | None]:
    """Return the numbers by which runs are compared: sizes, medians, checks."""
    return {
        "n_cells": summary.n_cells,
        "n_genes": summary.n_genes,
        "median_genes_per_cell": summary.median_genes_per_cell,
        "median_counts_per_cell": summary.median_counts_per_cell,
        "median_pct_counts_mt": summary.median_pct_counts_mt,
        "n_warn": sum(check.status == "warn" for check in summary.checks),
        "n_fail": sum(check.status == "fail" for check in summary.checks),
    }


Results = Mapping[str, "MatrixFiles | Exception"]
"""Files to publish, or the error, of each matrix of a file, by its name in the file."""


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


def outcome_of(ref: MatrixRef, name: str, result: MatrixFiles | Exception) -> Outcome:
    """Return the outcome of one matrix of a file.

    Args:
        ref: The file.
        name: The matrix's name in the file; empty where it holds just one.
        result: The files to publish, or the error.
    """
    full_name = part_name(ref.name, name)
    outcome = Outcome(
        ref.project_id,
        full_name,
        Status.PUBLISHED,
        folder=folder_of(ref.project_id, full_name),
        url=ref.url,
        fingerprint=ref.fingerprint,
        peers=ref.peers,
    )
    if not isinstance(result, Exception):
        return replace(
            outcome,
            n_cells=result.n_cells,
            n_genes=result.n_genes,
            assumed=result.assumed,
            numbers=result.numbers,
            verdict=result.verdict,
            verdict_status=result.verdict_status,
            policy=result.policy,
            policy_findings=result.policy_findings,
        )
    where = redact_url(ref.address)
    # A file that was only possibly a matrix is skipped, not failed, if it is none.
    unsure = not ref.certain or bool(name)
    no_matrix = unsure and isinstance(result, (UnknownFormatError, NoMatrixError))
    status = Status.SKIPPED if isinstance(result, NoCountsError) or no_matrix else Status.FAILED
    outcome = replace(outcome, status=status, reason=describe_error(result, where))
    if isinstance(result, (LostError, MemoryError)):
        # A process that ran out of memory is replaced, too.
        cause = result.cause if isinstance(result, LostError) else "memory"
        return replace(outcome, lost=True, cause=cause)
    return outcome
