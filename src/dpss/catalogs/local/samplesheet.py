"""Sample sheets: tables of samples with nf-core's column names.

A sheet is checked as a whole: one error lists all faults, each with its line and column.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dpss.errors import SettingsError, plural
from dpss.storage.names import safe_name
from dpss.storage.redaction import redact_url

MAX_BYTES = 1 << 24
"""Largest sheet that is read, in bytes."""
REQUIRED = ("sample", "path")
"""Columns that a sheet must have."""
OPTIONAL = ("expected_cells", "chemistry", "group")
"""Columns that a sheet may have; others are ignored."""
MOST_FAULTS = 10
"""Most faults that a message lists."""
LONGEST_TERM = 100
"""Most characters of a chemistry or a group."""
LONGEST_PATH = 4096
"""Most characters of a path; no file system has longer ones."""
ONE_LINE = "each sample has one line, with the matrix of all its lanes"
"""Advice for a sample or a matrix in several lines."""
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""First line that states the delimiter for Excel."""
_SHOWN, _LISTED = 60, 10
"""Most characters of a field, and most names, in a message."""


@dataclass(frozen=True)
class SheetFault:
    """A fault of a sample sheet."""

    line: int
    """Line of the file, from 1."""
    column: str
    """Name of the column; empty for the whole line."""
    message: str

    def __str__(self) -> str:
        """Return line, column and message."""
        column = f", column {self.column}" if self.column else ""
        return f"line {self.line}{column}: {self.message}"


def sheet_error(name: str, faults: Sequence[SheetFault]) -> SettingsError:
    """Return the error that lists the faults of a sheet, a line for each.

    Args:
        name: The sheet as the user gave it.
        faults: At least one.
    """
    ordered = sorted(faults, key=lambda fault: fault.line)
    lines = [f"{name}, {fault}" for fault in ordered[:MOST_FAULTS]]
    more = len(ordered) - MOST_FAULTS
    lines += [f"{name} has {more} more such faults"] if more > 0 else []
    return SettingsError("\n".join(lines))


@dataclass(frozen=True)
class SheetRow:
    """A sample of a sheet."""

    line: int
    """Line of the file, from 1."""
    sample: str
    path: str
    """Path or address of its matrix, as in the sheet."""
    expected_cells: int | None = None
    """Planned number of cells, at least 1; ``None`` if not stated."""
    chemistry: str = ""
    group: str = ""


@dataclass(frozen=True)
class SampleSheet:
    """The samples of a sheet, in its order."""

    rows: tuple[SheetRow, ...]
    ignored: tuple[str, ...] = ()
    """Names of the columns that are not used."""


def parse_sheet(data: bytes, name: str) -> tuple[SampleSheet, list[SheetFault]]:
    r"""Return the samples of a table, and the faults of its fields.

    The table has commas, tabs or semicolons.

    >>> sheet, faults = parse_sheet(b"sample,path,run\nS01,S01/outs,7\nS02,,7\n", "samples.csv")
    >>> [row.sample for row in sheet.rows], sheet.ignored, list(map(str, faults))
    (['S01', 'S02'], ('run',), ['line 3, column path: the path is missing'])

    Args:
        data: Content of the file, UTF-8.
        name: The sheet as the user gave it, for messages.

    Returns:
        The samples of all lines with as many fields as the header, and the faults. A field with a
        fault is as the sheet has it; a number with a fault is ``None``.

    Raises:
        SettingsError: The file is no sheet: the message says why.
    """
    text = _text_of(data, name)
    lines = ((i, fields) for i, fields in _records(text, name) if not _is_blank(fields))
    number, header = next(lines, (1, []))
    if not header:
        raise sheet_error(name, [SheetFault(1, "", "the sheet is empty")])
    columns = [" ".join(title.split()).lower() for title in header]
    faults = list(_faults_of_header(number, columns))
    if faults:
        raise sheet_error(name, faults)
    rows = [
        _row(line, columns, fields, faults) for line, fields in lines
        if _is_whole(line, columns, fields, faults)
    ]  # fmt: skip
    if not rows and not faults:
        faults.append(SheetFault(number + 1, "", "there is no sample below the header"))
    faults += _repeated(rows)
    known = {*REQUIRED, *OPTIONAL}
    ignored = tuple(each for each in columns if each and each not in known)
    return SampleSheet(tuple(rows), ignored), faults


def listed(names: Sequence[str]) -> str:
    """Return the first names of a list, and the number of the others.

    >>> listed(["a", "b"]), listed(list("abcdefghijklm"))
    ('a, b', 'a, b, c, d, e, f, g, h, i, j and 3 more')
    """
    first = ", ".join(_cut(name) for name in names[:_LISTED])
    more = len(names) - _LISTED
    return f"{first} and {more:,} more" if more > 0 else first


def shown(field: str) -> str:
    """Return a field in quotes for messages, shortened and without secrets."""
    return repr(_cut(redact_url(field)))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _text_of(data: bytes, name: str) -> str:
    """Return the text of a sheet; raise for UTF-16, such as Excel's "Unicode text"."""
    advice = "is not UTF-8 text; save it as CSV UTF-8"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise sheet_error(name, [SheetFault(line, "", advice)]) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise sheet_error(name, [SheetFault(line, "", advice)])
    return text


def _is_blank(fields: Sequence[str]) -> bool:
    """Return whether a line consists of delimiters and blanks."""
    return not any(field.strip(' \t,;\r\n"') for field in fields)


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line of each record, and the record's fields."""
    first = next((line for line in io.StringIO(text) if line.strip(' \t,;\r\n"')), "")
    stated = _SEPARATOR.fullmatch(first)
    delimiter = stated[1] if stated else max(",\t;", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for fields in reader:
            if stated and not _is_blank(fields):
                stated = None
            else:
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise sheet_error(
            name, [SheetFault(line, "", f"is no line of a table ({error})")]
        ) from error


def _faults_of_header(line: int, columns: Sequence[str]) -> Iterator[SheetFault]:
    there = listed([each for each in columns if each]) or "none"
    for wanted in REQUIRED:
        if wanted not in columns:
            advice = ""
            if wanted == "path" and any(each.startswith("fastq") for each in columns):
                advice = "; reads are no matrices: add the folder of each sample's pipeline"
            yield SheetFault(
                line, wanted, f"the column is missing; columns of the sheet: {there}{advice}"
            )
    for column, n_columns in Counter(columns).items():
        if column and n_columns > 1:
            yield SheetFault(line, _cut(column), "there are several columns of this name")


def _is_whole(
    line: int, columns: Sequence[str], fields: Sequence[str], faults: list[SheetFault]
) -> bool:
    if len(fields) == len(columns):
        return True
    faults.append(
        SheetFault(
            line, "", f"has {plural(len(fields), 'field')}, but the header has {len(columns)}"
        )
    )
    return False


def _row(
    line: int, columns: Sequence[str], fields: Sequence[str], faults: list[SheetFault]
) -> SheetRow:
    """Return a sample; add the faults of its line to ``faults``."""
    given = {column: field.strip() for column, field in zip(columns, fields, strict=True)}
    for column, check in _CHECKS.items():
        message = check(given.get(column, ""))
        if message:
            faults.append(SheetFault(line, column, message))
    expected = given.get("expected_cells", "")
    return SheetRow(
        line,
        given["sample"],
        given["path"],
        int(expected) if expected.isascii() and expected.isdigit() and len(expected) < 12 else None,
        given.get("chemistry", ""),
        given.get("group", ""),
    )


def _fault_of_sample(value: str) -> str:
    if not value:
        return "the name is missing"
    if value != safe_name(value):
        return (
            f"{shown(value)} can't be the name of a folder; use letters, digits and . _ + - only, "
            f"such as {safe_name(value)}"
        )
    return ""


def _fault_of_path(value: str) -> str:
    if not value:
        return "the path is missing"
    if any(unicodedata.category(each) in {"Cc", "Zl", "Zp"} for each in value):
        return f"{shown(value)} has a line break or another control character"
    return "" if len(value) <= LONGEST_PATH else f"has more than {LONGEST_PATH:,} characters"


def _fault_of_term(value: str) -> str:
    """Return the fault of a text that pages, logs and other programs show."""
    printable = all(each.isprintable() or unicodedata.category(each) == "Zs" for each in value)
    if printable and len(value) <= LONGEST_TERM:
        return ""
    return f"{shown(value)} is not one line of at most {LONGEST_TERM} printable characters"


def _fault_of_number(value: str) -> str:
    if not value or (value.isascii() and value.isdigit() and len(value) < 12 and int(value) > 0):
        return ""
    return f"{shown(value)} is no whole number of cells; write it as 5000, or leave it empty"


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "sample": _fault_of_sample,
    "path": _fault_of_path,
    "expected_cells": _fault_of_number,
    "chemistry": _fault_of_term,
    "group": _fault_of_term,
}
"""Functions that return the fault of a column's field; empty without a fault."""


def _repeated(rows: Sequence[SheetRow]) -> Iterator[SheetFault]:
    """Yield a fault for each sample and path that an earlier line has, too."""
    for column in REQUIRED:
        first: dict[str, int] = {}
        for row in rows:
            value = row.sample if column == "sample" else row.path
            # Some file systems ignore case.
            key = value.casefold() if column == "sample" else value
            if value and key in first:
                again = f"{shown(value)} is in line {first[key]}, too"
                yield SheetFault(row.line, column, f"{again}; {ONE_LINE}")
            first.setdefault(key, row.line)
