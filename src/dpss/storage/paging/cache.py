"""Pages of remote files: asked for side by side and ahead of the reader, kept for a while.

A *run* is some pages in a row that one request brings. Runs that a reader waits for are
asked for at once. Runs that were announced follow in the order of their announcement, as
many as fit a window, so that memory stays bounded however much is announced. What was
read is kept until newer runs need its room. Requests are made in threads that never keep
the program from ending; a reader that waits for one checks now and then whether it's time to end.
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
"""Small, as an index may be spread over a file in pieces of two kilobytes."""
MAX_RUN_PAGES = 1 << 7
"""Pages of a request: 2 MiB. A round trip costs little beside it, a repetition, too."""
MAX_REQUESTS = 16
"""Requests under way whose bytes no reader waits for yet."""
WINDOW_BYTES = 24 << 20
"""Bytes that are requested or have come and were not yet read, at most."""
KEPT_BYTES = 32 << 20
"""Bytes kept after reading, at most: threads share pages at the ends of their parts."""
_STALE_AFTER = 256
"""A prefetched run is dropped if it is not read while so many other runs are."""
_POLL_SECONDS = 0.2


class PageRange:
    """Some pages in a row of one file."""

    def __init__(self, pages: Pages, first: int, stop: int, turn: int) -> None:
        """Pages ``first..stop``, begun at a turn of the cache."""
        self.pages, self.first, self.stop, self.turn = pages, first, stop, turn
        self.data: Future[bytes] = Future()

    @property
    def start_byte(self) -> int:
        """Where it begins in the file."""
        return self.first * PAGE_BYTES

    @property
    def n_bytes(self) -> int:
        """How much of the file it is, the last page taken as whole."""
        return (self.stop - self.first) * PAGE_BYTES


class Pages:
    """The pages of one file that are there or under way."""

    def __init__(self, blob: Blob) -> None:
        """None yet."""
        self.blob = blob
        self.runs: dict[int, PageRange] = {}

    def missing(self, first: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield what is missing of some pages, at most a request's worth at a time."""
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
    """Brings and keeps pages of one or many files. Safe in several threads."""

    def __init__(self, check: Callable[[], None] = lambda: None) -> None:
        """Make an empty cache.

        Args:
            check: Called while a reader waits; raises if it's time to end.
        """
        self._check = check
        self._lock = threading.Lock()
        self._announced: deque[tuple[Pages, int, int]] = deque()
        self._unread: OrderedDict[PageRange, None] = OrderedDict()
        self._kept: OrderedDict[PageRange, None] = OrderedDict()
        self._unread_bytes = self._kept_bytes = self._n_requests = self._turn = 0

    def get(self, pages: Pages, first: int, stop: int, around: int) -> list[PageRange]:
        """Return the runs that hold some pages, in order, all of them begun.

        Args:
            pages: Of which file.
            first: The first page.
            stop: The page after the last one.
            around: Up to which page a request for missing ones may go on.
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
        """Announce pages that will be read, after all that were announced before."""
        if stop <= first:
            return
        with self._lock:
            if first_of_all:
                self._announced.appendleft((pages, first, stop))
            else:
                self._announced.append((pages, first, stop))
            self._begin_prefetched()

    def wait_for(self, future: Future[T]) -> T:
        """Return what a request brings.

        Raises:
            MatrixError: It brings nothing.
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
        """Put a run at the end of those that are kept, and drop what there is no room for."""
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
        """Begin as many announced runs as there is room for. The lock is held."""
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
        """Ask for a run's bytes; what does not come is asked for anew by the next reader."""
        try:
            data = run.pages.blob.read_range(run.start_byte, run.n_bytes)
        except BaseException as error:
            with self._lock:
                self._evict(run)
            run.data.set_exception(error)
        else:
            run.data.set_result(data)
