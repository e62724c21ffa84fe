"""A memory limit for large decoded chunks, shared by all threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

LARGE_BYTES = 1 << 24
"""Size in bytes from which a chunk is counted; each thread holds only a few smaller ones."""


class MemoryBudget:
    """A number of bytes that threads share: a thread waits until its chunk fits.

    A chunk larger than the whole budget is held alone. A thread that already holds a chunk gets the
    next one without waiting, so that threads can't block each other.
    """

    def __init__(self, n_bytes: int) -> None:
        """Start with ``n_bytes`` free."""
        self._free = n_bytes
        self._held: Counter[int] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, n_bytes: int) -> Iterator[None]:
        """Reserve bytes while the context lasts; fewer than `LARGE_BYTES` are not counted."""
        if n_bytes < LARGE_BYTES:
            yield
            return
        thread = threading.get_ident()
        with self._changed:
            self._changed.wait_for(
                lambda: self._free >= n_bytes or not self._held or thread in self._held
            )
            self._free -= n_bytes
            self._held[thread] += 1
        try:
            yield
        finally:
            with self._changed:
                self._free += n_bytes
                self._held[thread] -= 1
                if not self._held[thread]:
                    del self._held[thread]
                self._changed.notify_all()


DECODED = MemoryBudget(1 << 29)
"""Memory of all threads for tiles that are decoded whole, and for stored chunks: 512 MiB."""
