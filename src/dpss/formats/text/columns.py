"""Role of each column of a delimited table: annotation, counts, or a measure of the cell.

A column is annotation only if its title or most of its fields say so. A column of numbers
with a field that is no number is a fault of the file, which is named with its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from dpss.errors import CorruptMatrixError, NoMatrixError
from dpss.formats.annotation.axis_names import AxisKind, find_kind
from dpss.formats.annotation.feature_kinds import is_cell_annotation
from dpss.formats.text.cell_annotation import as_float, is_sum_of_cells
from dpss.formats.text.ends import find_ends
from dpss.formats.text.fields import (
    Rows,
    TableLayout,
    decimal_sign,
    describe_column,
    is_comma_number,
    is_number,
    numeric_columns,
)
from dpss.formats.text.titles import ANNOTATION, UNNAMED, is_count

_LIMIT_VALUE = re.compile(r"[<>≤≥~]\s*=?\s*\d.*")

_MIN_ROWS_OF_IDS = 10


def find_layout(
    rows: Rows, titles: Sequence[str] | None, separator: str, *, short: bool
) -> TableLayout:
    """Return the ranges of columns that are annotation and data.

    Args:
        rows: Lines of the table, without its header.
        titles: Fields of the header; ``None`` without one.
        separator: The character between two fields.
        short: Whether the header lacks the title of the first column.

    Raises:
        NoMatrixError: There are no columns of numbers, or text between them.
        CorruptMatrixError: A field among numbers is none, or its commas can't be understood.
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
    before, after, doubtful = find_ends(rows, titles, range(n_lead, n - n_trail), decimal)
    n_lead, n_trail = n_lead + before, n_trail + after
    return TableLayout(n_lead, n - n_lead - n_trail, n_trail, decimal, doubtful)


def _is_blank(rows: Rows, j: int, titles: Sequence[str] | None) -> bool:
    """Return whether a column has no title and no field."""
    return not (titles and titles[j]) and not any(row[j] for row in rows.fields)


def _count_lead(
    rows: Rows, numeric: Sequence[bool], titles: Sequence[str] | None, *, short: bool
) -> int:
    """Return how many columns stand before the data."""
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
    """Return whether the numbers of the first column are ids of genes, whatever its title.

    They are whole, hardly one comes twice, and either all other titles are those of cells, as no
    cell has another count of each gene, or they grow, or they are larger than any count.
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
    # Of a table of cells × genes such a column is left out as a fact about cells.
    return kind is not AxisKind.GENES and (
        all(b > a for a, b in pairwise(ids)) or min(ids) > 10 * most
    )


def _is_before_text(j: int, numeric: Sequence[bool], titles: Sequence[str]) -> bool:
    """Return whether a column is one of some facts about cells before a column of text."""
    while j < len(numeric) and numeric[j] and is_cell_annotation(titles[j]):
        j += 1
    return j < len(numeric) and not numeric[j] and any(numeric[j:])


def _check_annotation(rows: Rows, j: int, titles: Sequence[str] | None) -> None:
    """Refuse a column that is no annotation: most of its fields are numbers.

    Raises:
        CorruptMatrixError: A field is not a number; the message names its place.
    """
    title = titles[j] if titles else ""
    if titles and (ANNOTATION.fullmatch(title) or UNNAMED.fullmatch(title)):
        return
    column = rows.column(j)
    # A missing value says nothing about what the column is.
    told = [field for field in column if field and not _is_missing(field)]
    n_numbers = sum(is_number(field) or is_comma_number(field) for field in told)
    if 2 * n_numbers > len(told):
        raise _no_number(rows, j, titles)


def _is_missing(field: str) -> bool:
    return field.upper() in ("NA", "NAN", "N/A", "NULL")


def _no_number(rows: Rows, j: int, titles: Sequence[str] | None) -> CorruptMatrixError:
    """Return the error for a column of numbers with a field that is none."""
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
    """Refuse a table that is not one of counts.

    Raises:
        NoMatrixError: There are no numbers, or columns of text among them.
        CorruptMatrixError: A column of numbers has a field that is none.
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
