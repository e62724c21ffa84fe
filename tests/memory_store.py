"""A store in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath


class MemoryStore:
    """Files in a dictionary as a `dpss.storage.base.Store`."""

    def __init__(self) -> None:
        """Nothing is published yet."""
        self._files: dict[str, tuple[bytes, datetime]] = {}

    @property
    def url(self) -> str:
        """Says that it's nowhere."""
        return "memory:"

    def read(self, key: str) -> bytes:
        """Return a file's bytes; raises `FileNotFoundError` if there is none."""
        _check(key)
        if key not in self._files:
            raise FileNotFoundError(key)
        return self._files[key][0]

    def modified(self, key: str) -> datetime | None:
        """Return when a file was last written, ``None`` if there is none."""
        _check(key)
        return self._files[key][1] if key in self._files else None

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that begin with ``prefix``, in order."""
        yield from self.sizes(prefix)

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Return the sizes in bytes of the files whose keys begin with ``prefix``, in order."""
        found = sorted(self._files.copy().items())
        return {key: len(data) for key, (data, _) in found if key.startswith(prefix)}

    def write(self, key: str, data: bytes) -> None:
        """Make ``data`` the content of ``key``."""
        _check(key)
        self._files[key] = (data, datetime.now(UTC))

    def write_file(self, key: str, path: Path) -> None:
        """Make a file's bytes the content of ``key``."""
        self.write(key, path.read_bytes())

    def delete(self, key: str) -> None:
        """Remove a file; nothing happens if there is none."""
        _check(key)
        self._files.pop(key, None)

    def changed_keys(self, keys: Iterable[str]) -> list[str]:
        """Return nothing: there is no other writer."""
        return []


def _check(key: str) -> None:
    parts = PurePosixPath(key)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts or "\\" in key:
        raise ValueError(f"{key!r} is not a key within the store")
