"""Sample sheets: tables of samples with the paths of their matrices, with nf-core's column names.

A sheet is read as a whole: all faults are told together, each with its line and column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dpss.errors import SettingsError
from dpss.storage.names import safe_name
from dpss.storage.redaction import redact_url

MAX_BYTES = 1 << 24
"""Largest sheet that is read, in bytes."""
REQUIRED = ("sample", "path")
"""Columns that a sheet has."""
OPTIONAL = ("expected_cells", "chemistry", "group")
"""Columns that it may have; all others are not used."""
MOST_FAULTS = 10
"""Most faults that a message lists."""


@dataclass(frozen=True)
class SheetFault:
    """A fault of a sample sheet."""

    line: int
    """Line of the file, from 1."""
    column: str
    """Name of the column; empty for the whole line."""
    message: str

    def __str__(self) -> str:
        """Return place and message."""
        column = f", column {self.column}" if self.column else ""
        return f"line {self.line}{column}: {self.message}"


def sheet_error(name: str, faults: Sequence[SheetFault]) -> SettingsError:
    """Return the error of a sheet, which lists its faults, a line for each.

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
    """Path or address of its matrix, as the sheet has it."""
    expected_cells: int | None = None
    """Number of cells that was planned, at least 1; ``None`` where none is stated."""
    chemistry: str = ""
    group: str = ""


@dataclass(frozen=True)
class SampleSheet:
    """The samples of a sheet, in its order."""

    rows: tuple[SheetRow, ...]
    ignored: tuple[str, ...] = ()
    """Names of the columns that are not used."""


def parse_sheet(data: bytes, name: str) -> SampleSheet:
    r"""Return the samples of a table with commas, tabs or semicolons.

    >>> parse_sheet(b"sample,path,fastq_1\nS01,S01/outs,a.fq.gz\n", "samples.csv")
    ... # doctest: +NORMALIZE_WHITESPACE
    SampleSheet(rows=(SheetRow(line=2, sample='S01', path='S01/outs', expected_cells=None,
    chemistry='', group=''),), ignored=('fastq_1',))

    Args:
        data: Content of the file, UTF-8.
        name: The sheet as the user gave it, for messages.

    Raises:
        SettingsError: The sheet has faults; the message has a line for each.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise sheet_error(name, [SheetFault(line, "", "is not UTF-8 text")]) from error
    lines = ((i, fields) for i, fields in _records(text, name) if any(map(str.strip, fields)))
    number, header = next(lines, (1, []))
    if not header:
        raise sheet_error(name, [SheetFault(1, "", "the sheet is empty")])
    columns = [title.strip().lower() for title in header]
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
    if faults:
        raise sheet_error(name, faults)
    known = {*REQUIRED, *OPTIONAL}
    return SampleSheet(tuple(rows), tuple(each for each in columns if each and each not in known))


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line of each record, and its fields."""
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for fields in reader:
            yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise sheet_error(
            name, [SheetFault(line, "", f"is no line of a table ({error})")]
        ) from error


def _faults_of_header(line: int, columns: Sequence[str]) -> Iterator[SheetFault]:
    there = ", ".join(filter(None, columns)) or "none"
    for wanted in REQUIRED:
        if wanted not in columns:
            advice = ""
            if wanted == "path" and any(each.startswith("fastq") for each in columns):
                advice = "; reads are no matrices: add the folder of each sample's pipeline"
            yield SheetFault(
                line, wanted, f"the column is missing; columns of the sheet: {there}{advice}"
            )
    for column in dict.fromkeys(columns):
        if column and columns.count(column) > 1:
            yield SheetFault(line, column, "there are several columns of this name")


def _is_whole(
    line: int, columns: Sequence[str], fields: Sequence[str], faults: list[SheetFault]
) -> bool:
    if len(fields) == len(columns):
        return True
    faults.append(
        SheetFault(line, "", f"has {len(fields)} fields, but the header has {len(columns)}")
    )
    return False


def _row(
    line: int, columns: Sequence[str], fields: Sequence[str], faults: list[SheetFault]
) -> SheetRow:
    """Return a sample, and note the faults of its line."""
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
            f"{value!r} can't be the name of a folder; use letters, digits and . _ + - only, "
            f"such as {safe_name(value)}"
        )
    return ""


def _fault_of_path(value: str) -> str:
    return "" if value else "the path is missing"


def _fault_of_number(value: str) -> str:
    if not value or (value.isascii() and value.isdigit() and len(value) < 12 and int(value) > 0):
        return ""
    return f"{value!r} is no whole number of cells; write it as 5000, or leave it empty"


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "sample": _fault_of_sample,
    "path": _fault_of_path,
    "expected_cells": _fault_of_number,
}
"""Functions that return the fault of a column's field; an empty text for a good one."""


def _repeated(rows: Sequence[SheetRow]) -> Iterator[SheetFault]:
    """Yield the samples and paths that an earlier line has, too."""
    for column in REQUIRED:
        first: dict[str, int] = {}
        for row in rows:
            value = row.sample if column == "sample" else row.path
            # Not every file system keeps names apart that differ in upper and lower case.
            key = value.casefold() if column == "sample" else value
            if value and key in first:
                again = f"{redact_url(value)!r} is in line {first[key]}, too"
                advice = "each sample has one line, with the matrix of all its lanes"
                yield SheetFault(row.line, column, f"{again}; {advice}")
            first.setdefault(key, row.line)
