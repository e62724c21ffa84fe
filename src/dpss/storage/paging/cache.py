"""Cache of pages of remote files, requested side by side and ahead of the reader.

A range is a sequence of pages that one request fetches. Ranges that a reader waits for are
requested at once. Announced ranges follow in their order, as many as fit a window, so that memory
stays bounded. Ranges that were read are kept until newer ones need their room. Requests are made in
daemon threads; a reader that waits checks now and then whether the program is to end.
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
MAX_RANGE_PAGES = 1 << 7
"""Most pages of a request: 2 MiB, large against a round trip and cheap to repeat."""
MAX_REQUESTS = 32
"""Most requests in progress whose bytes no reader waits for yet."""
WINDOW_BYTES = 24 << 20
"""Most bytes that are requested or received and not yet read."""
KEPT_BYTES = 32 << 20
"""Most bytes kept after reading; threads share pages at the ends of their partitions."""
_STALE_AFTER = 256
"""A prefetched range is dropped if this number of other ranges is read before it."""
_POLL_SECONDS = 0.2


class PageRange:
    """Consecutive pages of one file, which one request fetches."""

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
        self.ranges: dict[int, PageRange] = {}

    def missing(self, first: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield the missing ranges of some pages, each at most one request."""
        at = first
        while at < stop:
            if at in self.ranges:
                at += 1
                continue
            end = at + 1
            while end < stop and end - at < MAX_RANGE_PAGES and end not in self.ranges:
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
        """Return the ranges that contain some pages, in order; all are requested.

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
                while high == stop and end < min(around, low + MAX_RANGE_PAGES):
                    if end in pages.ranges:
                        break
                    end += 1
                begun.append(self._add_range(pages, low, end))
            found = list(dict.fromkeys(pages.ranges[page] for page in range(first, stop)))
            for page_range in found:
                self._mark_read(page_range)
            self._begin_prefetched()
        for page_range in begun:
            begin(self._fetch, page_range)
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

    def _add_range(self, pages: Pages, first: int, stop: int) -> PageRange:
        page_range = PageRange(pages, first, stop, self._turn)
        for page in range(first, stop):
            pages.ranges[page] = page_range
        return page_range

    def _mark_read(self, page_range: PageRange) -> None:
        """Move a range to the end of the kept ones, and drop the oldest beyond the limit."""
        self._turn += 1
        if page_range in self._unread:
            del self._unread[page_range]
            self._unread_bytes -= page_range.n_bytes
        if page_range in self._kept:
            self._kept.move_to_end(page_range)
        else:
            self._kept[page_range] = None
            self._kept_bytes += page_range.n_bytes
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            oldest, _ = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.n_bytes
            self._evict(oldest)

    def _evict(self, page_range: PageRange) -> None:
        for page in range(page_range.first, page_range.stop):
            if page_range.pages.ranges.get(page) is page_range:
                del page_range.pages.ranges[page]

    def _begin_prefetched(self) -> None:
        """Request as many announced ranges as fit the window. The caller holds the lock."""
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
            page_range = self._add_range(pages, *found)
            self._unread[page_range] = None
            self._unread_bytes += page_range.n_bytes
            self._n_requests += 1
            begin(self._fetch_prefetched, page_range)

    def _fetch_prefetched(self, page_range: PageRange) -> None:
        try:
            self._fetch(page_range)
        finally:
            with self._lock:
                self._n_requests -= 1
                self._begin_prefetched()

    def _fetch(self, page_range: PageRange) -> None:
        """Fetch a range's bytes; after an error the next reader requests them again."""
        try:
            data = page_range.pages.blob.read_range(page_range.start_byte, page_range.n_bytes)
        except BaseException as error:
            with self._lock:
                self._evict(page_range)
            page_range.data.set_exception(error)
        else:
            page_range.data.set_result(data)
