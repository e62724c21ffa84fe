"""Outcomes that stand apart are marked in the report and the log."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from dpss.job.report.outcomes import Outcome, RunReport, Status, run_document
from dpss.job.report.peers import mark_apart
from tests.unit.summary.test_peers import run_of


def report_of(project: str, n: int, **changed: dict[str, float | None]) -> RunReport:
    """Return the report of a run of one project."""
    return RunReport(
        tuple(
            Outcome(project, name, Status.PUBLISHED, numbers=numbers)
            for name, numbers in run_of(n, **changed).items()
        )
    )


def test_matrices_of_a_project_are_compared(caplog: pytest.LogCaptureFixture) -> None:
    """Not those of another project; unchanged ones count, failed ones have no numbers."""
    caplog.set_level(logging.WARNING)
    bad = {"median_counts_per_cell": 150.0}
    report = report_of("a", 24, S03=bad) + report_of("b", 3, S00=bad)
    unchanged = replace(report.outcomes[5], status=Status.UNCHANGED)
    failed = Outcome("a", "broken", Status.FAILED, "broken")
    report = mark_apart(replace(report, outcomes=(*report.outcomes, unchanged, failed)))
    marked = [outcome for outcome in report.outcomes if outcome.apart]
    assert [outcome.label for outcome in marked] == ["a/S03"]
    assert marked[0].caution == "warn"
    (record,) = caplog.records
    assert record.message.startswith("a/S03: Counts per cell are apart: 150")


def test_the_report_says_so() -> None:
    """In ``runs/<time>.json``, for programs."""
    from datetime import UTC, datetime

    from dpss.job.report.outcomes import RunHeader

    now = datetime(2026, 1, 1, tzinfo=UTC)
    report = mark_apart(report_of("a", 24, S03={"median_pct_counts_mt": 40.0}))
    document = run_document(RunHeader(now, now, "1", "local", "out", {}), report)
    said = {each["matrix"]: each["apart"] for each in document["matrices"] if each["apart"]}
    assert list(said) == ["S03"]


def test_a_caution_is_the_worst_of_a_matrix() -> None:
    """The verdict, what stands apart, what was assumed."""
    outcome = Outcome("a", "b", Status.PUBLISHED, verdict_status="pass")
    assert outcome.caution == ""
    assert replace(outcome, apart=("x",)).caution == "warn"
    assert replace(outcome, assumed="x").caution == "warn"
    assert replace(outcome, verdict_status="fail", apart=("x",)).caution == "fail"


def test_projects_given_one_by_one_are_compared() -> None:
    """Each matrix is its project's only one; a project of a source is not compared with them."""
    numbers = run_of(24, S03={"median_counts_per_cell": 150.0})
    given = [
        Outcome(name, "", Status.PUBLISHED, numbers=each, peers="given", folder=name)
        for name, each in numbers.items()
    ]
    other = Outcome("canned", "", Status.PUBLISHED, numbers=numbers["S03"], folder="canned")
    report = mark_apart(RunReport((*given, other)))
    assert [outcome.label for outcome in report.outcomes if outcome.apart] == ["S03"]
    alone = [replace(outcome, peers="") for outcome in given]
    assert not any(outcome.apart for outcome in mark_apart(RunReport(tuple(alone))).outcomes)
