"""Numbers in fields of a table: decimal signs, separators of thousands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dpss.errors import CorruptMatrixError, plural

_NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|na|n/a|null|[+-]?inf(inity)?|", re.I
)
_COMMA_NUMBER = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_POINTED_GROUPS = re.compile(r"[1-9]\d{0,2}(\.\d{3})+")
_MIN_GROUPED = 3
"""Least number of fields such as 1.234, without other decimals, that make points ambiguous."""


@dataclass(frozen=True)
class Rows:
    """Lines of a table, cut into fields."""

    fields: Sequence[Sequence[str]]
    """Fields of each line."""
    numbers: Sequence[int]
    """Number of each line in the file, from 1."""
    url: str
    """Address of the file, for messages."""

    def column(self, j: int) -> list[str]:
        """Return the fields of a column."""
        return [row[j] for row in self.fields]


@dataclass(frozen=True)
class TableLayout:
    """Numbers of columns before, among and after the data."""

    n_lead: int
    n_columns: int
    n_trail: int
    decimal: str
    """The decimal sign, ``.`` or ``,``."""
    doubtful: bool = False
    """Whether a column is no data only because its title differs from all others."""


def is_number(field: str) -> bool:
    """Return whether a field is a number with a decimal point, or a missing value."""
    return _NUMBER.fullmatch(field) is not None


def is_comma_number(field: str) -> bool:
    """Return whether a field is a number with commas, decimal or of thousands."""
    return _COMMA_NUMBER.fullmatch(field) is not None or _GROUPED.fullmatch(field) is not None


def number_fraction(rows: Sequence[Sequence[str]], *, commas: bool) -> float:
    """Return the fraction of numbers among the fields after the first of each line.

    Args:
        rows: Lines, cut into fields.
        commas: Whether numbers may have commas.
    """
    fields = [field for row in rows for field in row[1:2000]]
    found = sum(is_number(field) or (commas and is_comma_number(field)) for field in fields)
    return found / len(fields) if fields else 0.0


def numeric_columns(rows: Sequence[Sequence[str]]) -> list[bool]:
    """Return whether all fields of each column are numbers, decimal commas included."""
    return [_is_numeric([row[j] for row in rows]) for j in range(len(rows[0]))]


def _is_numeric(column: Sequence[str]) -> bool:
    # Counts are digits as a rule: one test of all of them is fast.
    digits = "".join(column)
    return (digits.isascii() and digits.isdigit()) or all(
        is_number(field) or is_comma_number(field) for field in column
    )


def describe_column(j: int, titles: Sequence[str] | None) -> str:
    """Return a column's number and title, for messages.

    Args:
        j: The column, from 0.
        titles: Titles of the columns; ``None`` without a header.
    """
    named = f" ({titles[j][:60]!r})" if titles and j < len(titles) and titles[j] else ""
    return f"column {j + 1:,}{named}"


def decimal_sign(rows: Rows, titles: Sequence[str] | None, columns: range, separator: str) -> str:
    """Return the decimal sign of the data.

    Args:
        rows: Lines of the table, without its header.
        titles: Titles of all columns; ``None`` without a header.
        columns: The columns of data.
        separator: The character between two fields.

    Raises:
        CorruptMatrixError: Commas may be decimal signs or separate thousands.
    """
    found = list(_fields_with(",", rows, columns))
    if not found:
        _check_points(rows, titles, columns)
        return "."
    decimal = [each for each in found if not _GROUPED.fullmatch(each[2])]
    points = any("." in row[j] for row in rows.fields for j in columns)
    if decimal and not points and separator != ",":
        return ","
    i, j, field = (decimal or found)[0]
    where = f"{rows.url}: line {rows.numbers[i]:,}, {describe_column(j, titles)}"
    if decimal and points:
        why = "other fields have a decimal point; write all numbers with a decimal point"
    elif decimal:
        why = "a decimal comma between commas; write numbers with a decimal point"
    else:
        why = (
            "the comma may be a decimal sign or stand between thousands; write numbers without "
            "separators "
            "between thousands and with a decimal point"
        )
    raise CorruptMatrixError(f"{where}: {field[:40]!r} is no number: {why}")


def _fields_with(sign: str, rows: Rows, columns: range) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and text of each data field that contains a sign."""
    for i, row in enumerate(rows.fields):
        if sign in "".join(row):
            yield from ((i, j, field) for j in columns if sign in (field := row[j]))


def _check_points(rows: Rows, titles: Sequence[str] | None, columns: range) -> None:
    """Check that points are decimal signs.

    Raises:
        CorruptMatrixError: All of several fields with a point are like 1.234.
    """
    found = []
    for each in _fields_with(".", rows, columns):
        if not _POINTED_GROUPS.fullmatch(each[2]):
            return
        found.append(each)
    if len(found) < _MIN_GROUPED:
        return
    i, j, field = found[0]
    raise CorruptMatrixError(
        f"{rows.url}: line {rows.numbers[i]:,}, {describe_column(j, titles)}: {field[:40]!r} "
        "may be a whole number with points between thousands, as may all "
        f"{plural(len(found), 'field')} with a point; write numbers without separators "
        "between thousands"
    )
