"""Fixed-point numbers: log-normalised values as integers, and their arithmetic.

Sums of integers do not depend on the order of the cells. The functions use additions,
multiplications, divisions and square roots only, whose results IEEE 754 defines to the last
bit, so that every processor and C library gives the same integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import part, primitive

VALUE_BITS = 14
UNIT = 1 << VALUE_BITS
"""A log-normalised value of 1 in fixed point."""
TARGET_SUM = 1e4
"""Counts per cell after normalisation."""
N_LOGARITHMS = 32
"""Counts below this have their logarithm computed once per cell."""

_MANTISSA_BITS = 52
_BIAS = 1023
_MANTISSA_MASK = (1 << _MANTISSA_BITS) - 1
_ONE = _BIAS << _MANTISSA_BITS
_SQRT_2 = 1.4142135623730951
_LN_2 = 0.6931471805599453
_HALVINGS = 10
_SHRINK = 2.0**-_HALVINGS
_NEGLIGIBLE = 40.0


@primitive
def divide() -> Any:
    """Return the quotient of two doubles; infinity or NaN for a zero divisor."""
    from numba import types
    from numba.extending import intrinsic

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fdiv(*arguments)

    @intrinsic
    def quotient(typing_context: Any, dividend: Any, divisor: Any) -> Any:
        return types.float64(types.float64, types.float64), generate

    return quotient


@part(inline="always")
def log1p_fixed(x: Any) -> Any:
    """Return ln(1 + x) for x >= 0 in fixed point, rounded to the nearest unit.

    With 1 + x = m 2^e and t = (m - 1) / (m + 1), ln m = 2 (t + t^3 / 3 + t^5 / 5 + ...).
    """
    bits = np.float64(1.0 + x).view(np.int64)
    exponent = (bits >> _MANTISSA_BITS) - _BIAS
    m = np.int64((bits & _MANTISSA_MASK) | _ONE).view(np.float64)
    if m > _SQRT_2:
        m *= 0.5
        exponent += 1
    t = divide(m - 1.0, m + 1.0)
    s = t * t
    series = 1 / 9 + s * (1 / 11 + s * (1 / 13))
    series = 1.0 + s * (1 / 3 + s * (1 / 5 + s * (1 / 7 + s * series)))
    return np.int64((exponent * _LN_2 + 2.0 * t * series) * UNIT + 0.5)


@part(inline="always")
def exp_of_negative(x: Any) -> Any:
    """Return exp(-x) for x of at least 0, with a relative error below 1e-10.

    The series of exp(-x / 1024), squared ten times.
    """
    if x >= _NEGLIGIBLE:
        return 0.0
    t = x * _SHRINK
    value = 1.0 - t * (1.0 - t * (0.5 - t * (1 / 6 - t * (1 / 24 - t * (1 / 120 - t * (1 / 720))))))
    for _ in range(_HALVINGS):
        value *= value
    return value
