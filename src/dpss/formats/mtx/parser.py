"""The compiled loop over a MatrixMarket file's entries, and its state.

It runs without the interpreter's lock and accesses only the arrays passed to it. It defers tokens
that it can't parse (``nan``, ``inf``, 20 digits, ``12x``) to the caller, with their positions.
`dpss.formats.arrays.digits` reads digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled
from dpss.formats.arrays.digits import (
    MAX_DIGITS,
    inlined,
    load_byte,
    read_digits,
    read_real,
    read_whole,
)

POSITION, N_ENTRIES, N_LINES, N_DEFERRED, STATUS = range(5)
"""Indices of the state, which goes from one call to the next: the next byte to read, entries, lines
and deferred tokens so far, and why the loop stopped."""
N_STATE = 5

DONE, DEFERRED, BLANK, NOT_INT32, NO_INDEX, OUTSIDE, TOO_FEW, TOO_MANY = range(8)
"""How a line, or the loop, ended. The loop stops at all but blank lines and deferred tokens for
which there is room; ``POSITION`` is then within the bad line, or, for ``DEFERRED``, at the next
one."""

PATTERN, WHOLE, REAL = range(3)
"""Type of an entry's third field: missing, ``int32``, ``float64``."""

DEFERRED_BEGIN, DEFERRED_ENTRY, DEFERRED_LINE = range(3)
"""Columns of a deferred token: its first byte, its entry and its line."""

_NEWLINE, _SPACE, _TAB, _RETURN = 10, 32, 9, 13


@inlined
def _skip_blanks(p: Any) -> Any:
    """Return the address of the next byte that is no blank; a newline is no blank."""
    while load_byte(p) == _SPACE or load_byte(p) == _TAB or load_byte(p) == _RETURN:
        p += 1
    return p


@inlined
def _read_index(p: Any) -> Any:
    """Return the index at ``p``, -1 if there is none, and the next address."""
    index, n, p = read_digits(p)
    if n == 0:
        p = _skip_blanks(p)
        index, n, p = read_digits(p)
    if n == 0:
        return np.int64(-1), p
    if n >= MAX_DIGITS:
        return np.int64(0), p
    return np.int64(index), p


@inlined
def _read_value(p: Any, kind: Any) -> Any:
    """Return status, next address, and the value at ``p``, whole and real."""
    whole, real = np.int64(0), 0.0
    if load_byte(p) == _NEWLINE:
        return TOO_FEW, p, whole, real
    if kind == WHOLE:
        whole, good, p = read_whole(p)
        status = NOT_INT32
    else:
        real, p = read_real(p)
        good = not np.isnan(real)
        status = DEFERRED
    if good and load_byte(p) <= _SPACE:
        return DONE, p, whole, real
    while load_byte(p) > _SPACE:
        p += 1
    return status, p, whole, real


@inlined
def _read_pair(p: Any) -> Any:
    """Return status, next address, and the two indices of the line at ``p``."""
    j = np.int64(0)
    i, p = _read_index(p)
    if i < 0:
        return (BLANK if load_byte(p) == _NEWLINE else NO_INDEX), p, i, j
    if load_byte(p) != _SPACE and load_byte(p) != _TAB:
        return (TOO_FEW if load_byte(p) == _NEWLINE else NO_INDEX), p, i, j
    j, p = _read_index(p + 1)
    if j < 0 or load_byte(p) > _SPACE:
        return (TOO_FEW if load_byte(p) == _NEWLINE else NO_INDEX), p, i, j
    return DONE, p, i, j


@compiled
def parse_entries(
    text: Any,
    n_bytes: Any,
    shape: Any,
    kind: Any,
    pair: Any,
    values: Any,
    deferred: Any,
    state: Any,
) -> None:
    """Parse lines of ``first second value`` up to the first bad one.

    Args:
        text: ``uint8``; the byte before ``n_bytes`` is a newline, and `PADDING` bytes
            may be read after it.
        n_bytes: Number of bytes of ``text`` to parse.
        shape: Two ``int64``: the largest first and second index.
        kind: ``PATTERN``, ``WHOLE`` or ``REAL``.
        pair: Two arrays of ``int32``, out: first and second indices, counted from 0.
        values: ``int32`` and ``float64``, out: one of them, by ``kind``.
        deferred: ``int32``, shape ``(n, 3)``, out: tokens for the caller.
        state: ``int64``, shape ``(N_STATE,)``, in and out.
    """
    base = np.int64(text.ctypes.data)
    p, stop = base + state[POSITION], base + n_bytes
    n, n_lines, n_deferred = state[N_ENTRIES], state[N_LINES], state[N_DEFERRED]
    first, second = pair
    ints, reals = values
    n_first, n_second = shape
    status = DONE
    while p < stop and n_deferred < len(deferred):
        status, p, i, j = _read_pair(p)
        if status == DONE:
            if i < 1 or i > n_first or j < 1 or j > n_second:
                status = OUTSIDE
                break
            first[n] = i - 1
            second[n] = j - 1
            if load_byte(p) != _NEWLINE:
                p = _skip_blanks(p)
            if kind != PATTERN:
                begin = p
                status, p, whole, real = _read_value(p, kind)
                if kind == WHOLE:
                    ints[n] = whole
                else:
                    reals[n] = real
                    if status == DEFERRED:
                        deferred[n_deferred, DEFERRED_BEGIN] = begin - base
                        deferred[n_deferred, DEFERRED_ENTRY] = n
                        deferred[n_deferred, DEFERRED_LINE] = n_lines
                        n_deferred += 1
                        status = DONE
                if load_byte(p) != _NEWLINE:
                    p = _skip_blanks(p)
            if status == DONE and load_byte(p) != _NEWLINE:
                status = TOO_MANY
            n += status == DONE
        if status > BLANK:
            break
        p += 1
        n_lines += 1
        status = DONE
    state[POSITION], state[N_ENTRIES], state[N_LINES] = p - base, n, n_lines
    state[N_DEFERRED], state[STATUS] = n_deferred, status
