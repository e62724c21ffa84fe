"""A check: its question, its rule, the source of the rule, and its four outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dpss.summary.findings import Findings

N_NAMED = 5
"""Examples that a sentence names at most."""


@dataclass(frozen=True)
class CheckKind:
    """A check: its question, its rule with the source, and its function."""

    name: str
    question: str
    """Question that the check answers about a matrix."""
    rule: str
    """Rule by which a matrix does not pass."""
    source: str
    """Source of the rule."""
    check: Callable[[Findings], tuple[str, str]]
    """Returns status and sentences; the first sentence can stand alone."""
    figure: str = ""
    """Slug of the figure that shows the checked property; empty if none does."""


def listed(items: Sequence[str]) -> str:
    """Join words as a sentence does.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)
