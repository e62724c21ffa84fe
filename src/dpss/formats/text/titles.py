"""Recognition of titles in the first line of a delimited table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from dpss.errors import CorruptMatrixError, plural
from dpss.formats.text.fields import is_comma_number, is_number

ANNOTATION = re.compile(
    r"chr(om(osome)?)?|(gene_?|tx_?|feature)?(start|end|length|width)|strand|(gene_?)?(bio)?type|"
    r"gene(_?(id|name|symbol|short_name))?s?|geneid|symbols?|(ensembl|entrez)(_?(gene))?_?(id)?|"
    r"accession|description|refseq|locus(_?tag)?|transcript_?ids?(\(s\))?|exon_?count|"
    r"gc(_?content)?|(ncbi|hgnc)(_?gene)?(_?id)?|probe_?(set)?s?(_?id)?s?|id_?ref|orf|target_?id|"
    r"barcodes?|cells?[ _]?(id|name|key|barcode|index|number|num|label)?s?|cellkey|"
    r"unnamed: ?\d+|index|row_?names?|",
    re.I,
)
"""Titles of columns that describe a gene or a cell instead of counting."""
UNNAMED = re.compile(r"|unnamed: ?\d+|index|row_?(names?|num(ber)?)|x|id|#", re.I)
"""Titles that programs give to a column of names or numbers of rows."""


def find_titles(
    first: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], url: str
) -> list[str] | None:
    """Return the titles of a table's columns; ``None`` if the first line is data.

    Titles may be numbers, such as Entrez ids. Then the line holds titles if the column of names has
    a title or an empty field in it, if its numbers are consecutive, or if they are whole, distinct
    and larger than all below.

    Args:
        first: Fields of the first line.
        rows: Fields of some lines after it.
        numeric: Whether all fields of each column of ``rows`` are numbers.
        url: The file's address, for messages.

    Raises:
        CorruptMatrixError: The line has another number of fields than the lines after it.
    """
    fields, n = list(first), len(numeric)
    if len(fields) == n + 1 and not fields[-1]:
        fields = fields[:-1]
    if len(fields) == n - 1:
        return fields
    if len(fields) != n:
        raise CorruptMatrixError(
            f"{url}: the first line has {plural(len(fields), 'field')}, the second {n:,}"
        )
    data = [value for value, is_data in zip(fields, numeric, strict=True) if is_data]
    if not data or not all(is_number(value) or is_comma_number(value) for value in data):
        return fields
    if _names_have_title(fields, rows, numeric) or (len(data) > 2 and is_count(data[1:])):
        return fields
    return fields if _are_larger_ids(data, rows, numeric) else None


def is_count(fields: Sequence[str]) -> bool:
    """Return whether fields are consecutive whole numbers."""
    if not all(field.isascii() and field.isdigit() and len(field) < 10 for field in fields):
        return False
    numbers = [int(field) for field in fields]
    return all(b == a + 1 for a, b in pairwise(numbers))


def _names_have_title(
    fields: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]
) -> bool:
    """Return whether a column of names begins with a title or an empty field."""
    data = [value for value, is_data in zip(fields, numeric, strict=True) if is_data]
    for j in (j for j, is_data in enumerate(numeric) if not is_data):
        if not fields[j] and all(row[j] for row in rows):
            return True
        named = ANNOTATION.fullmatch(fields[j]) or UNNAMED.fullmatch(fields[j])
        if fields[j] and named and len(set(data)) == len(data):
            return True
    return False


def _are_larger_ids(
    data: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]
) -> bool:
    """Return whether fields are distinct whole numbers, larger than all below."""
    whole = all(value.isascii() and value.isdigit() and len(value) < 16 for value in data)
    if not whole or len(data) < 3 or len(set(data)) < len(data):
        return False
    least = min(map(int, data))
    below = (row[j] for row in rows for j, is_data in enumerate(numeric) if is_data)
    return all(not _is_at_least(field, least) for field in below)


def _is_at_least(field: str, least: int) -> bool:
    """Return whether a field is a number not below a limit."""
    try:
        return float(field.replace(",", ".")) >= least
    except ValueError:
        return False
