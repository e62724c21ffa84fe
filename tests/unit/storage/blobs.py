"""Blobs and trees in memory, for tests of what reads them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from dpss.storage.base import Blob


@dataclass(frozen=True)
class MemoryBlob:
    """Bytes in memory as a `dpss.storage.base.Blob`."""

    name: str
    data: bytes
    random_access: bool = True

    @property
    def url(self) -> str:
        return f"memory/{self.name}"

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read_range(self, start: int, length: int) -> bytes:
        return self.data[start : start + length]

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


@dataclass(frozen=True)
class MemoryTree:
    """Named bytes in memory as a `dpss.storage.base.Tree`."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    name: str = "tree"

    @property
    def url(self) -> str:
        return f"memory/{self.name}"

    def blobs(self) -> Mapping[str, Blob]:
        return {path: MemoryBlob(path, data) for path, data in sorted(self.files.items())}
