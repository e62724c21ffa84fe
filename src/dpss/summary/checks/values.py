"""Checks of the values: their kind in each layer, and the assumptions about them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dpss.model import Certainty
from dpss.stats.values.kinds import ValueKind
from dpss.stats.values.logarithms import LOG_CEILING
from dpss.summary.assumptions import assumptions, describe_assumption
from dpss.summary.checks.kind import listed
from dpss.summary.findings import Findings
from dpss.summary.status import FAIL, NOT_MEASURED, PASS, WARN

_MEANING = {
    ValueKind.COUNTS: "whole numbers of at least 0: counts",
    ValueKind.EXPECTED_COUNTS: "fractional and at least 0: expected counts",
    ValueKind.NORMALISED: "normalised to the same total in each cell",
    ValueKind.LOG_NORMALISED: "log-normalised",
    ValueKind.ROOTS: "square roots",
    ValueKind.SHIFTED: "shifted: none is 0",
    ValueKind.SCALED: "scaled: some are negative",
    ValueKind.TOO_LARGE: "larger than any count",
    ValueKind.TOO_SMALL: "smaller than what sums can hold",
    ValueKind.NOT_FINITE: "not all finite: some are NaN or infinite",
}


def check_values(findings: Findings) -> tuple[str, str]:
    """Check the kind of the values."""
    values = _values_used(findings)
    message = f"The values of {findings.used} are {_MEANING[values]}."
    if values is ValueKind.COUNTS and findings.n_rounded:
        return WARN, (
            f"{message} Rounding noise was found in at least {findings.n_rounded:,} of them; "
            "they were rounded to whole numbers."
        )
    if values is ValueKind.COUNTS and findings.sums.facts.largest == 1:
        return WARN, (
            f"{message} All are 0 or 1: they tell whether something was seen, not how often, "
            "unless cells were sequenced very little."
        )
    if values is ValueKind.COUNTS:
        return PASS, message
    passed_over = [
        f"{layer.name} ({layer.values})"
        for layer in findings.layers
        if layer.name in findings.looked_for and layer.name != findings.used and layer.values
    ]
    if passed_over:
        message += f" Better was not found in {listed(passed_over)}."
    if values is ValueKind.LOG_NORMALISED:
        message += f" {_describe_base(findings)}"
    return WARN, message


def _describe_base(findings: Findings) -> str:
    """Return how logarithms were undone, with the evidence for their base."""
    decision = next(each for each in findings.decisions if each.topic == "log_base")
    undone = "expm1" if decision.value == "e" else f"{decision.value}^x - 1"
    base, reason = decision.value, decision.evidence
    if decision.certainty is Certainty.ASSUMED:
        return (
            f"The base of the logarithm is not known ({reason}); {base} was assumed, and the "
            f"values were exponentiated ({undone}) before anything else: all numbers "
            "depend on it."
        )
    return (
        f"They were exponentiated ({undone}) before anything else; the base of the logarithm is "
        f"{base}: {reason}."
    )


def check_layers(findings: Findings) -> tuple[str, str]:
    """Check the kind of the values in each layer."""
    if len(findings.layers) == 1:
        return PASS, f"There is one layer, {findings.used}."
    texts = []
    for layer in findings.layers:
        text = f"{layer.name}: {layer.values or 'unreadable'}"
        if layer.same_as:
            text += f", the same as {layer.same_as}"
        texts.append(text)
    message = f"The layer used is {findings.used}. All layers: {'; '.join(texts)}."
    tied = [each for each in findings.decisions if each.topic == "layer" and each.changes_numbers]
    for each in tied:
        message += f" {each.value} was assumed to be the right one: {each.evidence}; "
        message += f"{each.option} names another."
    broken = any(layer.values in (None, ValueKind.NOT_FINITE) for layer in findings.layers)
    return WARN if broken or tied else PASS, message


def check_raw(findings: Findings) -> tuple[str, str]:
    """Compare X with raw.X."""
    found = {layer.name: layer for layer in findings.layers}
    if not {"X", "raw.X"} <= found.keys():
        return NOT_MEASURED, "There is no raw.X beside X to compare it with."
    x, raw = found["X"], found["raw.X"]
    if (x.same_as or "X") == (raw.same_as or "raw.X"):
        return WARN, "X and raw.X hold the same values: X was not normalised, or raw.X is not raw."
    if raw.values is not ValueKind.COUNTS:
        return WARN, f"raw.X does not hold counts, but {raw.values or 'unreadable'} values."
    return PASS, "raw.X holds counts, X something else."


def check_zeros(findings: Findings) -> tuple[str, str]:
    """Look for zeros that are stored."""
    n = findings.sums.facts.n_explicit_zeros
    if n:
        return WARN, (
            "1 zero is stored as if it were a count; it counts as absent."
            if n == 1
            else f"{n:,} zeros are stored as if they were counts; they count as absent."
        )
    return PASS, "No zero is stored as if it were a count."


def check_ceiling(findings: Findings) -> tuple[str, str]:
    """Look for logarithms that are too large."""
    largest = findings.sums.facts.largest
    if _values_used(findings) is not ValueKind.LOG_NORMALISED:
        return NOT_MEASURED, "The values are not logarithms."
    stored = np.log1p(largest) / np.log(findings.log_base or np.e)
    if stored > LOG_CEILING:
        return FAIL, f"The largest value, {stored:,.1f}, is no logarithm of a count."
    return PASS, f"The largest value is {stored:,.1f}, as logarithms of counts are."


def check_assumptions(findings: Findings) -> tuple[str, str]:
    """Look for assumptions that change numbers."""
    found = assumptions(findings.decisions)
    if not found:
        return PASS, "No assumption was made that changes numbers."
    return WARN, " ".join(_capital(describe_assumption(each)) for each in found)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _values_used(findings: Findings) -> ValueKind:
    """Return the kind of the values in the used layer."""
    kinds: Mapping[str, ValueKind | None] = {layer.name: layer.values for layer in findings.layers}
    return kinds[findings.used] or ValueKind.COUNTS
