"""Remote files read in pages, for readers with many small reads at distant places.

Small pieces of metadata come in cached pages, sequential reading is detected and read ahead, and a
reader can prefetch ranges. See ``docs/adr/0010-remote-reading.md``.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from dpss.storage.base import Blob, Spans, Tree
from dpss.storage.blob_file import open_buffered
from dpss.storage.derived import Derived
from dpss.storage.paging.cache import PAGE_BYTES, PageCache, Pages

_AROUND_BYTES = 1 << 16
"""Size of a request for a few bytes, as bytes nearby are mostly read next."""
_MAX_AHEAD_BYTES = 12 << 20
_MIN_AHEAD_BYTES = 1 << 18
_MAX_STREAMS = 64


class PagedBlob(Derived):
    """A remote file as a `dpss.storage.base.Blob` that reads and keeps pages."""

    inner: Blob

    def __init__(self, inner: Blob, cache: PageCache) -> None:
        """Read ``inner`` through a cache."""
        self.inner = inner
        self._cache = cache
        self._pages = Pages(inner)
        self._lock = threading.Lock()
        self._streams: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self._reads_ahead = True

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the pages."""
        return _with_new_cache, (PagedBlob, self.inner)

    @property
    def size_bytes(self) -> int | None:
        """Size of the file."""
        return self.inner.size_bytes

    @property
    def random_access(self) -> bool:
        """Always true: pages are ranges."""
        return True

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end.

        Raises:
            MatrixError: The bytes can't be read.
        """
        size = self.size_bytes or 0
        stop = min(start + length, size)
        if stop <= start:
            return b""
        first, end = start // PAGE_BYTES, -(-stop // PAGE_BYTES)
        n_pages = -(-size // PAGE_BYTES)
        around = min(first + _AROUND_BYTES // PAGE_BYTES, n_pages)
        ranges = self._cache.get(self._pages, first, end, around)
        if self._reads_ahead:
            self._read_ahead(first, end, n_pages)
        parts = []
        for each in ranges:
            data = self._cache.wait_for(each.data)
            low, high = max(0, start - each.start_byte), stop - each.start_byte
            parts.append(memoryview(data)[low:high])
        return bytes(parts[0]) if len(parts) == 1 else b"".join(parts)

    def prefetch(self, spans: Spans) -> None:
        """Fetch spans that will be read, in this order.

        From then on the blob does not read ahead by itself.
        """
        self._reads_ahead = self._reads_ahead and spans.soon
        for start, length in reversed(spans.places) if spans.soon else spans.places:
            first, stop = start // PAGE_BYTES, -(-(start + length) // PAGE_BYTES)
            self._cache.prefetch(self._pages, first, stop, first_of_all=spans.soon)

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end."""
        return open_buffered(self)

    def _read_ahead(self, first: int, end: int, n_pages: int) -> None:
        """Announce the following pages where a read continues the one before.

        The announced size is that of the read, so that a small read fetches little more.
        """
        with self._lock:
            # A read may end in the page in which the next begins, or just before.
            place = first if first in self._streams else first - 1
            read, told = self._streams.pop(place, (0, end))
            read += end - first
            ahead = min(read * PAGE_BYTES, _MAX_AHEAD_BYTES)
            begin, stop = max(told, end), min(end + ahead // PAGE_BYTES, n_pages)
            if ahead < _MIN_AHEAD_BYTES or (stop - begin) * PAGE_BYTES < _MIN_AHEAD_BYTES:
                stop = begin
            self._streams[end - 1] = (read, stop)
            if len(self._streams) > _MAX_STREAMS:
                self._streams.popitem(last=False)
        self._cache.prefetch(self._pages, begin, stop)


class PagedTree(Derived):
    """Remote files as a `dpss.storage.base.Tree` of paged blobs, which share a cache."""

    inner: Tree

    def __init__(self, inner: Tree, cache: PageCache) -> None:
        """Read the files of ``inner`` through a cache."""
        self.inner = inner
        self._cache = cache
        self._blobs: dict[str, Blob] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without files and pages."""
        return _with_new_cache, (PagedTree, self.inner)

    def blobs(self) -> Mapping[str, Blob]:
        """Return the files by their path; the tree is listed once."""
        if self._blobs is None:
            found = self.inner.blobs().items()
            self._blobs = {path: PagedBlob(blob, self._cache) for path, blob in found}
        return self._blobs


def _with_new_cache(kind: Callable[[Any, PageCache], Any], inner: Any) -> Any:
    """Return a paged file or tree with an empty cache of its own."""
    return kind(inner, PageCache())
