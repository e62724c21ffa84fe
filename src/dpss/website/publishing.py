"""Writing to a store only what differs from what is there."""

from __future__ import annotations

from collections.abc import Collection

from dpss.stores import Store


class Publisher:
    """Writes files of a store and remembers which.

    A file whose bytes are already there is not written again: its date stays, and
    whoever mirrors the folder has nothing to copy.
    """

    def __init__(self, store: Store, keys: Collection[str]) -> None:
        """Publish to a store.

        Args:
            store: Where to.
            keys: Every key that it holds.
        """
        self.store = store
        self._there = set(keys)
        self.written: list[str] = []
        """Keys written so far, in order."""

    def has(self, key: str) -> bool:
        """Tell whether there is such a file."""
        return key in self._there

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with a prefix, in order."""
        return sorted(key for key in self._there if key.startswith(prefix))

    def read(self, key: str) -> bytes | None:
        """Return a file's bytes, or ``None`` if there is none."""
        if key not in self._there:
            return None
        try:
            return self.store.read(key)
        except FileNotFoundError:
            return None

    def write(self, key: str, data: bytes) -> None:
        """Make ``data`` the content of ``key``, unless it is already."""
        if self.read(key) == data:
            return
        self.store.write(key, data)
        self._there.add(key)
        self.written.append(key)

    def delete(self, key: str) -> None:
        """Remove a file, if there is one."""
        if key in self._there:
            self.store.delete(key)
            self._there.discard(key)
