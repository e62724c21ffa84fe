"""The compiled loop over the lines of a dense table, and its state.

It runs without the interpreter's lock. It defers fields that it can't parse (``NA``, ``inf``, 20
digits) to the caller, with their positions. Most fields are zeros; it skips four
at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
from dpss.formats.arrays.digits import load_byte, load_word, read_real

POSITION, N_VALUES, N_LINES, N_DEFERRED, STATUS = range(5)
"""Indices of the state: the next byte to read, values, lines and deferred fields so far, and why
the loop stopped. The line in which it stopped is not counted."""
N_STATE = 5

DONE, DEFERRED_IS_FULL, TOO_FEW, TOO_MANY = range(4)
"""Why the loop stopped."""

SEPARATOR, N_LEAD, N_COLUMNS, N_TRAIL = range(4)
"""Indices of the dialect: the separator's byte, fields before the data, data fields, and fields
after them."""

DEFERRED_BEGIN, DEFERRED_END, DEFERRED_VALUE = range(3)
"""Columns of a deferred field: its first byte, the byte after it, and the index of its value."""

_NEWLINE, _RETURN, _SPACE, _QUOTE, _ZERO = 10, 13, 32, 34, 48


@part()
def _skip_field(p: Any, separator: Any) -> Any:
    """Return the address of the separator or line end after the field at ``p``."""
    if load_byte(p) == _QUOTE:
        p += 1
        while load_byte(p) != _NEWLINE:
            if load_byte(p) == _QUOTE:
                p += 1
                if load_byte(p) != _QUOTE:
                    break
            p += 1
    while load_byte(p) != separator and load_byte(p) != _NEWLINE:
        p += 1
    return p


@part()
def _skip_separator(p: Any, separator: Any) -> Any:
    """Return the address after a separator; several blanks are one."""
    p += 1
    if separator == _SPACE:
        while load_byte(p) == _SPACE:
            p += 1
    return p


@part()
def _is_end(p: Any) -> Any:
    """Return whether the line ends at ``p``."""
    return load_byte(p) == _NEWLINE or (load_byte(p) == _RETURN and load_byte(p + 1) == _NEWLINE)


@part()
def _read_field(p: Any, separator: Any) -> Any:
    """Return the number in the field at ``p`` (NaN to defer it) and the field's end."""
    begin = p
    while load_byte(p) == _SPACE and separator != _SPACE:
        p += 1
    quoted = load_byte(p) == _QUOTE
    if quoted:
        p += 1
    value, p = read_real(p)
    if quoted:
        if load_byte(p) != _QUOTE:
            value = np.nan
        p += 1
    while load_byte(p) == _SPACE and separator != _SPACE:
        p += 1
    if np.isnan(value) or not (load_byte(p) == separator or _is_end(p)):
        return np.nan, _skip_field(begin, separator)
    return value, p


@part()
def _skip_fields(p: Any, n_fields: Any, separator: Any) -> Any:
    """Return the address after some fields and separators; 0 if the line ends before."""
    for _ in range(n_fields):
        p = _skip_field(p, separator)
        if load_byte(p) == _NEWLINE:
            return np.int64(0)
        p = _skip_separator(p, separator)
    return p


@part()
def _repeat_zeros(separator: Any) -> Any:
    """Return the eight bytes of four fields of 0."""
    word = np.uint64(0)
    for k in range(4):
        word |= np.uint64(_ZERO) << np.uint64(16 * k)
        word |= np.uint64(separator) << np.uint64(16 * k + 8)
    return word


@part()
def _parse_fields(
    p: Any, base: Any, shape: Any, out: Any, n: Any, deferred: Any, n_deferred: Any
) -> Any:
    """Parse a line's data; return status, place after it, values, deferred fields."""
    separator, n_columns, zeros = shape
    columns, values = out
    column = 0
    while True:
        while column + 4 < n_columns and load_word(p) == zeros:
            p += 8
            column += 4
        digit = np.int64(load_byte(p)) - _ZERO
        if 0 <= digit <= 9 and load_byte(p + 1) == separator:
            value = np.float64(digit)
            p += 1
        else:
            begin = p
            value, p = _read_field(p, separator)
            if np.isnan(value):
                if n_deferred == len(deferred):
                    return DEFERRED_IS_FULL, p, n, n_deferred
                deferred[n_deferred, DEFERRED_BEGIN], deferred[n_deferred, DEFERRED_END] = (
                    begin - base,
                    p - base,
                )
                deferred[n_deferred, DEFERRED_VALUE] = n
                n_deferred += 1
        if value != 0:
            columns[n], values[n] = column, value
            n += 1
        column += 1
        if column == n_columns:
            return DONE, p, n, n_deferred
        if load_byte(p) != separator:
            return TOO_FEW, p, n, n_deferred
        p = _skip_separator(p, separator)


@part()
def _finish_line(p: Any, n_trail: Any, separator: Any) -> Any:
    """Return the status of a line after its data, and the address of the next line."""
    if n_trail > 0:
        if load_byte(p) != separator:
            return TOO_FEW, p
        p = _skip_fields(_skip_separator(p, separator), n_trail - 1, separator)
        if p == 0:
            return TOO_FEW, p
        p = _skip_field(p, separator)
    if load_byte(p) == separator:
        # One separator at the end of a line is ignored.
        p = _skip_separator(p, separator)
    if not _is_end(p):
        return TOO_MANY, p
    return DONE, _skip_field(p, _NEWLINE) + 1


@compiled
def parse_lines(
    text: Any, n_bytes: Any, dialect: Any, starts: Any, out: Any, deferred: Any, state: Any
) -> None:
    """Parse whole lines up to the text's end or the first bad line.

    Args:
        text: ``uint8``; the byte before ``n_bytes`` is a newline, and
            `dpss.formats.arrays.digits.PADDING` bytes follow.
        n_bytes: Number of bytes of ``text`` to parse.
        dialect: ``int64``, shape ``(4,)``.
        starts: ``int64``, out: start of each line's values, and the end of the last.
        out: Two arrays: ``int32``, the data column of each value that is not zero;
            ``float64``, the values.
        deferred: ``int64``, shape ``(n, 3)``, out: fields for the caller; with room for a
            whole line.
        state: ``int64``, shape ``(N_STATE,)``, in and out.
    """
    separator, n_lead = dialect[SEPARATOR], dialect[N_LEAD]
    shape = (separator, dialect[N_COLUMNS], _repeat_zeros(separator))
    base = text.ctypes.data
    p, end = base + state[POSITION], base + n_bytes
    n, n_lines, n_deferred, status = state[N_VALUES], state[N_LINES], state[N_DEFERRED], DONE
    while p < end:
        if _is_end(p):
            p = _skip_field(p, _NEWLINE) + 1
            continue
        field = _skip_separator(p - 1, separator) if separator == _SPACE else p
        field = _skip_fields(field, n_lead, separator)
        if field == 0:
            status = TOO_FEW
            break
        status, field, n_new, n_more = _parse_fields(
            field, base, shape, out, n, deferred, n_deferred
        )
        if status == DONE:
            status, field = _finish_line(field, dialect[N_TRAIL], separator)
        if status != DONE:
            break
        p, n, n_deferred = field, n_new, n_more
        n_lines += 1
        starts[n_lines] = n
    state[POSITION], state[N_VALUES], state[N_LINES] = p - base, n, n_lines
    state[N_DEFERRED], state[STATUS] = n_deferred, status
