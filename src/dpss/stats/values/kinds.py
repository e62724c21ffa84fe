"""Kinds of values in a matrix: counts, normalised, log-normalised or scaled."""

from __future__ import annotations

from enum import StrEnum


class ValueKind(StrEnum):
    """Kind of the values of a layer."""

    COUNTS = "counts"
    """Whole numbers of at least 0."""
    EXPECTED_COUNTS = "expected counts"
    """Fractional counts, as RSEM or kallisto estimate them."""
    NORMALISED = "normalised"
    """Values with the same total in each cell, not log-transformed."""
    LOG_NORMALISED = "log-normalised"
    """log1p of normalised values."""
    ROOTS = "square roots"
    """Square roots of counts or rates, or vectors of equal length: nothing to count."""
    SHIFTED = "shifted"
    """No value is 0, and the smallest is frequent: a constant was added to all."""
    SCALED = "scaled"
    """Some values are negative: statistics of counts can't be computed."""
    TOO_LARGE = "too large"
    """Some finite values are larger than any count."""
    TOO_SMALL = "too small"
    """All values are too small for the precision of sums."""
    NOT_FINITE = "not finite"
    """Some values are NaN or infinite."""
