"""What each column of a delimited table is: annotation, counts, or a fact about the cell.

A column is annotation only if its title or most of its fields say so. A column of numbers
with a field that is no number is a fault of the file, which is named with its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, NoMatrixError
from dpss.formats.annotation.feature_kinds import is_cell_annotation

_NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|na|n/a|null|[+-]?inf(inity)?|", re.I
)
_COMMA_NUMBER = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_LIMIT_VALUE = re.compile(r"[<>≤≥~]\s*=?\s*\d.*")

_ANNOTATION = re.compile(
    r"chr(om(osome)?)?|(gene_?|tx_?|feature)?(start|end|length|width)|strand|(gene_?)?(bio)?type|"
    r"gene(_?(id|name|symbol|short_name))?s?|geneid|symbols?|(ensembl|entrez)(_?(gene))?_?(id)?|"
    r"accession|description|refseq|locus|transcript_?ids?(\(s\))?|exon_?count|gc(_?content)?|"
    r"barcodes?|cells?[ _]?(id|name|key|barcode|index|number|num|label)?s?|cellkey|"
    r"unnamed: ?\d+|index|row_?names?|",
    re.I,
)
"""Titles of columns that describe a gene or a cell instead of counting."""
_UNNAMED = re.compile(r"|unnamed: ?\d+|index|row_?(names?|num(ber)?)|x|id|#", re.I)

_MIN_ROWS = 5
_MIN_ROWS_OF_IDS = 10
_MAX_SUMMED = 200_000
"""Most fields that are compared with the sums of their lines."""


@dataclass(frozen=True)
class Rows:
    """Lines of a table after its header, cut into fields."""

    fields: Sequence[Sequence[str]]
    """All of the same length."""
    numbers: Sequence[int]
    """Number of each line in the file, from 1."""
    url: str
    """Address of the file, for messages."""

    def column(self, j: int) -> list[str]:
        """Return the fields of a column."""
        return [row[j] for row in self.fields]


@dataclass(frozen=True)
class Layout:
    """How many columns stand before, among and after the data."""

    n_lead: int
    n_columns: int
    n_trail: int
    decimal: str
    """The decimal sign, ``.`` or ``,``."""


def is_number(field: str) -> bool:
    """Return whether a field is a number with a decimal point, or stands for a missing one."""
    return _NUMBER.fullmatch(field) is not None


def is_comma_number(field: str) -> bool:
    """Return whether a field is a number with a comma: a decimal one or one between thousands."""
    return _COMMA_NUMBER.fullmatch(field) is not None or _GROUPED.fullmatch(field) is not None


def number_share(rows: Sequence[Sequence[str]], *, commas: bool) -> float:
    """Return the share of fields after the first of each line that are numbers, 0 to 1.

    Args:
        rows: Lines, cut into fields.
        commas: Whether numbers may have commas.
    """
    fields = [field for row in rows for field in row[1:2000]]
    found = sum(is_number(field) or (commas and is_comma_number(field)) for field in fields)
    return found / len(fields) if fields else 0.0


def numeric_columns(rows: Sequence[Sequence[str]]) -> list[bool]:
    """Return whether all fields of each column are numbers, decimal commas included."""
    return [
        all(is_number(row[j]) or is_comma_number(row[j]) for row in rows)
        for j in range(len(rows[0]))
    ]


def find_layout(rows: Rows, titles: Sequence[str] | None, separator: str, *, short: bool) -> Layout:
    """Tell annotation from data.

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
    while n_trail < n - n_lead and not numeric[n - 1 - n_trail]:
        _check_annotation(rows, n - 1 - n_trail, titles)
        n_trail += 1
    n_columns = n - n_lead - n_trail
    _check_columns(rows, numeric, titles, range(n_lead, n_lead + n_columns))
    decimal = _decimal_sign(rows, titles, range(n_lead, n_lead + n_columns), separator)
    return Layout(n_lead, n_columns, n_trail, decimal)


def is_count(fields: Sequence[str]) -> bool:
    """Return whether fields are whole numbers, each one more than the one before."""
    if not all(field.isascii() and field.isdigit() and len(field) < 10 for field in fields):
        return False
    numbers = [int(field) for field in fields]
    return all(b == a + 1 for a, b in pairwise(numbers))


def find_cell_annotation(
    rows: Rows, titles: Sequence[str] | None, layout: Layout
) -> dict[int, str]:
    """Find data columns of a table of cells × genes that are facts about the cells.

    They are told by their titles, and by their values: ids that grow from line to line or
    are all larger than any count; the sum of the line; its number of values above 0.

    Returns:
        The data column of each, from 0, and what it is.
    """
    n = layout.n_columns
    names = titles[layout.n_lead : layout.n_lead + n] if titles else [""] * n
    found = {
        j: "a fact about cells by its title"
        for j, name in enumerate(names)
        if is_cell_annotation(name)
    }
    n_rows = min(len(rows.fields), max(1, _MAX_SUMMED // max(1, n)))
    if n_rows < _MIN_ROWS or n < 3:
        return found
    values = _values(rows.fields[:n_rows], layout)
    found |= {j: why for j, why in _find_ids(values).items() if j not in found}
    found |= _find_totals(values, found)
    return found


def _values(rows: Sequence[Sequence[str]], layout: Layout) -> NDArray[np.float64]:
    """Return the data fields as numbers, shape ``(n_rows, n_columns)``; missing ones are 0."""
    data = slice(layout.n_lead, layout.n_lead + layout.n_columns)
    return np.array([[_as_float(field, layout.decimal) for field in row[data]] for row in rows])


def _as_float(field: str, decimal: str) -> float:
    try:
        value = float(field.replace(",", ".") if decimal == "," else field)
    except ValueError:
        return 0.0
    return value if np.isfinite(value) else 0.0


def _find_ids(values: NDArray[np.float64]) -> dict[int, str]:
    """Find columns of ids: whole numbers that grow, or that no count is as large as."""
    n_rows, n_columns = values.shape
    if n_rows < _MIN_ROWS_OF_IDS:
        return {}
    grows = (np.diff(values, axis=0) > 0).all(axis=0) & (values == np.rint(values)).all(axis=0)
    found = {int(j): "whole numbers that grow from line to line" for j in np.flatnonzero(grows)}
    first = values[:, 0]
    rest = np.delete(values, [0, *found], axis=1)
    distinct = len(np.unique(first)) == n_rows and bool((first == np.rint(first)).all())
    if (
        0 not in found
        and distinct
        and n_columns > 2
        and rest.size
        and first.min() > 10 * rest.max()
    ):
        found[0] = "whole numbers, each another one, larger than any count"
    return found


def _find_totals(values: NDArray[np.float64], known: Mapping[int, str]) -> dict[int, str]:
    """Find columns that are the sum of their lines, or the number of values above 0."""
    found: dict[int, str] = {}
    for _ in range(3):
        rest = [j for j in range(values.shape[1]) if j not in known and j not in found]
        counts = values[:, rest]
        total, n_found = counts.sum(axis=1, keepdims=True), (counts > 0).sum(axis=1, keepdims=True)
        varies = counts.min(axis=0) != counts.max(axis=0)
        others = total - counts
        sums = varies & (np.abs(counts - others) <= 1e-6 * np.maximum(1, others)).all(axis=0)
        # The sum itself may stand among the values that were counted.
        numbers = [counts == n_found - 1 - k for k in range(2)]
        n_others = varies & (numbers[0].all(axis=0) | numbers[1].all(axis=0))
        n_others &= n_found.min() > 3
        new = {rest[i]: "the sum of the other columns" for i in np.flatnonzero(sums)}
        new |= {
            rest[i]: "the number of the other columns above 0" for i in np.flatnonzero(n_others)
        }
        if not new:
            break
        found |= {int(j): why for j, why in new.items()}
    return found


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
            known = title and _ANNOTATION.fullmatch(title) is not None
            if not known and not (numbered and title is None):
                break
        elif not (_UNNAMED.fullmatch(title) or _ANNOTATION.fullmatch(title)):
            break
        j += 1
    return j


def _check_annotation(rows: Rows, j: int, titles: Sequence[str] | None) -> None:
    """Refuse a column that is no annotation: most of its fields are numbers.

    Raises:
        CorruptMatrixError: It has a field that is no number; it is named with its place.
    """
    title = titles[j] if titles else ""
    if titles and (_ANNOTATION.fullmatch(title) or _UNNAMED.fullmatch(title)):
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


def describe_column(j: int, titles: Sequence[str] | None) -> str:
    """Return a column's number and title, for messages.

    Args:
        j: The column, from 0.
        titles: Titles of the columns; ``None`` without a header.
    """
    named = f" ({titles[j][:60]!r})" if titles and j < len(titles) and titles[j] else ""
    return f"column {j + 1:,}{named}"


def _decimal_sign(rows: Rows, titles: Sequence[str] | None, columns: range, separator: str) -> str:
    """Return the decimal sign of the data.

    Raises:
        CorruptMatrixError: Commas that may stand between thousands or for a decimal point.
    """
    found = [
        (i, j, field)
        for i, row in enumerate(rows.fields)
        for j in columns
        if "," in (field := row[j])
    ]
    if not found:
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
            "separators between thousands and with a decimal point"
        )
    raise CorruptMatrixError(f"{where}: {field[:40]!r} is no number: {why}")


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
