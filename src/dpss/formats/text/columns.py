"""Roles of the columns of a delimited table: annotation or counts.

A column is annotation only if its title or most of its fields are. A field that is no number in a
column of numbers is a fault of the file; the message names its line and column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from dpss.errors import CorruptMatrixError, NoMatrixError
from dpss.formats.annotation.axis_names import AxisKind, find_kind
from dpss.formats.annotation.feature_kinds import is_cell_annotation
from dpss.formats.text.cell_annotation import as_float, is_sum_of_cells
from dpss.formats.text.fields import (
    Rows,
    TableLayout,
    decimal_sign,
    describe_column,
    is_comma_number,
    is_number,
    numeric_columns,
)
from dpss.formats.text.outer_columns import find_outer_columns
from dpss.formats.text.titles import ANNOTATION, UNNAMED, is_count

_LIMIT_VALUE = re.compile(r"[<>≤≥~]\s*=?\s*\d.*")

_MIN_ROWS_OF_IDS = 10
_MISSING = ("NA", "NAN", "N/A", "NULL")
"""Fields that stand for no value, in capitals."""


def find_layout(
    rows: Rows, titles: Sequence[str] | None, separator: str, *, short: bool
) -> TableLayout:
    """Return the numbers of columns before, among and after the data.

    Args:
        rows: Lines of the table, without its header.
        titles: Fields of the header; ``None`` without one.
        separator: The character between two fields.
        short: Whether the header lacks the title of the first column.

    Raises:
        NoMatrixError: There are no columns of numbers, or text between them.
        CorruptMatrixError: A field among numbers is no number, or has ambiguous commas.
    """
    numeric = numeric_columns(rows.fields)
    n = len(numeric)
    n_lead = _count_lead(rows, numeric, titles, short=short)
    n_trail = 0
    if _is_blank(rows, n - 1, titles):
        n_trail = 1  # lines end with a separator
    while n_trail < n - n_lead and not numeric[n - 1 - n_trail]:
        _check_annotation(rows, n - 1 - n_trail, titles)
        n_trail += 1
    columns = range(n_lead, n - n_trail)
    _check_columns(rows, numeric, titles, columns)
    decimal = decimal_sign(rows, titles, columns, separator)
    if titles and is_sum_of_cells(rows, titles, columns, columns[-1], decimal):
        n_trail += 1
    elif titles and is_sum_of_cells(rows, titles, columns, n_lead, decimal):
        n_lead += 1
    before, after, doubtful = find_outer_columns(rows, titles, range(n_lead, n - n_trail), decimal)
    n_lead, n_trail = n_lead + before, n_trail + after
    return TableLayout(n_lead, n - n_lead - n_trail, n_trail, decimal, doubtful)


def _is_blank(rows: Rows, j: int, titles: Sequence[str] | None) -> bool:
    """Return whether a column has no title and no field."""
    return not (titles and titles[j]) and not any(row[j] for row in rows.fields)


def _count_lead(
    rows: Rows, numeric: Sequence[bool], titles: Sequence[str] | None, *, short: bool
) -> int:
    """Return the number of columns before the data."""
    j = 0
    while j < len(numeric):
        title = titles[j] if titles else None
        column = rows.column(j)
        numbered = j == 0 and len(column) > 2 and is_count(column) and column[0] in ("0", "1")
        if j == 0 and short:
            pass
        elif not numeric[j]:
            _check_annotation(rows, j, titles)
        elif title is None or j > 0:
            known = title and (
                ANNOTATION.fullmatch(title) is not None
                or (titles is not None and _is_before_text(j, numeric, titles))
            )
            if not known and not (numbered and title is None):
                break
        elif not (
            UNNAMED.fullmatch(title) or ANNOTATION.fullmatch(title) or _names_lines(rows, titles)
        ):
            break
        j += 1
    return j


def _names_lines(rows: Rows, titles: Sequence[str] | None) -> bool:
    """Return whether the numbers of the first column are ids of genes, with any title.

    They are whole, hardly any repeats, and either all other titles are those of cells, or the
    numbers grow, or they are larger than any count.
    """
    column = rows.column(0)
    whole = all(field.isascii() and field.isdigit() and len(field) < 16 for field in column)
    kind = find_kind(titles[1:]) if titles else AxisKind.UNKNOWN
    if not whole or 10 * len(set(column)) < 9 * len(column) or len(column) < _MIN_ROWS_OF_IDS:
        return False
    if kind is AxisKind.CELLS:
        return True
    ids = [int(field) for field in column]
    most = max((as_float(field, ".") for row in rows.fields for field in row[1:]), default=0.0)
    # In a table of cells × genes such a column is cell annotation.
    return kind is not AxisKind.GENES and (
        all(b > a for a, b in pairwise(ids)) or min(ids) > 10 * most
    )


def _is_before_text(j: int, numeric: Sequence[bool], titles: Sequence[str]) -> bool:
    """Return whether a column is cell annotation before a column of text."""
    while j < len(numeric) and numeric[j] and is_cell_annotation(titles[j]):
        j += 1
    return j < len(numeric) and not numeric[j] and any(numeric[j:])


def _check_annotation(rows: Rows, j: int, titles: Sequence[str] | None) -> None:
    """Check that a column with a field of text is annotation.

    Raises:
        CorruptMatrixError: Most of its fields are numbers; the message names the others' first.
    """
    title = titles[j] if titles else ""
    if titles and (ANNOTATION.fullmatch(title) or UNNAMED.fullmatch(title)):
        return
    column = rows.column(j)
    present = [each for each in column if each and each.upper() not in _MISSING]
    n_numbers = sum(is_number(field) or is_comma_number(field) for field in present)
    if 2 * n_numbers > len(present):
        raise _no_number_error(rows, j, titles)


def _no_number_error(rows: Rows, j: int, titles: Sequence[str] | None) -> CorruptMatrixError:
    column = rows.column(j)
    bad = next(
        i for i, field in enumerate(column) if not is_number(field) and not is_comma_number(field)
    )
    hint = (
        "; a value below a limit of detection is no count"
        if _LIMIT_VALUE.match(column[bad])
        else ""
    )
    return CorruptMatrixError(
        f"{rows.url}: line {rows.numbers[bad]:,}, {describe_column(j, titles)}: "
        f"{column[bad][:40]!r} is no number{hint}"
    )


def _check_columns(
    rows: Rows, numeric: Sequence[bool], titles: Sequence[str] | None, columns: range
) -> None:
    """Check that the columns of data are numbers.

    Raises:
        NoMatrixError: There are no numbers, or columns of text among them.
        CorruptMatrixError: A column of numbers has a field of text.
    """
    text = [j for j in columns if not numeric[j]]
    if columns and not text:
        return
    for j in text:
        if len(text) * 2 < len(columns):
            _check_annotation(rows, j, titles)
    shown = ", ".join(repr(title) for title in (titles or ())[:6] if title) or "text"
    if titles and len(titles) > 6:
        shown += ", …"
    raise NoMatrixError(f"{rows.url}: a table of {shown}, not a count matrix")
