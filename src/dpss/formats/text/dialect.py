"""Layout of a dense table: separator, header, columns before and after the counts."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dpss.errors import CorruptMatrixError, NoMatrixError, plural
from dpss.formats.annotation.axis_names import AxisKind, find_kind
from dpss.formats.text.cell_annotation import find_cell_annotation
from dpss.formats.text.columns import find_layout
from dpss.formats.text.fields import Rows, number_fraction, numeric_columns
from dpss.formats.text.titles import find_titles

MISSING = frozenset((b"", b"NA", b"NAN", b"N/A", b"NULL"))
"""Fields that stand for no value, in capitals."""

_SEPARATOR_LINE = re.compile(rb'"?sep=.?"?\s*', re.I)
"""First line that states the separator, as Excel writes it."""
_SEPARATORS = "\t,; "
_GCT = (b"#1.2", b"#1.3")
"""First line of GCT files; the second has the numbers of genes and samples (`GCT
<https://www.genepattern.org/file-formats-guide>`_)."""
_N_ROWS = 50
_N_FIELDS = 400_000
"""Most fields from which the layout is derived."""


@dataclass(frozen=True)
class Dialect:
    """The layout of a dense table."""

    separator: int
    """The byte between two fields."""
    begin: int
    """Offset of the first line of data in the decompressed bytes."""
    n_skipped_lines: int
    """Lines before it."""
    lead: tuple[str, ...]
    """Names of the columns before the data; empty where there is no header."""
    names: tuple[str, ...] | None
    """Names of the data columns; ``None`` without a header."""
    n_lead: int
    """Columns before the data: row numbers, names, annotation."""
    n_columns: int
    """Columns of data."""
    n_trail: int
    """Columns after the data."""
    trail: tuple[str, ...] = ()
    """Names of the columns after the data."""
    decimal: str = "."
    """The decimal sign, ``.`` or ``,``."""
    cell_annotation: Mapping[int, str] = field(default_factory=dict)
    """Reason for each data column, from 0, that is cell annotation if lines are cells."""
    doubtful: bool = False
    """Whether a column is annotation only because its title differs from all others."""

    @property
    def titles(self) -> tuple[str, ...] | None:
        """Titles of all columns; ``None`` without a header."""
        return None if self.names is None else (*self.lead, *self.names, *self.trail)

    @property
    def annotation(self) -> tuple[str, ...]:
        """Titles of the columns that are not data; numbers of those without a title."""
        n = self.n_lead + self.n_columns
        columns = [*range(self.n_lead), *range(n, n + self.n_trail)]
        titles = self.titles or ()
        return tuple((titles[j] if j < len(titles) else "") or f"column {j + 1}" for j in columns)

    def split(self, line: str) -> list[str]:
        """Return the fields of a line."""
        return split_line(line, chr(self.separator))


def split_line(line: str, separator: str, most: int = -1) -> list[str]:
    """Return the fields of a line, without quotes and the blanks around them.

    Args:
        line: The line.
        separator: The character between two fields.
        most: Number of fields to split off: the others may be returned as one. -1 for all.
    """
    line = line.rstrip("\r\n")
    if '"' in line:
        blanks = separator == " "
        try:
            rows = csv.reader([line.strip()], delimiter=separator, skipinitialspace=blanks)
            return [field.strip() for field in next(rows)]
        except (csv.Error, StopIteration):
            return []
    if separator == " ":
        return line.split(maxsplit=most)
    return [field.strip() for field in line.split(separator, most)]


@dataclass(frozen=True)
class FirstLines:
    """The first lines of a table, cut into fields."""

    separator: str
    begin: int
    """Offset of the first line, in bytes."""
    n_before: int
    """Lines before it."""
    first_bytes: int
    """Length of the first line in bytes, with its end."""
    rows: Rows
    """The first line and some lines after it."""


def find_dialect(head: bytes, complete: bool, url: str) -> Dialect:
    """Return a table's layout, derived from its beginning.

    Args:
        head: The first bytes, decompressed: at least two lines.
        complete: Whether ``head`` is the whole file.
        url: The file's address, for messages.

    Raises:
        NoMatrixError: The table does not hold counts.
        CorruptMatrixError: The lines have different numbers of fields.
    """
    csv.field_size_limit(1 << 27)
    lines = _split_first_lines(head, complete, url)
    first, *others = lines.rows.fields
    n = len(others[0])
    header = find_titles(first, others, numeric_columns(others), url)
    short = header is not None and len(header) == n - 1
    titles = None if header is None else ["", *header] if short else header
    rows = lines.rows if header is None else Rows(others, lines.rows.numbers[1:], url)
    layout = find_layout(rows, titles, lines.separator, short=short)
    n_lead, n_columns = layout.n_lead, layout.n_columns
    # A table with cells in its columns has no columns of cell annotation.
    named = titles and find_kind(titles[n_lead : n_lead + n_columns]) is AxisKind.CELLS
    return Dialect(
        separator=ord(lines.separator),
        begin=lines.begin + (lines.first_bytes if header is not None else 0),
        n_skipped_lines=lines.n_before + (header is not None),
        lead=tuple(titles[:n_lead]) if titles else (),
        names=tuple(titles[n_lead : n_lead + n_columns]) if titles else None,
        n_lead=n_lead,
        n_columns=n_columns,
        n_trail=layout.n_trail,
        trail=tuple(titles[n_lead + n_columns :]) if titles else (),
        decimal=layout.decimal,
        cell_annotation={} if named else find_cell_annotation(rows, titles, layout),
        doubtful=layout.doubtful,
    )


def _split_first_lines(head: bytes, complete: bool, url: str) -> FirstLines:
    """Return the first lines, cut into fields by the separator that fits best."""
    ends = head.endswith(b"\n") or complete
    raw = head.splitlines(keepends=True)[: _N_ROWS + 20]
    if not ends and len(raw) > 1 and not raw[-1].endswith(b"\n"):
        raw.pop()
    bom = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    at, n_before = bom, 0
    lines = [raw[0][bom:], *raw[1:]] if raw else []
    if b"\n" not in head and b"\r" in head.strip():
        raise CorruptMatrixError(
            f"{url}: its lines end with a carriage return alone, as old Macs wrote them; save it "
            "with line feeds"
        )
    if lines and lines[0].strip() in _GCT and len(lines) > 1:
        _check_gct(lines, url)
        at += len(lines.pop(0)) + len(lines.pop(0))
        n_before += 2
    while lines and (
        not lines[0].strip()
        or lines[0].startswith(b"##")
        or _SEPARATOR_LINE.fullmatch(lines[0])
        or _is_comment(lines)
    ):
        at += len(lines.pop(0))
        n_before += 1
    used = [
        (n_before + i + 1, line.decode("utf-8", "replace"))
        for i, line in enumerate(lines)
        if line.strip()
    ]
    if len(used) < 2:
        raise NoMatrixError(f"{url}: a text of {plural(len(used), 'line')}, not a matrix")
    best, rows = _find_separator([line for _, line in used[1 : 1 + _N_ROWS]], url)
    width = len(rows[0])
    kept = rows[: max(3, _N_FIELDS // width)]
    if any(len(row) != width for row in kept):
        raise CorruptMatrixError(f"{url}: its lines have different numbers of fields")
    first = split_line(used[0][1].removeprefix("#"), best)
    numbers = [number for number, _ in used[: 1 + len(kept)]]
    return FirstLines(best, at, n_before, len(lines[0]), Rows([first, *kept], numbers, url))


def _check_gct(lines: Sequence[bytes], url: str) -> None:
    """Check that a GCT file has no lines about its samples before those of the genes.

    Raises:
        NoMatrixError: It has, as version 1.3 allows.
    """
    sizes = lines[1].split()
    if len(sizes) == 4 and sizes[3] != b"0":
        raise NoMatrixError(
            f"{url}: GCT of version 1.3 with {sizes[3].decode('latin-1')[:20]} lines about its "
            "samples; save it as version 1.2, or as csv"
        )


def _find_separator(lines: Sequence[str], url: str) -> tuple[str, list[list[str]]]:
    """Return the separator that gives the most columns of numbers, and the cut lines.

    Raises:
        NoMatrixError: No separator gives the same number of fields in all lines.
    """
    found: list[tuple[tuple[bool, bool, int], str, list[list[str]]]] = []
    for separator in _SEPARATORS:
        rows = [split_line(line, separator) for line in lines]
        width = len(rows[0])
        if width > 1 and all(len(row) == width for row in rows[:3]):
            fraction = number_fraction(rows[:3], commas=separator != ",")
            # Blanks also occur within fields, and a split at blanks cuts at tabs, too.
            found.append(((fraction >= 0.5, separator != " ", width), separator, rows))
    if not found:
        raise NoMatrixError(f"{url}: a text whose lines are no table of numbers")
    _, separator, rows = max(found, key=lambda each: each[0])
    return separator, rows


def _is_comment(lines: Sequence[bytes]) -> bool:
    """Return whether the first line is a comment, no header beginning with #."""
    if not lines[0].startswith((b"#", b"%")) or len(lines) < 2:
        return False
    if lines[1].startswith((b"#", b"%")):
        return True
    data = lines[min(2, len(lines) - 1)]
    separator = max((each.encode() for each in _SEPARATORS), key=data.count)
    # A header may lack the title of the first column.
    return lines[0].count(separator) - data.count(separator) not in (0, -1)
