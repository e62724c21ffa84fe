"""Writer of pages: writes only files that differ, several at once."""

from __future__ import annotations

import sys
import threading
from bisect import bisect_left
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from dpss.errors import ReplacedError
from dpss.storage.base import Store
from dpss.website.records import MatrixRecord

N_WRITERS = 8
"""Files written at once: most of the time is spent on round trips or on the disk."""
MAX_WAITING = 32
"""Most files that wait to be written, which bounds their memory."""


class Publisher:
    """Writes files to a store and records their keys.

    A file whose bytes are already in the store is not written again: its date stays, and mirrors do
    not copy it. The publisher is used in a ``with`` block, at whose end all files are written.
    """

    def __init__(self, store: Store, keys: Collection[str], *, prune: bool = False) -> None:
        """Store the output and its keys.

        Args:
            store: The output.
            keys: All keys of the store.
            prune: Whether files may be deleted.
        """
        self.store = store
        self._prune = prune
        self._found = sorted(keys)
        self._there = set(keys)
        self._stored = set(keys)
        self._pool = ThreadPoolExecutor(N_WRITERS)
        self._waiting: list[Future[None]] = []
        self._room = threading.BoundedSemaphore(MAX_WAITING)
        self._written: list[str] = []

    def __enter__(self) -> Publisher:
        """Start the writing threads."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait until all files are written; after an error, drop those not begun."""
        self._pool.shutdown(cancel_futures=kind is not None)
        if kind is None:
            self.flush()

    @property
    def written(self) -> list[str]:
        """Keys written so far, sorted."""
        return sorted(self._written)

    def has(self, key: str) -> bool:
        """Return whether a file exists, or will exist after the next `flush`."""
        return key in self._there

    def keys(self, prefix: str) -> list[str]:
        """Return the keys with a prefix that existed at the start and still do, in order."""
        start = bisect_left(self._found, prefix)
        # U+10FFFF is the highest character of any key.
        end = bisect_left(self._found, prefix + chr(sys.maxunicode), start)
        return [key for key in self._found[start:end] if key in self._there]

    def read(self, key: str) -> bytes | None:
        """Return the bytes of a file that existed at the start or is written, or ``None``."""
        if key not in self._stored:
            return None
        try:
            return self.store.read(key)
        except FileNotFoundError:
            return None

    def read_listed(self, record: MatrixRecord, name: str) -> bytes | None:
        """Return a file of a publication; ``None`` if its summary does not list the file.

        Raises:
            ReplacedError: The file is not the one listed.
        """
        entry = record.files.get(name)
        if entry is None:
            return None
        data = self.read(f"{record.folder}/{name}")
        if data is None or not entry.matches(data):
            raise ReplacedError(f"{name} is not the listed one")
        return data

    def write(self, key: str, data: bytes) -> None:
        """Make ``data`` the content of ``key``, unless it already is.

        The write may still wait when this returns; `flush`, or the end of the block, raises its
        error.
        """
        self._there.add(key)
        self._room.acquire()
        self._waiting.append(self._pool.submit(self._write, key, data))

    def flush(self) -> None:
        """Wait until everything so far is written.

        Raises:
            OSError: A file could not be written.
        """
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.result()

    def delete(self, key: str) -> None:
        """Forget a file, if there is one; delete it if the publisher may delete."""
        if key in self._there:
            if self._prune:
                self.store.delete(key)
            self._there.discard(key)
            self._stored.discard(key)

    def _write(self, key: str, data: bytes) -> None:
        try:
            if self.read(key) != data:
                self.store.write(key, data)
                self._stored.add(key)
                self._written.append(key)
        finally:
            self._room.release()
