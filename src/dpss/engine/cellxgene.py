"""Facts of a file that follows CELLxGENE's schema: version, terms, primary data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import zip_longest
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dpss.engine.cell_labels import MAX_MESSAGE, one_line
from dpss.errors import ColumnError, FetchError, MatrixError, plural
from dpss.formats.base import CategoricalTable, CellTable, DatasetFacts, Matrix
from dpss.formats.faults import reader_faults
from dpss.model import Certainty, Decision
from dpss.storage.redaction import redact_text
from dpss.summary.cellxgene import (
    CHECK,
    N_LISTED,
    PRIMARY,
    SUFFIX,
    TERM_FIELDS,
    FieldTerms,
    OntologyTerm,
    SchemaReport,
    SchemaStatement,
    judge_schema,
    missing_fields,
    required_columns,
    state_schema,
)
from dpss.summary.record import Check

T = TypeVar("T")

MAX_TERMS = 1 << 16
"""Most distinct values of a column that are counted."""
_FACTS = ("schema_version", "schema_reference", "title", "organism", f"organism{SUFFIX}")
_IDENTIFIER = re.compile(r"[A-Za-z]+[:_][A-Za-z0-9]+")
"""Form of a term's identifier, such as ``CL:0000066`` or ``CVCL_1P02``."""
Codes = NDArray[np.int64]
Values = tuple[str | None, ...]


@dataclass(frozen=True)
class SchemaReading:
    """Statements of a file about CELLxGENE's schema, before its cells are read."""

    statement: SchemaStatement
    columns: tuple[str, ...]
    """Columns of the cells."""
    facts: dict[str, str]
    """Texts of the whole data set by name."""
    faults: list[str] = field(default_factory=list)
    """Sentences on parts that can't be read."""

    @property
    def decision(self) -> Decision:
        """The decision that the file follows the schema."""
        stated = self.statement.reference or self.statement.version
        certainty = Certainty.STATED if stated else Certainty.TOLD_BY_CONTENT
        return Decision("schema", self.statement.title, self.statement.evidence, certainty)


def read_schema(matrix: Matrix) -> SchemaReading | None:
    """Return a file's statements on the schema; ``None`` if it does not follow it.

    Args:
        matrix: The opened matrix; no value of a cell is read.

    Raises:
        FetchError: The bytes can't be read, which is not a fault of the file.
    """
    cells, facts = matrix.cells, matrix.facts
    if cells is None or facts is None:
        return None
    faults: list[str] = []
    columns = _attempt(cells.columns, "obs", faults) or []
    texts = {name: _text(facts, name, faults) for name in _FACTS[:2]}
    if texts["schema_reference"]:
        texts["schema_reference"] = redact_text(texts["schema_reference"])
    statement = state_schema(texts["schema_version"], texts["schema_reference"], columns)
    if statement is None:
        return None
    texts |= {name: _text(facts, name, faults) for name in _FACTS[2:]}
    found = {name: text for name, text in texts.items() if text}
    return SchemaReading(statement, tuple(columns), found, faults)


def with_schema(
    reading: SchemaReading, cells: CellTable, n_cells: int
) -> tuple[SchemaReport, tuple[Check, ...]]:
    """Return the file's facts on its cells, and the check of required fields.

    Categories are read once and codes in parts, so that the memory does not depend on the number
    of cells.

    Args:
        reading: Result of `read_schema`.
        cells: The table of the cells.
        n_cells: Number of cells of the matrix.

    Raises:
        FetchError: The bytes can't be read, which is not a fault of the file.
    """
    faults, facts = list(reading.faults), reading.facts
    report = SchemaReport(
        schema_version=reading.statement.version,
        schema_reference=reading.statement.reference,
        title=facts.get("title"),
        n_primary_data=None,
        pct_primary_data=None,
        n_primary_missing=None,
        terms=(),
        missing_fields=missing_fields(reading.statement, reading.columns, facts),
    )
    required = [each for each in required_columns(reading.statement) if each in reading.columns]
    empty: dict[str, int] = {}
    terms = []
    for name in TERM_FIELDS:
        columns = [each for each in (f"{name}{SUFFIX}", name) if each in reading.columns]
        counts = partial(_count, cells, columns, n_cells)
        if columns:
            found = _attempt(counts, f"obs/{columns[0]}", faults)
            terms.append(_of_counts(name, found))
            if columns[0] in required:
                empty[columns[0]] = _without_first(found or {})
        else:
            terms.append(_of_facts(name, facts, n_cells))
    report = replace(report, terms=tuple(each for each in terms if each is not None))
    if PRIMARY in reading.columns and PRIMARY not in required:
        required.append(PRIMARY)
    for column in required:
        if column not in empty:
            found = _attempt(partial(_count, cells, [column], n_cells), f"obs/{column}", faults)
            empty[column] = _without_first(found or {})
            if column == PRIMARY and found is not None:
                # Any other value, such as the <NA> of pandas, counts as missing.
                n_by_value = {yes: found.get((str(yes),), 0) for yes in (True, False)}
                empty[column] = n_cells - sum(n_by_value.values())
                report = _with_primary(report, n_by_value, n_cells)
    checks = [Check(CHECK, *judge_schema(reading.statement, report, empty))]
    checks += [Check(CHECK, "warn", one_line(each, MAX_MESSAGE)) for each in faults]
    return report, tuple(checks)


def _count(cells: CellTable, columns: Sequence[str], n_cells: int) -> dict[Values, int]:
    """Return the number of cells of each combination of one or two columns' values.

    Args:
        cells: The table of the cells.
        columns: One or two columns.
        n_cells: Number of cells of the matrix.

    Raises:
        ColumnError: A column is damaged, of another length, or has too many distinct values.
    """
    names: list[list[str | None]] = [[] for _ in columns]
    counts: dict[int, int] = {}
    n_read = 0
    streams = [_iter_codes(cells, *each) for each in zip(columns, names, strict=True)]
    for parts in zip_longest(*streams):
        if any(part is None or len(part) != len(parts[0]) for part in parts):
            raise ColumnError(f"{' and '.join(columns)} differ in length")
        keys = np.zeros(len(parts[0]), dtype=np.int64)
        for part in parts:
            keys = keys * (MAX_TERMS + 1) + part + 1
        for key, n in _count_keys(keys):
            counts[key] = counts.get(key, 0) + n
        if len(counts) > MAX_TERMS:
            raise ColumnError(f"it has more than {MAX_TERMS:,} distinct values")
        n_read += len(keys)
    if n_read != n_cells:
        raise ColumnError(f"it has {plural(n_read, 'value')} for {plural(n_cells, 'cell')}")
    found: dict[Values, int] = {}
    for key, n in counts.items():
        codes = divmod(key, MAX_TERMS + 1) if len(columns) == 2 else (key,)
        values = tuple(
            known[code - 1] if code else None for known, code in zip(names, codes, strict=True)
        )
        found[values] = found.get(values, 0) + n
    return found


def _iter_codes(cells: CellTable, column: str, names: list[str | None]) -> Iterator[Codes]:
    """Yield a code for each cell in parts, -1 where the value is missing.

    Args:
        cells: The table of the cells.
        column: A column of it.
        names: Takes the value of each code, before the first part that has it is yielded.
    """
    categories = cells.categories(column) if isinstance(cells, CategoricalTable) else None
    if categories is not None and isinstance(cells, CategoricalTable):
        if len(categories) > MAX_TERMS:
            raise ColumnError(f"it has more than {MAX_TERMS:,} categories")
        names += categories.tolist()
        yield from cells.codes(column)
        return
    numbers: dict[str, int] = {}
    for part in cells.labels(column):
        values = part.tolist()
        codes = [-1 if each is None else numbers.setdefault(each, len(numbers)) for each in values]
        if len(numbers) > MAX_TERMS:
            raise ColumnError(f"it has more than {MAX_TERMS:,} distinct values")
        names[:] = numbers
        yield np.array(codes, dtype=np.int64)


def _count_keys(keys: Codes) -> Iterator[tuple[int, int]]:
    """Yield each distinct key and its frequency (`np.unique` imports masked arrays)."""
    ordered = np.sort(keys)
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    sizes = np.diff(starts, append=len(ordered))
    yield from zip(ordered[starts].tolist(), sizes.tolist(), strict=True)


def _of_counts(name: str, counts: dict[Values, int] | None) -> FieldTerms | None:
    """Return the terms of a field from the values of its columns of ids and labels."""
    if counts is None:
        return None
    missing = sum(n for values, n in counts.items() if not any(values))
    found = [(values, n) for values, n in counts.items() if any(values)]
    found.sort(key=lambda each: (-each[1], [value or "" for value in each[0]]))
    terms = tuple(_term(values, n) for values, n in found[:N_LISTED])
    return FieldTerms(name, len(found), missing, terms)


def _term(values: Values, n_cells: int) -> OntologyTerm:
    """Return a term: of two values, or of one that is an id or a label by its form."""
    named, label = values if len(values) == 2 else (*values, None)
    if len(values) == 1 and _IDENTIFIER.fullmatch(named or "") is None:
        named, label = None, named
    return OntologyTerm(named and one_line(named), label and one_line(label), n_cells)


def _of_facts(name: str, facts: dict[str, str], n_cells: int) -> FieldTerms | None:
    """Return the only term of a field that the file states for all cells."""
    named, label = facts.get(f"{name}{SUFFIX}"), facts.get(name)
    if not named and not label:
        return None
    return FieldTerms(name, 1, 0, (OntologyTerm(named or None, label or None, n_cells),))


def _without_first(counts: dict[Values, int]) -> int:
    """Return the number of cells without a value in the first column."""
    return sum(n for values, n in counts.items() if not values[0])


def _with_primary(report: SchemaReport, n_by_value: dict[bool, int], n_cells: int) -> SchemaReport:
    """Return a report with the primary data; unchanged if no cell has a value."""
    n_known = sum(n_by_value.values())
    if not n_known:
        return report
    return replace(
        report,
        n_primary_data=n_by_value[True],
        pct_primary_data=100 * n_by_value[True] / n_cells,
        n_primary_missing=n_cells - n_known,
    )


def _text(facts: DatasetFacts, name: str, faults: list[str]) -> str | None:
    found = _attempt(partial(facts.text, name), f"uns/{name}", faults)
    return None if found is None else one_line(found)


def _attempt(read: Callable[[], T], path: str, faults: list[str]) -> T | None:
    """Return a function's result; ``None`` and a sentence after a fault of the file.

    Raises:
        FetchError: The bytes can't be read, which is not a fault of the file.
    """
    try:
        with reader_faults(path):
            return read()
    except FetchError:
        raise
    except MatrixError as error:
        reason = str(error).removeprefix(f"{path}: ")
        faults.append(f"{path} can't be read: {reason}.")
        return None
