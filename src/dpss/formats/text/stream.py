"""Lines of a dense table in chunks, decompressed and parsed by several threads.

One thread reads ahead while others parse. Chunks come in the file's order, and a fixed number of
them is in memory, which depends on the longest line, not on the file's size or compression.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError, plural
from dpss.formats.arrays.digits import PADDING
from dpss.formats.text import parser as parse
from dpss.formats.text.bounds import MAX_LINE_BYTES
from dpss.formats.text.dialect import MISSING, Dialect
from dpss.formats.text.fields import describe_column
from dpss.storage.base import Blob
from dpss.storage.compression import open_text

_MAX_DEFERRED = 1 << 12
_MOST_DIGITS = 2000
"""Most characters of a number: the longest that a double needs have fewer than 1,100."""
_TO_POINTS = bytes.maketrans(b",.", b".,")
"""Table that exchanges commas and points: a point between thousands then makes a field invalid."""
_SKIP_BYTES = 1 << 20


@dataclass
class Lines:
    """Consecutive lines of a table, parsed."""

    starts: NDArray[np.int64]
    """Start of each line's values, shape ``(n_lines + 1,)``."""
    columns: NDArray[np.int32]
    """Data column of each value that is not zero."""
    values: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.starts) - 1

    def first(self, n: int) -> Lines:
        """Return the first ``n`` lines."""
        stop = int(self.starts[n])
        return Lines(self.starts[: n + 1], self.columns[:stop], self.values[:stop])


class TextReader:
    """Reads a table in pieces that end where a line does."""

    def __init__(self, file: BinaryIO, url: str, chunk_bytes: int) -> None:
        """Read ``file`` from its position on."""
        self._file = file
        self._url = url
        self._chunk_bytes = chunk_bytes
        self._tail = b""

    def read(self) -> bytes:
        """Return whole lines, the last one ended by a newline; nothing at the end.

        Raises:
            LimitError: A line is too long.
            CorruptMatrixError: The compressed bytes are damaged.
        """
        parts = [self._tail]
        n_bytes = len(self._tail)
        while True:
            part = self._file.read(self._chunk_bytes)
            if not part:
                self._tail = b""
                rest = b"".join(parts)
                return rest + b"\n" if rest and not rest.endswith(b"\n") else rest
            cut = part.rfind(b"\n") + 1
            if cut:
                parts.append(part[:cut])
                self._tail = part[cut:]
                return b"".join(parts)
            parts.append(part)
            n_bytes += len(part)
            if n_bytes > MAX_LINE_BYTES:
                raise LimitError(f"{self._url}: a line of more than {MAX_LINE_BYTES >> 20} MiB")


def skip(file: BinaryIO, n_bytes: int) -> None:
    """Read over ``n_bytes``, or up to the file's end."""
    while n_bytes > 0:
        got = len(file.read(min(n_bytes, _SKIP_BYTES)))
        n_bytes -= got or n_bytes


def parse_text(text: bytes, dialect: Dialect) -> tuple[Lines, str | None]:
    """Parse whole lines.

    Returns:
        The parsed lines, and the fault of the line after them (``None`` for no fault).
    """
    if dialect.decimal == ",":
        text = text.translate(_TO_POINTS)
    padded = np.frombuffer(text + bytes(PADDING), dtype=np.uint8)
    # An empty field is only a separator, and has a value until it is parsed by the caller. Unused
    # parts of the arrays take no memory.
    n_most = len(text) + 2
    # A line has at least a character for each of its fields.
    n_lines = len(text) // max(1, dialect.n_columns) + 2
    starts = np.zeros(n_lines, dtype=np.int64)
    lines = Lines(starts, np.empty(n_most, np.int32), np.empty(n_most, np.float64))
    deferred = np.empty((max(_MAX_DEFERRED, dialect.n_columns), 3), dtype=np.int64)
    state = np.zeros(parse.N_STATE, dtype=np.int64)
    codes = np.array(
        [dialect.separator, dialect.n_lead, dialect.n_columns, dialect.n_trail], dtype=np.int64
    )
    out = (lines.columns, lines.values)
    while True:
        parse.parse_lines(padded, len(text), codes, starts, out, deferred, state)
        fault, at = _parse_deferred(
            text, deferred[: state[parse.N_DEFERRED]], lines.values, dialect
        )
        state[parse.N_DEFERRED] = 0
        if fault is not None or state[parse.STATUS] != parse.DEFERRED_IS_FULL:
            break
    done = int(state[parse.N_LINES])
    if fault is not None:
        done = min(done, text.count(b"\n", 0, at))
    lines.starts = starts[: done + 1]
    if fault is None and state[parse.STATUS] != parse.DONE:
        fault = _explain(state, dialect)
    return lines, fault


def _parse_deferred(
    text: bytes, deferred: NDArray[np.int64], values: NDArray[np.float64], dialect: Dialect
) -> tuple[str | None, int]:
    """Parse the deferred fields; return the first fault and its position."""
    for begin, end, place in deferred.tolist():
        token = text[begin:end].strip().strip(b'"').strip()
        try:
            # `float` would also accept underscores, and takes long for many digits.
            clean = token[:_MOST_DIGITS].replace(b"_", b"?") + (b"?" * (len(token) > _MOST_DIGITS))
            value = np.nan if token.upper() in MISSING else float(clean)
            j = _count_fields(text, begin, dialect) if np.isnan(value) else 0
            if np.isnan(value) and j - dialect.n_lead not in dialect.cell_annotation:
                shown = token.decode("utf-8", "replace")
                what = f"{shown!r} stands for no value" if token else "an empty field"
                return f"{describe_column(j, dialect.titles)}: {what}; write 0 if it means 0", begin
        except ValueError:
            j = _count_fields(text, begin, dialect)
            if dialect.decimal == ",":
                token = token.translate(_TO_POINTS)
            shown = token[:40].decode("utf-8", "replace")
            return f"{describe_column(j, dialect.titles)}: {shown!r} is no number", begin
        # A missing value in a column of annotation, which is left out.
        values[place] = 0.0 if np.isnan(value) else value
    return None, 0


def _count_fields(text: bytes, end: int, dialect: Dialect) -> int:
    """Return the number of fields in a line before a position."""
    line = text[text.rfind(b"\n", 0, end) + 1 : end]
    separator = dialect.separator
    if separator != ord(" ") and b'"' not in line:
        return line.count(separator)
    return len(dialect.split(line.decode("utf-8", "replace") + "x")) - 1


def _explain(state: NDArray[np.int64], dialect: Dialect) -> str:
    n_fields = dialect.n_lead + dialect.n_columns + dialect.n_trail
    what = "fewer" if state[parse.STATUS] == parse.TOO_FEW else "more"
    return f"has {what} than {plural(n_fields, 'field')}"


def read_lines(blob: Blob, dialect: Dialect, threads: int, chunk_bytes: int) -> Iterator[Lines]:
    """Yield all lines of a table in order, parsed.

    Args:
        blob: The file, compressed or not.
        dialect: Layout of the table.
        threads: Threads that parse.
        chunk_bytes: Size of a chunk of text, in bytes.

    Raises:
        CorruptMatrixError: The file is damaged, or a line is not like the others.
        LimitError: A line is too long.
    """
    n_lines = dialect.n_skipped_lines
    with open_text(blob) as file:
        skip(file, dialect.begin)
        reader = TextReader(file, blob.url, chunk_bytes)
        pool = ThreadPoolExecutor(threads + 1, thread_name_prefix="dpss-text")
        try:
            for lines, fault in _in_turn(pool, reader, dialect, threads):
                n_lines += len(lines)
                yield lines
                if fault is not None:
                    separator = ", " if fault.startswith("column ") else ": "
                    raise CorruptMatrixError(f"{blob.url}: line {n_lines + 1:,}{separator}{fault}")
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _in_turn(
    pool: ThreadPoolExecutor, reader: TextReader, dialect: Dialect, threads: int
) -> Iterator[tuple[Lines, str | None]]:
    waiting: deque[Future[Any]] = deque()
    ahead = pool.submit(reader.read)
    while text := ahead.result():
        ahead = pool.submit(reader.read)
        waiting.append(pool.submit(parse_text, text, dialect))
        if len(waiting) > threads:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
