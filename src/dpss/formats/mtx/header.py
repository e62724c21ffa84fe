"""The header of a MatrixMarket file.

Format: https://math.nist.gov/MatrixMarket/formats.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from dpss.errors import CorruptMatrixError, LimitError, plural
from dpss.formats.mtx.parser import PATTERN, REAL, WHOLE
from dpss.storage.base import Blob
from dpss.storage.compression import open_decompressed, peek

MAGIC = b"%%matrixmarket"
_KINDS = (
    # The format knows integer, real, complex and pattern; STARsolo writes float, fast_matrix_market
    # unsigned-integer, others the names of their language's types.
    (re.compile(r"(unsigned-?)?int(eger)?|u?int(8|16|32|64)(_t)?|long|unsigned"), WHOLE),
    (re.compile(r"real|double|float(16|32|64)?|numeric|decimal"), REAL),
    (re.compile(r"pattern"), PATTERN),
)
_MAX_LINE_BYTES = 1 << 16
_MAX_HEAD_BYTES = 1 << 20
MAX_SIDE = (1 << 31) - 1
"""Most rows or columns."""


@dataclass(frozen=True)
class MtxHeader:
    """Header of a MatrixMarket file: the lines before its first entry."""

    n_rows: int
    n_columns: int
    n_entries: int
    """Declared number of entries."""
    kind: int
    """``PATTERN``, ``WHOLE`` or ``REAL`` of `dpss.formats.mtx.parser`."""
    n_bytes: int
    """Offset of the first entry in the decompressed bytes."""
    n_lines: int
    """Lines before the first entry."""


def is_matrix_market(blob: Blob) -> bool:
    """Return whether a blob is a MatrixMarket file, by its first bytes, decompressed."""
    return peek(blob, len(MAGIC)).lower() == MAGIC


def read_header(blob: Blob) -> MtxHeader:
    """Read a MatrixMarket file up to its first entry.

    Raises:
        CorruptMatrixError: The file is damaged, or is not a sparse matrix of real numbers.
        LimitError: The file declares more than 2**31 rows or columns.
    """
    url = blob.url
    with open_decompressed(blob) as file:
        banner = _read_line(file, url)
        kind = _parse_banner(banner.decode("latin-1").split(), url)
        n_bytes, n_lines = len(banner), 1
        while True:
            line = _read_line(file, url)
            n_bytes += len(line)
            n_lines += 1
            if n_bytes > _MAX_HEAD_BYTES:
                raise CorruptMatrixError(f"{url}: more than 1 MiB of comments and no size")
            if not line:
                raise CorruptMatrixError(f"{url}: ends before the line with the matrix's size")
            if line.strip() and not line.startswith(b"%"):
                break
    fields = line.split()
    if len(fields) != 3 or not all(field.isdigit() and len(field) < 19 for field in fields):
        raise CorruptMatrixError(
            f"{url}: line {n_lines}: {quote(line)} should be rows, columns and entries"
        )
    n_rows, n_columns, n_entries = map(int, fields)
    if max(n_rows, n_columns) > MAX_SIDE:
        raise LimitError(f"{url}: declares {n_rows:,} × {n_columns:,}; at most 2**31 can be read")
    if n_entries > n_rows * n_columns:
        raise CorruptMatrixError(
            f"{url}: declares {plural(n_entries, 'entry')}, "
            f"more than {n_rows:,} × {n_columns:,} can have"
        )
    return MtxHeader(n_rows, n_columns, n_entries, kind, n_bytes, n_lines)


def _read_line(file: BinaryIO, url: str) -> bytes:
    line = file.readline(_MAX_LINE_BYTES)
    if len(line) == _MAX_LINE_BYTES:
        raise CorruptMatrixError(f"{url}: a line of its head is longer than 64 KiB")
    return line


def _parse_banner(words: list[str], url: str) -> int:
    """Return the kind of the values that the first line declares."""
    lowered = [word.lower() for word in words[1:]]
    if len(lowered) != 4 or lowered[0] != "matrix":
        raise CorruptMatrixError(f"{url}: its first line is {' '.join(words)[:80]!r}")
    _, layout, field, symmetry = lowered
    if layout != "coordinate":
        raise CorruptMatrixError(
            f"{url}: is a MatrixMarket {layout!r}; only 'coordinate' (sparse) can be summarised"
        )
    kind = next((kind for pattern, kind in _KINDS if pattern.fullmatch(field)), None)
    if kind is None:
        raise CorruptMatrixError(f"{url}: has values of the field {field!r}, which are no counts")
    if symmetry != "general":
        raise CorruptMatrixError(f"{url}: is {symmetry}; a matrix of cells and genes is 'general'")
    return kind


def quote(text: bytes) -> str:
    """Return the beginning of a line or token in quotes, for messages."""
    return repr(text.strip()[:60].decode("latin-1"))
