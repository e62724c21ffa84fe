"""Parsing of numbers in text, for compiled loops.

Digits are read eight at a time, as in J. Keiser and D. Lemire, "Parsing Gigabytes of JSON
per Second" (VLDB Journal 28, 2019, https://arxiv.org/abs/1902.08318), section 3.2.3. Functions take
the address of the text, as passing an array would be slower.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import part, primitive
from dpss.formats.arrays.numbers import round_decimal

PADDING = 8
"""Bytes after the text that may be read."""
MAX_DIGITS = 19
"""Most digits that always fit into 64 bits."""

_PLUS, _MINUS, _POINT, _UPPER_E, _LOWER_E = 43, 45, 46, 69, 101
_MAX_INT32 = np.uint64((1 << 31) - 1)
_TENS = np.array([10**k for k in range(MAX_DIGITS + 1)], dtype=np.uint64)


@primitive
def load_word() -> Any:
    """Load the eight bytes at any address as one word, little-endian."""
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import types
    from numba.extending import intrinsic

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    @intrinsic
    def word(typing_context: Any, address: Any) -> Any:
        return types.uint64(types.int64), generate

    return word


@primitive
def load_byte() -> Any:
    """Load the byte at an address."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        return builder.load(pointer)

    @intrinsic
    def byte(typing_context: Any, address: Any) -> Any:
        return types.uint8(types.int64), generate

    return byte


@primitive
def _count_trailing_zeros() -> Any:
    """Return the number of zero bits below the lowest set one; 64 for 0."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    @intrinsic
    def count_trailing_zeros(typing_context: Any, word: Any) -> Any:
        return types.int64(types.uint64), generate

    return count_trailing_zeros


inlined = part(forceinline=True)
"""Decorator for a part that is inlined into its callers."""


@inlined
def _read_up_to_8(p: Any) -> Any:
    """Return the number of the next (at most 8) digits, and how many digits there are."""
    word = load_word(p) ^ np.uint64(0x3030303030303030)
    # The highest bit of each byte that is not a digit, up to the first such byte.
    marks = (word + np.uint64(0x7676767676767676)) | word
    n = _count_trailing_zeros(marks & np.uint64(0x8080808080808080)) >> 3
    # Zeros in front of the digits (by two shifts, as one of 64 bits is undefined), then neighbours
    # are joined: 2, 4, 8 digits.
    word = (word << np.uint64(32 - 4 * n)) << np.uint64(32 - 4 * n)
    word = word * np.uint64(10) + (word >> np.uint64(8))
    mask = np.uint64(0x000000FF000000FF)
    upper = (word & mask) * np.uint64(0x000F424000000064)
    lower = ((word >> np.uint64(16)) & mask) * np.uint64(0x0000271000000001)
    return (upper + lower) >> np.uint64(32), n


@inlined
def read_digits(p: Any) -> Any:
    """Return the number at ``p``, its number of digits, and the next address."""
    number, n = _read_up_to_8(p)
    n_digits = n
    p += n
    while n == 8:
        more, n = _read_up_to_8(p)
        number = number * _TENS[n] + more
        n_digits += n
        p += n
    return number, n_digits, p


@inlined
def read_whole(p: Any) -> Any:
    """Return the whole number at ``p``, whether it fits 32 bits, the next address."""
    negative = load_byte(p) == _MINUS
    if negative:
        p += 1
    value, n, p = read_digits(p)
    fits = 0 < n < MAX_DIGITS and value <= _MAX_INT32
    return -np.int64(value) if negative else np.int64(value), fits, p


@part()
def read_real(p: Any) -> Any:
    """Return the number at ``p`` (NaN if `float` must parse it), the next address."""
    negative = load_byte(p) == _MINUS
    if negative or load_byte(p) == _PLUS:
        p += 1
    digits, n, p = read_digits(p)
    any_digits = n > 0
    if n < MAX_DIGITS and digits == np.uint64(0):
        # A zero before the point is not a significant digit.
        n = 0
    power = np.int64(0)
    if load_byte(p) == _POINT:
        begin = p + 1
        more, n_more, p = read_digits(begin)
        n += n_more
        power = -n_more
        any_digits |= n_more > 0
        if n <= MAX_DIGITS:
            digits = digits * _TENS[n_more] + more
    if not any_digits or n > MAX_DIGITS:
        return np.nan, p
    if load_byte(p) == _LOWER_E or load_byte(p) == _UPPER_E:
        p += 1
        down = load_byte(p) == _MINUS
        if down or load_byte(p) == _PLUS:
            p += 1
        exponent, n, p = read_digits(p)
        if n == 0 or n > 4:
            return np.nan, p
        power += -np.int64(exponent) if down else np.int64(exponent)
    value = round_decimal(digits, power)
    return -value if negative else value, p
