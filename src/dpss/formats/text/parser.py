"""The compiled loop over the lines of a dense table, and its state.

It runs without the interpreter's lock. Fields that it does not know (``NA``, ``inf``, 20
digits) it leaves to the caller, with their places. Most fields are zeros: four of them
are skipped at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
from dpss.formats.arrays.digits import load_byte, load_word, read_real

POSITION, N_VALUES, N_LINES, N_ODD, STATUS = range(5)
"""Places of the state: the next byte to read, values, lines and odd fields so far, and
why the loop stopped. A line in which it stopped is not among those."""
N_STATE = 5

DONE, ODD_IS_FULL, TOO_FEW, TOO_MANY = range(4)
"""Why the loop stopped."""

SEPARATOR, N_LEAD, N_COLUMNS, N_TRAIL = range(4)
"""Places of the dialect: the separator's byte, fields before the data, data fields, and
fields after them."""

ODD_BEGIN, ODD_END, ODD_VALUE = range(3)
"""Columns of an odd field: its bytes, and the value that it is."""

_NEWLINE, _RETURN, _SPACE, _QUOTE, _ZERO = 10, 13, 32, 34, 48


@part()
def _skip_field(p: Any, separator: Any) -> Any:
    """Return the place of the separator or line end after the field at ``p``."""
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
    """Return the place after a separator; blanks count as one however many."""
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
    """Return the number in the field at ``p`` (NaN: an odd one) and the field's end."""
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
    """Return the place after some fields and their separators, 0 if the line ends before."""
    for _ in range(n_fields):
        p = _skip_field(p, separator)
        if load_byte(p) == _NEWLINE:
            return np.int64(0)
        p = _skip_separator(p, separator)
    return p


@part()
def _repeat_zeros(separator: Any) -> Any:
    """Return the word that four fields of 0 make."""
    word = np.uint64(0)
    for k in range(4):
        word |= np.uint64(_ZERO) << np.uint64(16 * k)
        word |= np.uint64(separator) << np.uint64(16 * k + 8)
    return word


@part()
def _parse_fields(p: Any, base: Any, shape: Any, out: Any, n: Any, odd: Any, n_odd: Any) -> Any:
    """Parse a line's data; return status, place after it, values, odd fields."""
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
                if n_odd == len(odd):
                    return ODD_IS_FULL, p, n, n_odd
                odd[n_odd, ODD_BEGIN], odd[n_odd, ODD_END] = begin - base, p - base
                odd[n_odd, ODD_VALUE] = n
                n_odd += 1
        if value != 0:
            columns[n], values[n] = column, value
            n += 1
        column += 1
        if column == n_columns:
            return DONE, p, n, n_odd
        if load_byte(p) != separator:
            return TOO_FEW, p, n, n_odd
        p = _skip_separator(p, separator)


@part()
def _finish_line(p: Any, n_trail: Any, separator: Any) -> Any:
    """Return why a line doesn't end as it should after its data, and the next one's place."""
    if n_trail > 0:
        if load_byte(p) != separator:
            return TOO_FEW, p
        p = _skip_fields(_skip_separator(p, separator), n_trail - 1, separator)
        if p == 0:
            return TOO_FEW, p
        p = _skip_field(p, separator)
    if load_byte(p) == separator:
        # One separator too many at the end of each line is nothing.
        p = _skip_separator(p, separator)
    if not _is_end(p):
        return TOO_MANY, p
    return DONE, _skip_field(p, _NEWLINE) + 1


@compiled
def parse_lines(
    text: Any, n_bytes: Any, dialect: Any, starts: Any, out: Any, odd: Any, state: Any
) -> None:
    """Parse whole lines until the text ends or something is wrong.

    Args:
        text: ``uint8``; the byte before ``n_bytes`` is a newline, and
            `dpss.formats.mtx.parser.PADDING` bytes follow.
        n_bytes: How much of ``text`` there is to parse.
        dialect: ``int64``, shape ``(4,)``.
        starts: ``int64``, out: where each line's values begin, one more at the end.
        out: Two arrays: ``int32``, the data column of each value that is not zero;
            ``float64``, the values.
        odd: ``int64``, shape ``(n, 3)``, out: fields that the caller has to look at; with
            room for a whole line.
        state: ``int64``, shape ``(N_STATE,)``, in and out.
    """
    separator, n_lead = dialect[SEPARATOR], dialect[N_LEAD]
    shape = (separator, dialect[N_COLUMNS], _repeat_zeros(separator))
    base = text.ctypes.data
    p, end = base + state[POSITION], base + n_bytes
    n, n_lines, n_odd, status = state[N_VALUES], state[N_LINES], state[N_ODD], DONE
    while p < end:
        if _is_end(p):
            p = _skip_field(p, _NEWLINE) + 1
            continue
        field = _skip_separator(p - 1, separator) if separator == _SPACE else p
        field = _skip_fields(field, n_lead, separator)
        if field == 0:
            status = TOO_FEW
            break
        status, field, n_new, n_new_odd = _parse_fields(field, base, shape, out, n, odd, n_odd)
        if status == DONE:
            status, field = _finish_line(field, dialect[N_TRAIL], separator)
        if status != DONE:
            break
        p, n, n_odd = field, n_new, n_new_odd
        n_lines += 1
        starts[n_lines] = n
    state[POSITION], state[N_VALUES], state[N_LINES] = p - base, n, n_lines
    state[N_ODD], state[STATUS] = n_odd, status
