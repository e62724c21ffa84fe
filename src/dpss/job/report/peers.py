"""Outcomes side by side: those whose medians stand apart are marked."""

from __future__ import annotations

import logging
from dataclasses import replace

from dpss.job.report.outcomes import Outcome, RunReport
from dpss.summary.peers import describe_outliers, peer_key

log = logging.getLogger(__name__)


def mark_apart(report: RunReport) -> RunReport:
    """Return a report that says which medians stand apart; log these as warnings.

    Published and unchanged matrices of a project, and those given one by one, are compared.
    """
    sets: dict[str, dict[str, Outcome]] = {}
    for outcome in report.outcomes:
        if outcome.numbers:
            key = peer_key(outcome.project_id, outcome.matrix, outcome.peers)
            sets.setdefault(key, {})[outcome.folder or outcome.label] = outcome
    found: dict[str, tuple[str, ...]] = {}
    for members in sets.values():
        numbers = {name: outcome.numbers for name, outcome in members.items()}
        groups = {name: outcome.peers for name, outcome in members.items() if outcome.matrix}
        found |= describe_outliers(numbers, groups)

    def marked(outcome: Outcome) -> Outcome:
        said = found.get(outcome.folder or outcome.label, ())
        for sentence in said:
            log.warning("%s: %s", outcome.label, sentence)
        return replace(outcome, apart=said) if said else outcome

    return replace(report, outcomes=tuple(map(marked, report.outcomes)))
