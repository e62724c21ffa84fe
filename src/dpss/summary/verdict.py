"""The verdict: one sentence on a matrix, shown above all numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dpss.summary.checks import CHECKS
from dpss.summary.record import Check
from dpss.summary.status import FAIL, NOT_MEASURED, PASS, WARN

FIRST = ("droplets", "mitochondrial_share", "depth", "outliers", "expected_cells", "cells",
         "values")  # fmt: skip
"""Checks that the verdict names first, in order; all others follow in their own order."""
LAST = "assumptions"
_WORDS = {FAIL: "Do not rely on it", WARN: "Look closer", PASS: "No cause for concern"}
_SENTENCE = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)
_FIGURES = {kind.name: kind.figure for kind in CHECKS}


@dataclass(frozen=True)
class Verdict:
    """Advice to a reader, with the finding behind it."""

    status: str
    """``pass``, ``warn`` or ``fail``: the worst of the checks."""
    advice: str
    """Advice in two to five words."""
    finding: str
    """The most important finding, one sentence with a full stop."""
    figure: str
    """Slug of the figure that shows the finding; empty if none does."""

    @property
    def sentence(self) -> str:
        """Advice and finding as one sentence."""
        return f"{self.advice}: {self.finding}"


def judge(checks: Sequence[Check]) -> Verdict:
    """Return the verdict on a matrix.

    >>> judge([Check("depth", "warn", "34 % of cells have few genes. The median is 9.")]).sentence
    'Look closer: 34 % of cells have few genes.'

    Args:
        checks: Outcomes of all checks, notes of readers included.
    """
    for status in (FAIL, WARN):
        found = [check for check in checks if check.status == status]
        if found:
            worst = min(found, key=lambda check: _order(check.name))
            finding = _lowered(first_sentence(worst.message))
            return Verdict(status, _WORDS[status], finding, _FIGURES.get(worst.name, ""))
    n_passed = sum(check.status == PASS for check in checks)
    n_unmeasured = sum(check.status == NOT_MEASURED for check in checks)
    finding = f"{n_passed} {'check' if n_passed == 1 else 'checks'} passed"
    if n_unmeasured:
        finding += f", {n_unmeasured} could not be measured"
    return Verdict(PASS, _WORDS[PASS], f"{finding}.", "")


def first_sentence(text: str) -> str:
    """Return the first sentence of a text.

    >>> first_sentence("It has 2.5 % of them. The others do not.")
    'It has 2.5 % of them.'
    """
    found = _SENTENCE.match(text)
    return found[1] if found else text


def _order(name: str) -> int:
    if name == LAST:
        return len(FIRST) + 1
    return FIRST.index(name) if name in FIRST else len(FIRST)


def _lowered(sentence: str) -> str:
    """Return a sentence for use after a colon; names keep their case."""
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence
