"""Cache of pages of remote files, requested side by side and ahead of the reader.

A *run* is a sequence of pages that one request fetches. Runs that a reader waits for are requested
at once. Announced runs follow in their order, as many as fit a window, so that memory stays
bounded. Runs that were read are kept until newer ones need their room. Requests are made in daemon
threads; a reader that waits checks now and then whether the program is to end.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from dpss.compute.background import begin
from dpss.storage.base import Blob

T = TypeVar("T")

PAGE_BYTES = 1 << 14
"""Bytes of a page; small, as an index may be spread over a file in pieces of 2 kB."""
MAX_RUN_PAGES = 1 << 7
"""Most pages of a request: 2 MiB, large against a round trip and cheap to repeat."""
MAX_REQUESTS = 32
"""Most requests in progress whose bytes no reader waits for yet."""
WINDOW_BYTES = 24 << 20
"""Most bytes that are requested or received and not yet read."""
KEPT_BYTES = 32 << 20
"""Most bytes kept after reading; threads share pages at the ends of their partitions."""
_STALE_AFTER = 256
"""A prefetched run is dropped if this number of other runs is read before it."""
_POLL_SECONDS = 0.2


class PageRange:
    """A run of pages of one file."""

    def __init__(self, pages: Pages, first: int, stop: int, turn: int) -> None:
        """Store the pages ``first..stop`` and the turn at which they were requested."""
        self.pages, self.first, self.stop, self.turn = pages, first, stop, turn
        self.data: Future[bytes] = Future()

    @property
    def start_byte(self) -> int:
        """Offset of the first page in the file, in bytes."""
        return self.first * PAGE_BYTES

    @property
    def n_bytes(self) -> int:
        """Size in bytes, with the last page counted as whole."""
        return (self.stop - self.first) * PAGE_BYTES


class Pages:
    """The pages of one file that are cached or requested."""

    def __init__(self, blob: Blob) -> None:
        """Start without pages."""
        self.blob = blob
        self.runs: dict[int, PageRange] = {}

    def missing(self, first: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield the missing ranges of some pages, each at most one request."""
        at = first
        while at < stop:
            if at in self.runs:
                at += 1
                continue
            end = at + 1
            while end < stop and end - at < MAX_RUN_PAGES and end not in self.runs:
                end += 1
            yield at, end
            at = end


class PageCache:
    """Fetches and keeps pages of one or several files; safe in several threads."""

    def __init__(self, check: Callable[[], None] = lambda: None) -> None:
        """Make an empty cache.

        Args:
            check: Called while a reader waits; raises an error if the program is to end.
        """
        self._check = check
        self._lock = threading.Lock()
        self._announced: deque[tuple[Pages, int, int]] = deque()
        self._unread: OrderedDict[PageRange, None] = OrderedDict()
        self._kept: OrderedDict[PageRange, None] = OrderedDict()
        self._unread_bytes = self._kept_bytes = self._n_requests = self._turn = 0

    def get(self, pages: Pages, first: int, stop: int, around: int) -> list[PageRange]:
        """Return the runs that contain some pages, in order; all are requested.

        Args:
            pages: The pages of the file.
            first: The first page.
            stop: The page after the last one.
            around: Page up to which a request for missing pages may extend.
        """
        begun = []
        with self._lock:
            for low, high in pages.missing(first, stop):
                end = high
                while high == stop and end < min(around, low + MAX_RUN_PAGES):
                    if end in pages.runs:
                        break
                    end += 1
                begun.append(self._make_run(pages, low, end))
            found = list(dict.fromkeys(pages.runs[page] for page in range(first, stop)))
            for run in found:
                self._mark_read(run)
            self._begin_prefetched()
        for run in begun:
            begin(self._fetch, run)
        return found

    def prefetch(self, pages: Pages, first: int, stop: int, *, first_of_all: bool = False) -> None:
        """Announce pages that will be read, after those that were announced before."""
        if stop <= first:
            return
        with self._lock:
            if first_of_all:
                self._announced.appendleft((pages, first, stop))
            else:
                self._announced.append((pages, first, stop))
            self._begin_prefetched()

    def wait_for(self, future: Future[T]) -> T:
        """Wait for a request and return its result.

        Raises:
            MatrixError: The request failed.
        """
        while True:
            try:
                return future.result(_POLL_SECONDS)
            except TimeoutError:
                if future.done():
                    raise
                self._check()

    def _make_run(self, pages: Pages, first: int, stop: int) -> PageRange:
        run = PageRange(pages, first, stop, self._turn)
        for page in range(first, stop):
            pages.runs[page] = run
        return run

    def _mark_read(self, run: PageRange) -> None:
        """Move a run to the end of the kept ones, and drop the oldest beyond the limit."""
        self._turn += 1
        if run in self._unread:
            del self._unread[run]
            self._unread_bytes -= run.n_bytes
        if run in self._kept:
            self._kept.move_to_end(run)
        else:
            self._kept[run] = None
            self._kept_bytes += run.n_bytes
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            oldest, _ = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.n_bytes
            self._evict(oldest)

    def _evict(self, run: PageRange) -> None:
        for page in range(run.first, run.stop):
            if run.pages.runs.get(page) is run:
                del run.pages.runs[page]

    def _begin_prefetched(self) -> None:
        """Request as many announced runs as fit the window. The caller holds the lock."""
        while self._unread and self._turn - next(iter(self._unread)).turn > _STALE_AFTER:
            stale, _ = self._unread.popitem(last=False)
            self._unread_bytes -= stale.n_bytes
            self._evict(stale)
        while (
            self._announced
            and self._n_requests < MAX_REQUESTS
            and self._unread_bytes < WINDOW_BYTES
        ):
            pages, first, stop = self._announced.popleft()
            found = next(pages.missing(first, stop), None)
            if found is None:
                continue
            if found[1] < stop:
                self._announced.appendleft((pages, found[1], stop))
            run = self._make_run(pages, *found)
            self._unread[run] = None
            self._unread_bytes += run.n_bytes
            self._n_requests += 1
            begin(self._fetch_prefetched, run)

    def _fetch_prefetched(self, run: PageRange) -> None:
        try:
            self._fetch(run)
        finally:
            with self._lock:
                self._n_requests -= 1
                self._begin_prefetched()

    def _fetch(self, run: PageRange) -> None:
        """Fetch a run's bytes; after an error the next reader requests them again."""
        try:
            data = run.pages.blob.read_range(run.start_byte, run.n_bytes)
        except BaseException as error:
            with self._lock:
                self._evict(run)
            run.data.set_exception(error)
        else:
            run.data.set_result(data)
