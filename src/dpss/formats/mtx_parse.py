"""The compiled loop over a MatrixMarket file's entries, and what it found.

It lets go of the interpreter's lock and touches nothing but the arrays that it is
handed. Tokens that it does not know (``nan``, ``inf``, 20 digits, ``12x``) it leaves
to the caller, with their places. Digits are read eight at a time, as in J. Keiser and
D. Lemire, "Parsing Gigabytes of JSON per Second" (VLDB Journal 28, 2019,
https://arxiv.org/abs/1902.08318), section 3.2.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compiled import compiled, part, primitive
from dpss.formats.mtx_numbers import round_decimal

PADDING = 8
"""Bytes that may be read behind the text."""

POSITION, N_ENTRIES, N_LINES, N_ODD, STATUS = range(5)
"""Places of the state, which goes from one call to the next: the next byte to read,
entries and lines so far, odd tokens so far, and why the loop stopped."""
N_STATE = 5

DONE, ODD, BLANK, NOT_INT32, NO_INDEX, OUTSIDE, TOO_FEW, TOO_MANY = range(8)
"""How a line, or the loop, ended. The loop stops at all but blank lines and odd
tokens for which there is room; ``POSITION`` is then within the bad line, or, for
``ODD``, at the next one."""

PATTERN, WHOLE, REAL = range(3)
"""What an entry's third field is: missing, an ``int32``, a ``float64``."""

ODD_BEGIN, ODD_ENTRY, ODD_LINE = range(3)
"""Columns of an odd token: its first byte, its entry and its line."""

_NEWLINE, _SPACE, _TAB, _RETURN = 10, 32, 9, 13
_PLUS, _MINUS, _POINT, _UPPER_E, _LOWER_E = 43, 45, 46, 69, 101
_MAX_DIGITS = 19
"""So many always fit into 64 bits."""
_MAX_INT32 = np.uint64((1 << 31) - 1)
_TENS = np.array([10**k for k in range(_MAX_DIGITS + 1)], dtype=np.uint64)


@primitive
def _word() -> Any:
    """Load the eight bytes at any address as one word, the first one lowest."""
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
def _byte() -> Any:
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


_inlined = part(forceinline=True)
# Helpers take addresses: an array handed to a function costs more than it does here.


@_inlined
def _read_up_to_8(p: Any) -> Any:
    """Return the number that the next (at most 8) digits make, and how many they are."""
    word = _word(p) ^ np.uint64(0x3030303030303030)
    # The highest bit of each byte that is no digit, up to the first of them.
    marks = (word + np.uint64(0x7676767676767676)) | word
    n = _count_trailing_zeros(marks & np.uint64(0x8080808080808080)) >> 3
    # Zeros in front of the digits (by two shifts: one of 64 is undefined), then
    # neighbours together: 2, 4, 8 digits.
    word = (word << np.uint64(32 - 4 * n)) << np.uint64(32 - 4 * n)
    word = word * np.uint64(10) + (word >> np.uint64(8))
    mask = np.uint64(0x000000FF000000FF)
    upper = (word & mask) * np.uint64(0x000F424000000064)
    lower = ((word >> np.uint64(16)) & mask) * np.uint64(0x0000271000000001)
    return (upper + lower) >> np.uint64(32), n


@_inlined
def _read_digits(p: Any) -> Any:
    """Return the number that the digits at ``p`` make, their number and the next place."""
    number, n = _read_up_to_8(p)
    n_digits = n
    p += n
    while n == 8:
        more, n = _read_up_to_8(p)
        number = number * _TENS[n] + more
        n_digits += n
        p += n
    return number, n_digits, p


@_inlined
def _skip_blanks(p: Any) -> Any:
    """Return the place of the next byte that is no blank: a newline is none."""
    while _byte(p) == _SPACE or _byte(p) == _TAB or _byte(p) == _RETURN:
        p += 1
    return p


@_inlined
def _read_index(p: Any) -> Any:
    """Return the index at ``p``, -1 if there is none, and the next place."""
    index, n, p = _read_digits(p)
    if n == 0:
        p = _skip_blanks(p)
        index, n, p = _read_digits(p)
    if n == 0:
        return np.int64(-1), p
    if n >= _MAX_DIGITS:
        return np.int64(0), p
    return np.int64(index), p


@_inlined
def _read_whole(p: Any) -> Any:
    """Return the whole number at ``p``, whether it is one of 32 bits, the next place."""
    negative = _byte(p) == _MINUS
    if negative:
        p += 1
    value, n, p = _read_digits(p)
    fits = 0 < n < _MAX_DIGITS and value <= _MAX_INT32
    return -np.int64(value) if negative else np.int64(value), fits, p


@part()
def _read_real(p: Any) -> Any:
    """Return the number at ``p`` (NaN: an odd one) and the next place."""
    negative = _byte(p) == _MINUS
    if negative or _byte(p) == _PLUS:
        p += 1
    digits, n, p = _read_digits(p)
    any_digits = n > 0
    if n < _MAX_DIGITS and digits == np.uint64(0):
        # A zero before the point is no significant digit.
        n = 0
    power = np.int64(0)
    if _byte(p) == _POINT:
        begin = p + 1
        more, n_more, p = _read_digits(begin)
        n += n_more
        power = -n_more
        any_digits |= n_more > 0
        if n <= _MAX_DIGITS:
            digits = digits * _TENS[n_more] + more
    if not any_digits or n > _MAX_DIGITS:
        return np.nan, p
    if _byte(p) == _LOWER_E or _byte(p) == _UPPER_E:
        p += 1
        down = _byte(p) == _MINUS
        if down or _byte(p) == _PLUS:
            p += 1
        exponent, n, p = _read_digits(p)
        if n == 0 or n > 4:
            return np.nan, p
        power += -np.int64(exponent) if down else np.int64(exponent)
    value = round_decimal(digits, power)
    return -value if negative else value, p


@_inlined
def _read_value(p: Any, kind: Any) -> Any:
    """Read the value at ``p``; return how that went, the next place, and the value, twice."""
    whole, real = np.int64(0), 0.0
    if _byte(p) == _NEWLINE:
        return TOO_FEW, p, whole, real
    if kind == WHOLE:
        whole, good, p = _read_whole(p)
        status = NOT_INT32
    else:
        real, p = _read_real(p)
        good = not np.isnan(real)
        status = ODD
    if good and _byte(p) <= _SPACE:
        return DONE, p, whole, real
    while _byte(p) > _SPACE:
        p += 1
    return status, p, whole, real


@_inlined
def _read_pair(p: Any) -> Any:
    """Read the two indices of the line at ``p``; return how that went, the next place, both."""
    j = np.int64(0)
    i, p = _read_index(p)
    if i < 0:
        return (BLANK if _byte(p) == _NEWLINE else NO_INDEX), p, i, j
    if _byte(p) != _SPACE and _byte(p) != _TAB:
        return (TOO_FEW if _byte(p) == _NEWLINE else NO_INDEX), p, i, j
    j, p = _read_index(p + 1)
    if j < 0 or _byte(p) > _SPACE:
        return (TOO_FEW if _byte(p) == _NEWLINE else NO_INDEX), p, i, j
    return DONE, p, i, j


@compiled
def parse_entries(
    text: Any, n_bytes: Any, shape: Any, kind: Any, pair: Any, values: Any, odd: Any, state: Any
) -> None:
    """Parse lines of ``first second value`` until the text ends or something is wrong.

    Args:
        text: ``uint8``; the byte before ``n_bytes`` is a newline, and `PADDING` bytes
            may be read behind it.
        n_bytes: How much of ``text`` there is to parse.
        shape: Two ``int64``: the largest first and second index.
        kind: ``PATTERN``, ``WHOLE`` or ``REAL``.
        pair: Two arrays of ``int32``, out: first and second indices, counted from 0.
        values: ``int32`` and ``float64``, out: one of them, by ``kind``.
        odd: ``int32``, shape ``(n, 3)``, out: tokens that the caller has to look at.
        state: ``int64``, shape ``(N_STATE,)``, in and out.
    """
    base = np.int64(text.ctypes.data)
    p, stop = base + state[POSITION], base + n_bytes
    n, n_lines, n_odd = state[N_ENTRIES], state[N_LINES], state[N_ODD]
    first, second = pair
    ints, reals = values
    n_first, n_second = shape
    status = DONE
    while p < stop and n_odd < len(odd):
        status, p, i, j = _read_pair(p)
        if status == DONE:
            if i < 1 or i > n_first or j < 1 or j > n_second:
                status = OUTSIDE
                break
            first[n] = i - 1
            second[n] = j - 1
            if _byte(p) != _NEWLINE:
                p = _skip_blanks(p)
            if kind != PATTERN:
                begin = p
                status, p, whole, real = _read_value(p, kind)
                if kind == WHOLE:
                    ints[n] = whole
                else:
                    reals[n] = real
                    if status == ODD:
                        odd[n_odd, ODD_BEGIN] = begin - base
                        odd[n_odd, ODD_ENTRY] = n
                        odd[n_odd, ODD_LINE] = n_lines
                        n_odd += 1
                        status = DONE
                if _byte(p) != _NEWLINE:
                    p = _skip_blanks(p)
            if status == DONE and _byte(p) != _NEWLINE:
                status = TOO_MANY
            n += status == DONE
        if status > BLANK:
            break
        p += 1
        n_lines += 1
        status = DONE
    state[POSITION], state[N_ENTRIES], state[N_LINES], state[N_ODD] = p - base, n, n_lines, n_odd
    state[STATUS] = status
