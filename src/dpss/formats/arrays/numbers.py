"""Conversion of decimal numbers to doubles in compiled loops, correctly rounded.

The algorithm is D. Lemire's "Number Parsing at a Gigabyte per Second" (Software:
Practice and Experience 51(8), 2021, https://arxiv.org/abs/2101.11408), with the proof
of N. Mushtak and D. Lemire, "Fast Number Parsing Without Fallback" (2023,
https://arxiv.org/abs/2212.06644), that 19 digits need no other way out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import part

FIRST_POWER = -90
LAST_POWER = 60
"""Powers of ten that are converted here; `float` converts others."""


def _make_powers() -> NDArray[np.uint64]:
    """Return the 128 leading bits of 5**q, shape ``(n_powers, 2)``, high word first."""
    words = []
    for q in range(FIRST_POWER, LAST_POWER + 1):
        power = 5 ** abs(q)
        if q < 0:
            n_bits = (power - 1).bit_length()
            shift = n_bits + 127 if q >= -27 else 2 * n_bits + 128
            value = (1 << shift) // power + 1
            value >>= max(0, value.bit_length() - 128)
        else:
            n_bits = power.bit_length()
            value = power << (128 - n_bits) if n_bits <= 128 else power >> (n_bits - 128)
        words.append((value >> 64, value & ((1 << 64) - 1)))
    return np.array(words, dtype=np.uint64)


_POWERS = _make_powers()
_TENS = np.array([10.0**i for i in range(23)])
_LOW32 = np.uint64(0xFFFFFFFF)
_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_TOP_BIT = np.uint64(1 << 63)
_EXACT = np.uint64(1 << 53)
_HIDDEN_BIT = np.uint64(1 << 52)
_ZERO, _ONE, _THREE = np.uint64(0), np.uint64(1), np.uint64(3)
_MASK = _ONES >> np.uint64(55)


@part()
def _multiply(a: Any, b: Any) -> Any:
    """Return the high and the low word of the product of two words."""
    s = np.uint64(32)
    a_low, a_high = a & _LOW32, a >> s
    b_low, b_high = b & _LOW32, b >> s
    low = a_low * b_low
    middle = a_high * b_low + (low >> s)
    other = a_low * b_high + (middle & _LOW32)
    return a_high * b_high + (middle >> s) + (other >> s), a * b


@part()
def round_decimal(digits: Any, power: Any) -> Any:
    """Return the double nearest to ``digits * 10**power``, ties to even.

    Args:
        digits: ``uint64``, all of whose decimal digits are significant.
        power: ``int64``.

    Returns:
        The double, or NaN where it is subnormal, infinite or out of the table.
    """
    if digits == _ZERO:
        return 0.0
    if digits <= _EXACT and -22 <= power <= 22:
        # Both factors are exact, so that IEEE rounds once (W. D. Clinger, 1990).
        if power < 0:
            return np.float64(digits) / _TENS[-power]
        return np.float64(digits) * _TENS[power]
    if power < FIRST_POWER or power > LAST_POWER:
        return np.nan
    n_leading = np.int64(0)
    while digits < _TOP_BIT:
        digits <<= _ONE
        n_leading += 1
    high, low = _multiply(digits, _POWERS[power - FIRST_POWER, 0])
    if high & _MASK == _MASK:
        more, _ = _multiply(digits, _POWERS[power - FIRST_POWER, 1])
        low += more
        if more > low:
            high += _ONE
    upper = high >> np.uint64(63)
    shift = upper + np.uint64(9)
    mantissa = high >> shift
    exponent = ((217706 * power) >> 16) + 63 + np.int64(upper) - n_leading + 1023
    between = low <= _ONE and -4 <= power <= 23
    if between and (mantissa & _THREE) == _ONE and (mantissa << shift) == high:
        # Exactly between two doubles: to the even one.
        mantissa &= ~_ONE
    mantissa += mantissa & _ONE
    mantissa >>= _ONE
    if mantissa >= _HIDDEN_BIT << _ONE:
        mantissa = _HIDDEN_BIT
        exponent += 1
    if exponent <= 0 or exponent >= 2047:
        return np.nan
    # The double with this mantissa and exponent, bit by bit (IEEE 754): it's a normal one.
    bits = (np.uint64(exponent) << np.uint64(52)) | (mantissa & (_HIDDEN_BIT - _ONE))
    return np.uint64(bits).view(np.float64)
