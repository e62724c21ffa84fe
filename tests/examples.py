"""How many examples Hypothesis draws for a test."""

from __future__ import annotations

from hypothesis import settings

QUICK, FULL = 10, 100
"""Of the profiles: that of ``make check``, and that of ``make test``."""


def examples(n: int) -> int:
    """Return ``n``, or as many as the profile in use has where that is the quick one."""
    most = settings().max_examples
    return n if most >= FULL else min(n, most)
