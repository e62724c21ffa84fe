"""Numbers as text for readers: one format for figures, pages and sentences."""

from __future__ import annotations

import math

_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


def number(value: float | None) -> str:
    """Return a number as text: whole if large, three digits if small.

    >>> number(1234567), number(4994.5), number(2.0), number(0.012345), number(None)
    ('1,234,567', '4,995', '2', '0.0123', '–')
    >>> number(0.0001), number(0.0000123), number(999.5)
    ('0.0001', '1.2e-5', '1,000')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if isinstance(value, int) or value == int(value) or abs(value) >= 999.5:
        # Halves are rounded up; Python's own rounding would round them to even.
        return f"{math.floor(value + 0.5):,}"
    if abs(value) < 1e-4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:.3g}"


def percent(value: float | None) -> str:
    r"""Return a percentage with a narrow no-break space before its sign.

    >>> percent(3.14159).replace("\u202f", " "), percent(None)
    ('3.1 %', '–')
    """
    if value is None:
        return "–"
    if 0 < value < 0.005:
        return f"<\N{THIN SPACE}0.01{_NARROW_SPACE}%"
    digits = 0 if value in (0, 100) else 2 if value < 1 or value > 99 else 1
    return f"{value:.{digits}f}{_NARROW_SPACE}%"


def proportion(value: float, other: float) -> str:
    """Return the ratio of two numbers in words: a percentage below 1, else a factor.

    50 % and 2 times are only used for exact ratios, as they are limits of checks.

    >>> proportion(480, 5000).replace("\u202f", " "), proportion(12000, 5000), proportion(1234, 1)
    ('9.6 % of', '2.4 times', '1,234 times')
    >>> proportion(2499, 5000).replace("\u202f", " "), proportion(10001, 5000)
    ('49.98 % of', '2.0002 times')

    Args:
        value: A number, at least 0.
        other: The number that it is compared with, above 0.
    """
    ratio = value / other
    if ratio < 1:
        text = percent(100 * ratio)
        if text == percent(50.0):
            text = f"{_distinct_from(100 * ratio, 50)}{_NARROW_SPACE}%"
        return f"{text} of"
    if ratio >= 10:
        return f"{math.floor(ratio + 0.5):,} times"
    return f"{_distinct_from(ratio, 2)} times"


def _distinct_from(value: float, limit: float) -> str:
    """Return a number with two digits, or as many as make it differ from a limit."""
    texts = (f"{value:.{digits}g}" for digits in range(2, 17))
    return next((text for text in texts if value == limit or float(text) != limit), f"{limit}")
