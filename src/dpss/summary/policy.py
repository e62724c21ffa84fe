"""Policies: limits of a matrix's numbers, read from a TOML file.

Each table of the file is a measure with some of ``warn_below``, ``fail_below``, ``warn_above`` and
``fail_above``; values equal to a limit pass. docs/reference/policy.md lists the measures.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from dpss.errors import SettingsError
from dpss.summary.status import FAIL, NOT_MEASURED, PASS, WARN

LARGEST = 1e300
"""Largest absolute value of a limit; TOML also has infinity, NaN and larger integers."""
DEFAULT = "default"
"""Name of the policy that is part of the program."""
NUMBERS = {
    "n_cells": "cells of the matrix",
    "n_cells_kept": "kept cells",
    "n_cells_estimated": "barcodes above the knee, of a matrix in which cells were not called",
    "n_genes": "genes of the matrix",
    "total_counts": "counts of all kept cells",
    "median_genes_per_cell": "median genes detected per cell",
    "median_counts_per_cell": "median counts per cell",
    "median_pct_counts_mt": "median percentage of mitochondrial counts",
    "median_pct_counts_ribo": "median percentage of ribosomal counts",
    "median_pct_counts_hb": "median percentage of haemoglobin counts",
    "median_pct_counts_in_top_50_genes": "median percentage of counts in a cell's top 50 genes",
    "median_complexity": "median of log10 of the genes over log10 of the counts",
}
"""Measures that are numbers in ``summary.json``, with their meaning."""
PERCENTAGES = {
    "pct_cells_above_20_pct_mt": "percentage of cells above 20 % mitochondrial counts",
    "pct_cells_within_all_limits": "percentage of cells that all suggested limits would keep",
}
COUNTS = {
    "n_failed_checks": "checks that failed",
    "n_warned_checks": "checks that ask for care",
}
MEASURES = NUMBERS | PERCENTAGES | COUNTS
"""All measures, with their meaning."""


@dataclass(frozen=True)
class Rule:
    """Limits of one measure; ``None`` for no limit."""

    measure: str
    warn_below: float | None = None
    fail_below: float | None = None
    warn_above: float | None = None
    fail_above: float | None = None


@dataclass(frozen=True)
class Policy:
    """Rules, in the order of the file."""

    rules: tuple[Rule, ...]

    def as_mapping(self) -> dict[str, dict[str, float]]:
        """Return the limits by measure, as in the TOML file."""
        return {
            rule.measure: {
                name: limit
                for name, limit in asdict(rule).items()
                if name != "measure" and limit is not None
            }
            for rule in self.rules
        }


@dataclass(frozen=True)
class Judgement:
    """The outcome of one rule."""

    measure: str
    value: float | None
    """Value of the measure; ``None`` if it is not measured."""
    status: str
    """``pass``, ``warn``, ``fail`` or ``not measured``."""
    limit: float | None
    """The limit that the value breaks; ``None`` if it breaks none."""

    @property
    def sentence(self) -> str:
        """Return the outcome in words.

        >>> Judgement("median_pct_counts_mt", 25.0, "fail", 20.0).sentence
        'median_pct_counts_mt is 25, beyond 20'
        """
        value = "not measured" if self.value is None else f"{self.value:,.6g}"
        beyond = "" if self.limit is None else f", beyond {self.limit:,.6g}"
        return f"{self.measure} is {value}{beyond}"


def read_policy(path: str) -> Policy:
    """Read a policy from a file, or by its name the one that is part of the program.

    Raises:
        SettingsError: There is no such file, or it is not a policy.
    """
    if path == DEFAULT:
        file = resources.files("dpss.summary").joinpath("policy.toml")
        return parse_policy(file.read_text("utf-8"))
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} can't be read: {error}") from error
    try:
        return parse_policy(text)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def parse_policy(text: str) -> Policy:
    r"""Return the policy that a TOML document describes.

    >>> parse_policy("[n_cells]\nfail_below = 10").rules[0].fail_below
    10.0

    Raises:
        SettingsError: The text is not TOML, or has an unknown measure or key, or a limit that is
            not a number.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"is no TOML: {error}") from error
    rules = []
    for measure, limits in document.items():
        if measure not in MEASURES:
            raise SettingsError(f"unknown measure {measure}; there is: {', '.join(MEASURES)}")
        rules.append(_parse_rule(measure, limits))
    if not rules:
        raise SettingsError("has no measure")
    return Policy(tuple(rules))


def _parse_rule(measure: str, limits: Any) -> Rule:
    known = {name for name in Rule.__dataclass_fields__ if name != "measure"}
    if not isinstance(limits, dict) or not limits:
        raise SettingsError(f"{measure} has no limits; there is: {', '.join(sorted(known))}")
    for name, limit in limits.items():
        if name not in known:
            raise SettingsError(
                f"{measure}.{name} is unknown; there is: {', '.join(sorted(known))}"
            )
        is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
        # No value is below NaN or above it: every matrix would pass.
        if not (is_number and -LARGEST <= limit <= LARGEST):
            raise SettingsError(
                f"{measure}.{name} is {str(limit)[:40]}; it must be a number, and finite"
            )
    return Rule(measure, **{name: float(limit) for name, limit in limits.items()})


def apply_policy(policy: Policy, document: Mapping[str, Any]) -> tuple[Judgement, ...]:
    """Return the outcome of each rule.

    Args:
        policy: The rules.
        document: Numbers, checks and thresholds of a matrix, as ``summary.json`` has them.
    """
    return tuple(_apply(rule, measure_of(rule.measure, document)) for rule in policy.rules)


def worst_status(judgements: Sequence[Judgement]) -> str:
    """Return the worst status; ``not measured`` is neither a pass nor a failure."""
    found = {each.status for each in judgements}
    return next((status for status in (FAIL, WARN, NOT_MEASURED) if status in found), PASS)


def describe_policy(judgements: Sequence[Judgement]) -> tuple[str, tuple[str, ...]]:
    """Return the worst status and sentences on the broken rules; empty without rules."""
    if not judgements:
        return "", ()
    broken = (
        f"{each.status}: {each.sentence}" for each in judgements if each.status in (FAIL, WARN)
    )
    return worst_status(judgements), tuple(broken)


def parse_judgements(document: Mapping[str, Any]) -> tuple[Judgement, ...]:
    """Return the outcomes of rules in a ``summary.json``; none from earlier versions."""
    return tuple(Judgement(**each) for each in document.get("policy", ()))


def measure_of(measure: str, document: Mapping[str, Any]) -> float | None:
    """Return the value of a measure; ``None`` if it is not measured."""
    if measure in COUNTS:
        status = FAIL if measure == "n_failed_checks" else WARN
        return float([check["status"] for check in document["checks"]].count(status))
    if measure in PERCENTAGES:
        return _percentage(measure, document)
    value: float | None = document.get(measure)
    return value


def _percentage(measure: str, document: Mapping[str, Any]) -> float | None:
    # Imported here, as settings import this module, and numpy takes long to import.
    from dpss.summary.limits import FAR_TOO_MITOCHONDRIAL

    n = document["n_cells_kept"]
    kept: dict[Any, float] = {
        (each["measure"], each["limit"]): 100 * each["n_cells_kept"] / n
        for each in (document["thresholds"] if n else ())
    }
    if measure == "pct_cells_within_all_limits":
        together: float | None = kept.get(("all together", None))
        return together
    below = kept.get(("pct_counts_mt", FAR_TOO_MITOCHONDRIAL))
    return None if below is None else 100 - below


def _apply(rule: Rule, value: float | None) -> Judgement:
    if value is None:
        return Judgement(rule.measure, None, NOT_MEASURED, None)
    for status, low, high in (
        (FAIL, rule.fail_below, rule.fail_above),
        (WARN, rule.warn_below, rule.warn_above),
    ):
        if low is not None and value < low:
            return Judgement(rule.measure, value, status, low)
        if high is not None and value > high:
            return Judgement(rule.measure, value, status, high)
    return Judgement(rule.measure, value, PASS, None)
