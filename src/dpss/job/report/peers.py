"""Outcomes of one project side by side: those whose medians stand apart are marked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from dpss.job.report.outcomes import Outcome, RunReport
from dpss.summary.peers import find_apart

log = logging.getLogger(__name__)


def mark_apart(report: RunReport) -> RunReport:
    """Return a report whose outcomes say which medians stand apart, and log these as warnings.

    Published and unchanged matrices of a project are compared.
    """
    projects: dict[str, dict[str, Mapping[str, float | None]]] = {}
    for outcome in report.outcomes:
        if outcome.numbers:
            projects.setdefault(outcome.project_id, {})[outcome.matrix] = outcome.numbers
    found = {project: find_apart(numbers) for project, numbers in projects.items()}

    def marked(outcome: Outcome) -> Outcome:
        said = found.get(outcome.project_id, {}).get(outcome.matrix, ())
        for sentence in said:
            log.warning("%s: %s", outcome.label, sentence)
        return replace(outcome, apart=said) if said else outcome

    return replace(report, outcomes=tuple(map(marked, report.outcomes)))
