"""Entries of a MatrixMarket file in chunks, parsed by several threads.

One thread at a time inflates the next chunk, cut at a line's end; meanwhile the others parse
theirs. Chunks come in the file's order, and a fixed number of buffers is reused: memory depends
neither on the file nor on its compression.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

import numpy as np

from dpss.errors import CorruptMatrixError, plural
from dpss.formats.arrays.digits import PADDING
from dpss.formats.mtx import parser as parse
from dpss.formats.mtx.header import MtxHeader, quote
from dpss.formats.mtx.order import Entries, find_runs
from dpss.storage.base import Blob
from dpss.storage.compression import open_decompressed

MAX_LINE_BYTES = 1 << 12
"""Longest line of an entry; three numbers need no more."""
_MAX_DEFERRED = 1 << 10
_SKIP_BYTES = 1 << 16
_MIN_ENTRY_BYTES = 4  # "1 1" and the line's end
_TOKEN = re.compile(rb"[^\x00-\x20]*")
_NUMBER_BYTES = frozenset(b"0123456789+-.eEnNaAiIfFtTyY")


class Chunk(Entries):
    """Entries of consecutive lines; a later chunk reuses the arrays."""

    def __init__(self, chunk_bytes: int, kind: int) -> None:
        """Make the buffers for about ``chunk_bytes`` of text."""
        capacity = chunk_bytes + MAX_LINE_BYTES
        n = capacity // (_MIN_ENTRY_BYTES if kind == parse.PATTERN else _MIN_ENTRY_BYTES + 2) + 1
        self.text = bytearray(capacity + 1 + PADDING)
        self.bytes = np.frombuffer(self.text, dtype=np.uint8)
        self.ints = np.ones(0 if kind == parse.REAL else n, dtype=np.int32)
        self.reals = np.empty(n if kind == parse.REAL else 0, dtype=np.float64)
        self.deferred = np.empty((_MAX_DEFERRED, 3), dtype=np.int32)
        self.n_bytes = 0
        """Bytes of text; 0 after the file's end."""
        self.n_lines = 0
        self.fault: str | None = None
        """Fault of the line after the first ``n_lines``."""
        rows, columns, starts = (np.empty(n, dtype=np.int32) for _ in range(3))
        super().__init__(rows, columns, self.ints, starts)

    def parse(self, shape: tuple[int, int], kind: int, major: int | None) -> None:
        """Parse the text; with ``major`` 0 or 1, also find the runs of that index."""
        if self.fault is None:
            self._parse_text(shape, kind)
        if major is not None and self.fault is None:
            indices = (self.rows, self.columns)
            self.n_runs, self.distinct = find_runs(
                indices[major], indices[1 - major], self.n, self.starts
            )

    def _parse_text(self, shape: tuple[int, int], kind: int) -> None:
        state = np.zeros(parse.N_STATE, dtype=np.int64)
        while True:
            parse.parse_entries(
                self.bytes,
                self.n_bytes,
                shape,
                kind,
                (self.rows, self.columns),
                (self.ints, self.reals),
                self.deferred,
                state,
            )
            status = int(state[parse.STATUS])
            self.n_lines = int(state[parse.N_LINES])
            if not self._parse_deferred(int(state[parse.N_DEFERRED])):
                return
            if status == parse.NOT_INT32:
                # Values of a file of "integer" may be larger: parse this chunk again, as doubles.
                kind = parse.REAL
                if len(self.reals) < len(self.rows):
                    self.reals = np.empty(len(self.rows), dtype=np.float64)
                state[:] = 0
            elif status == parse.DONE and state[parse.POSITION] < self.n_bytes:
                state[parse.N_DEFERRED] = 0
            else:
                break
        self.n = int(state[parse.N_ENTRIES])
        self.values = self.reals if kind == parse.REAL else self.ints
        if status != parse.DONE:
            self.fault = self._explain(status, int(state[parse.POSITION]), shape, kind)

    def _parse_deferred(self, n_deferred: int) -> bool:
        """Parse the deferred tokens; return whether all are numbers."""
        for begin, entry, line in self.deferred[:n_deferred].tolist():
            token = _TOKEN.match(self.text, begin)[0]  # type: ignore[index]
            try:
                # `float` would also take underscores and digits of other scripts.
                if not _NUMBER_BYTES.issuperset(token):
                    raise ValueError
                self.reals[entry] = float(token)
            except ValueError:
                self.n_lines = line
                self.fault = f"{quote(token)} is no number"
                return False
        return True

    def _explain(self, status: int, position: int, shape: tuple[int, int], kind: int) -> str:
        """Return a description of the fault of the line at a position."""
        begin = self.text.rfind(b"\n", 0, position) + 1
        end = self.text.find(b"\n", position, self.n_bytes)
        line = quote(bytes(self.text[begin:end]))
        n_fields = 2 if kind == parse.PATTERN else 3
        return {
            parse.NO_INDEX: f"{line} does not begin with two indices",
            parse.OUTSIDE: f"{line} lies outside the declared {shape[0]:,} × {shape[1]:,}",
            parse.TOO_FEW: f"{line} has fewer than {plural(n_fields, 'field')}",
            parse.TOO_MANY: f"{line} has more than {plural(n_fields, 'field')}",
        }[status]


class _Feed:
    """Distributes a stream's chunks in turn to several threads."""

    def __init__(self, file: BinaryIO, chunk_bytes: int) -> None:
        self._file = file
        self._chunk_bytes = chunk_bytes
        self._tail = b""
        self._turn = 0
        self._stopped = False
        self._condition = threading.Condition()

    def stop(self) -> None:
        """Wake up all threads that wait."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def fill(self, chunk: Chunk, number: int) -> None:
        """Wait for this chunk's turn, then read its text."""
        with self._condition:
            self._condition.wait_for(lambda: self._turn == number or self._stopped)
            stopped = self._stopped
        chunk.n = chunk.n_bytes = chunk.n_lines = 0
        chunk.fault = None
        if stopped:
            return
        try:
            self._read(chunk)
        except BaseException:
            self.stop()
            raise
        with self._condition:
            self._turn += 1
            self._condition.notify_all()

    def _read(self, chunk: Chunk) -> None:
        """Read whole lines, the last one with or without its end."""
        view = memoryview(chunk.text)
        n = min(len(self._tail), MAX_LINE_BYTES)
        view[:n] = self._tail[:n]
        cut = 0
        while cut == 0:
            if n >= MAX_LINE_BYTES:
                chunk.n_bytes = n
                chunk.fault = f"a line of more than {MAX_LINE_BYTES:,} characters"
                return
            got = _fill(self._file, view[n : n + self._chunk_bytes])
            n += got
            if got == 0:
                if n > 0:
                    chunk.text[n] = 0x0A
                    n += 1
                cut = n
                break
            cut = chunk.text.rfind(b"\n", 0, n) + 1
        self._tail = bytes(view[cut:n])
        chunk.n_bytes = cut


def _fill(file: BinaryIO, view: memoryview) -> int:
    """Read until the view is full or the file ends; return the number of bytes."""
    n = 0
    while n < len(view):
        got: int = file.readinto(view[n:])  # type: ignore[attr-defined]
        if not got:
            break
        n += got
    return n


def read_chunks(
    blob: Blob, header: MtxHeader, major: int | None, threads: int, chunk_bytes: int
) -> Iterator[Chunk]:
    """Yield all entries of a file; a chunk is valid until the next is requested.

    Args:
        blob: The file, compressed or not.
        header: Its header.
        major: Index (0 or 1) whose runs are found; ``None`` for neither.
        threads: Threads that inflate and parse.
        chunk_bytes: Decompressed bytes of a chunk.

    Raises:
        CorruptMatrixError: The file is damaged or contradicts its header; the message names the
            line.
    """
    n_lines = header.n_lines
    n_entries = 0
    for chunk in _read_in_threads(blob, header, major, threads, chunk_bytes):
        n_lines += chunk.n_lines
        n_entries += chunk.n
        if n_entries > header.n_entries:
            raise CorruptMatrixError(
                f"{blob.url}: declares {plural(header.n_entries, 'entry')} but holds more"
            )
        if chunk.fault is not None:
            raise CorruptMatrixError(f"{blob.url}: line {n_lines + 1:,}: {chunk.fault}")
        yield chunk
    if n_entries < header.n_entries:
        raise CorruptMatrixError(
            f"{blob.url}: declares {plural(header.n_entries, 'entry')} but ends after {n_entries:,}"
        )


def _read_in_threads(
    blob: Blob, header: MtxHeader, major: int | None, threads: int, chunk_bytes: int
) -> Iterator[Chunk]:
    shape = (header.n_rows, header.n_columns)
    # One for the consumer, one for each thread, one that waits.
    chunks = [Chunk(chunk_bytes, header.kind) for _ in range(threads + 2)]
    with open_decompressed(blob) as file:
        _skip(file, header.n_bytes)
        feed = _Feed(file, chunk_bytes)

        def work(number: int) -> Chunk:
            chunk = chunks[number % len(chunks)]
            feed.fill(chunk, number)
            if chunk.n_bytes:
                chunk.parse(shape, header.kind, major)
            return chunk

        pool = ThreadPoolExecutor(threads, thread_name_prefix="dpss-mtx")
        try:
            waiting: deque[Future[Chunk]] = deque(
                pool.submit(work, number) for number in range(len(chunks) - 1)
            )
            number = len(waiting)
            while True:
                chunk = waiting.popleft().result()
                if not chunk.n_bytes:
                    break
                waiting.append(pool.submit(work, number))
                number += 1
                yield chunk
        finally:
            feed.stop()
            pool.shutdown(wait=True, cancel_futures=True)


def _skip(file: BinaryIO, n_bytes: int) -> None:
    while n_bytes > 0:
        n_bytes -= len(file.read(min(n_bytes, _SKIP_BYTES))) or n_bytes
