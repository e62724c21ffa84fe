"""Outcomes side by side: those whose medians stand apart are marked."""

from __future__ import annotations

import logging
from dataclasses import replace

from dpss.job.report.outcomes import Outcome, RunReport
from dpss.summary.peers import Peer, describe_all

log = logging.getLogger(__name__)


def mark_apart(report: RunReport) -> RunReport:
    """Return a report that says which medians stand apart; log these as warnings.

    Published and unchanged matrices of a project, and those given one by one, are compared.
    """
    found = describe_all({
        each.folder or each.label: Peer(each.project_id, each.matrix, each.peers, each.numbers)
        for each in report.outcomes
        if each.numbers
    })  # fmt: skip

    def marked(outcome: Outcome) -> Outcome:
        said = found.get(outcome.folder or outcome.label, ())
        for sentence in said:
            log.warning("%s: %s", outcome.label, sentence)
        return replace(outcome, apart=said) if said else outcome

    return replace(report, outcomes=tuple(map(marked, report.outcomes)))
