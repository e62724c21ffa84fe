"""Assumptions: decisions about a file without evidence in it that change numbers."""

from __future__ import annotations

from collections.abc import Sequence

from dpss.model import Decision


def assumptions(reading: Sequence[Decision]) -> tuple[Decision, ...]:
    """Return the decisions that were assumed and change numbers."""
    return tuple(each for each in reading if each.is_warning)


def describe_assumption(decision: Decision) -> str:
    """Return an assumption as a sentence.

    >>> describe_assumption(Decision("log_base", "e", "nothing shows it", Certainty.ASSUMED))
    'log base e was assumed: nothing shows it.'
    """
    topic = decision.topic.replace("_", " ")
    evidence = decision.evidence.rstrip(".")
    other = f" {decision.option} changes it." if decision.option else ""
    return f"{topic} {decision.value} was assumed: {evidence}.{other}"
