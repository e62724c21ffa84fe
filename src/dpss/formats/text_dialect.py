"""How a dense table is laid out: separator, header, columns before and after the counts."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dpss.errors import CorruptMatrixError, NoMatrixError

MISSING = frozenset((b"", b"NA", b"NAN", b"N/A", b"NULL"))
"""Fields that stand for no value, in capitals."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|na|[+-]?inf(inity)?|", re.I)
_SEPARATORS = "\t,; "
_N_ROWS = 50
_N_FIELDS = 400_000
"""Most fields that are looked at to learn the layout."""
_ANNOTATION = re.compile(
    r"chr(om(osome)?)?|(gene_?|tx_?|feature)?(start|end|length|width)|strand|(gene_?)?(bio)?type|"
    r"gene(_?(id|name|symbol|short_name))?s?|geneid|symbols?|(ensembl|entrez)(_?(gene))?_?(id)?|"
    r"accession|description|refseq|locus|transcript_?ids?(\(s\))?|exon_?count|gc(_?content)?|"
    r"barcodes?|cells?(_?(id|name|key|barcode))?|cellkey|unnamed: ?\d+|index|row_?names?|",
    re.I,
)
"""Names of columns that say something of a gene or cell instead of counting."""
_UNNAMED = re.compile(r"|unnamed: ?\d+|index|row_?(names?|num(ber)?)|x|id|#", re.I)


@dataclass(frozen=True)
class Dialect:
    """The layout of a dense table."""

    separator: int
    """The byte between two fields."""
    begin: int
    """Where the first line of data begins, in decompressed bytes."""
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

    def split(self, line: str) -> list[str]:
        """Cut a line into its fields."""
        return split_line(line, chr(self.separator))


def split_line(line: str, separator: str) -> list[str]:
    """Cut a line into its fields, without quotes and the blanks around."""
    line = line.rstrip("\r\n")
    if '"' in line:
        blanks = separator == " "
        try:
            rows = csv.reader([line.strip()], delimiter=separator, skipinitialspace=blanks)
            return [field.strip() for field in next(rows)]
        except (csv.Error, StopIteration):
            return []
    if separator == " ":
        return line.split()
    return [field.strip() for field in line.split(separator)]


@dataclass(frozen=True)
class Sketch:
    """The first lines of a table, cut into fields."""

    separator: str
    begin: int
    """Where the first of the lines begins."""
    n_before: int
    """Lines before it."""
    first: list[str]
    """Fields of the first line."""
    first_bytes: int
    """Its length, its end included."""
    rows: list[list[str]]
    """Fields of some lines after it."""


def find_dialect(head: bytes, complete: bool, url: str) -> Dialect:
    """Learn a table's layout from its beginning.

    Args:
        head: The first bytes, decompressed: at least two lines.
        complete: Whether this is all of the file.
        url: The file's address, for messages.

    Returns:
        The layout.

    Raises:
        NoMatrixError: It is a table, but not of counts.
        CorruptMatrixError: Its lines have different numbers of fields.
    """
    csv.field_size_limit(1 << 27)
    sketch = _sketch(head, complete, url)
    n = len(sketch.rows[0])
    numeric = [all(_is_number(row[j]) for row in sketch.rows) for j in range(n)]
    header = _find_header(sketch, numeric, url)
    rows = sketch.rows if header is not None else [sketch.first, *sketch.rows]
    short = header is not None and len(header) == n - 1
    titles = None if header is None else ["", *header] if short else header
    n_lead = _count_lead(rows, numeric, titles, short)
    n_trail = 0
    while n_trail < n - n_lead and not numeric[n - 1 - n_trail]:
        n_trail += 1
    n_columns = n - n_lead - n_trail
    _check_columns(numeric[n_lead : n_lead + n_columns], titles, n_lead, url)
    skipped = sketch.first_bytes if header is not None else 0
    return Dialect(
        separator=ord(sketch.separator),
        begin=sketch.begin + skipped,
        n_skipped_lines=sketch.n_before + (header is not None),
        lead=tuple(titles[:n_lead]) if titles else (),
        names=tuple(titles[n_lead : n_lead + n_columns]) if titles else None,
        n_lead=n_lead,
        n_columns=n_columns,
        n_trail=n_trail,
        trail=tuple(titles[n_lead + n_columns :]) if titles else (),
    )


def _sketch(head: bytes, complete: bool, url: str) -> Sketch:
    """Cut the first lines into fields by the separator that fits them best."""
    ends = head.endswith(b"\n") or complete
    raw = head.splitlines(keepends=True)[: _N_ROWS + 20]
    if not ends and len(raw) > 1 and not raw[-1].endswith(b"\n"):
        raw.pop()
    bom = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    at, n_before = bom, 0
    lines = [raw[0][bom:], *raw[1:]] if raw else []
    while lines and (not lines[0].strip() or lines[0].startswith(b"##") or _is_comment(lines)):
        at += len(lines.pop(0))
        n_before += 1
    used = [line.decode("utf-8", "replace") for line in lines if line.strip()]
    if len(used) < 2:
        raise NoMatrixError(f"{url}: a text of {len(used)} lines, not a matrix")
    best = ""
    best_rows: list[list[str]] = []
    for separator in _SEPARATORS:
        rows = [split_line(line, separator) for line in used[1 : 1 + _N_ROWS]]
        width = len(rows[0])
        if width > max(1, len(best_rows[0]) if best_rows else 1) and all(
            len(row) == width for row in rows[:3]
        ):
            best, best_rows = separator, rows
    if not best_rows:
        raise NoMatrixError(f"{url}: a text whose lines are no table of numbers")
    width = len(best_rows[0])
    kept = best_rows[: max(3, _N_FIELDS // width)]
    if any(len(row) != width for row in kept):
        raise CorruptMatrixError(f"{url}: its lines have different numbers of fields")
    first = split_line(used[0].removeprefix("#"), best)
    return Sketch(best, at, n_before, first, len(lines[0]), kept)


def _is_comment(lines: Sequence[bytes]) -> bool:
    """Return whether the first line is a comment rather than a header that begins with #."""
    if not lines[0].startswith((b"#", b"%")) or len(lines) < 2:
        return False
    fields = [max(line.count(s.encode()) for s in _SEPARATORS) for line in lines[:2]]
    return lines[1].startswith((b"#", b"%")) or abs(fields[0] - fields[1]) > 1


def _is_number(field: str) -> bool:
    return _NUMBER.fullmatch(field) is not None


def _find_header(sketch: Sketch, numeric: Sequence[bool], url: str) -> list[str] | None:
    """Return the fields of the header, `None` if the first line is data already."""
    first, n = sketch.first, len(numeric)
    if len(first) == n + 1 and not first[-1]:
        first = first[:-1]
    if len(first) == n - 1:
        return first
    if len(first) != n:
        raise CorruptMatrixError(
            f"{url}: the first line has {len(first):,} fields, the second {n:,}"
        )
    data = [field for field, is_number in zip(first, numeric, strict=True) if is_number]
    if any(not _is_number(field) for field in data) or not data:
        return first
    return first if len(data) > 2 and _is_count(data[1:]) else None


def _is_count(fields: Sequence[str]) -> bool:
    """Return whether fields are whole numbers, each one more than the one before."""
    if not all(field.isascii() and field.isdigit() and len(field) < 10 for field in fields):
        return False
    numbers = [int(field) for field in fields]
    return all(b == a + 1 for a, b in pairwise(numbers))


def _count_lead(
    rows: Sequence[Sequence[str]], numeric: Sequence[bool], titles: list[str] | None, short: bool
) -> int:
    """Return how many columns stand before the data."""
    n, j = len(numeric), 0
    while j < n:
        title = titles[j] if titles else None
        column = [row[j] for row in rows]
        numbered = j == 0 and len(rows) > 2 and _is_count(column) and column[0] in ("0", "1")
        if not numeric[j] or (j == 0 and short):
            pass
        elif title is None or j > 0:
            known = title and _ANNOTATION.fullmatch(title) is not None
            if not known and not (numbered and title is None):
                break
        elif not (_UNNAMED.fullmatch(title) or _ANNOTATION.fullmatch(title)):
            break
        j += 1
    return j


def _check_columns(
    numeric: Sequence[bool], titles: Sequence[str] | None, n_lead: int, url: str
) -> None:
    """Refuse what is a table, but not one of counts.

    Raises:
        NoMatrixError: There are no numbers, or text among them.
    """
    shown = ", ".join(repr(title) for title in (titles or ())[:6] if title) or "text"
    if titles and len(titles) > 6:
        shown += ", …"
    if not numeric or not all(numeric):
        raise NoMatrixError(f"{url}: a table of {shown}, not a count matrix")
