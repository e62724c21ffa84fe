"""Interfaces of sources and outputs.

A source is a `Blob`, one sequence of bytes, or a `Tree`, a named set of blobs (a folder, an
archive). An output is a `Store`, which holds published files under keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable


@runtime_checkable
class Blob(Protocol):
    """One sequence of bytes: a file, an object, a member of an archive.

    Duties of an implementation: every call gives the same bytes; calls from several threads are
    safe; the blob can be pickled and opens files and connections lazily; an unreachable source
    raises a `dpss.errors.MatrixError` that names ``url``.
    """

    @property
    def name(self) -> str:
        """Last part of the address, such as ``matrix.mtx.gz``."""

    @property
    def url(self) -> str:
        """Path or address, without secrets."""

    @property
    def size_bytes(self) -> int | None:
        """Size in bytes; ``None`` where it is not known before the end."""

    @property
    def random_access(self) -> bool:
        """Whether `read_range` costs about as much as the bytes it returns."""

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end."""

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end; the caller closes it."""


@runtime_checkable
class Tree(Protocol):
    """A named set of blobs: a folder or an archive."""

    @property
    def name(self) -> str:
        """Last part of the address."""

    @property
    def url(self) -> str:
        """Path or address, without secrets."""

    def blobs(self) -> Mapping[str, Blob]:
        """Return the blobs by their path within the tree (``/`` between parts), sorted."""


@dataclass(frozen=True)
class Spans:
    """Ranges of a blob that will be read."""

    places: Sequence[tuple[int, int]]
    """Pairs of start and length in bytes, in the order of reading."""
    soon: bool = False
    """Whether the ranges are needed before those that were announced earlier."""


class Store(Protocol):
    """The output of runs: published files under keys, from which pages are made, too.

    Keys are relative, ``/`` between parts, without ``.`` and ``..`` parts. A file that is written
    appears whole or not at all.
    """

    @property
    def url(self) -> str:
        """Path or address, without secrets."""

    def read(self, key: str) -> bytes:
        """Return a file's bytes; raises `FileNotFoundError` if there is none."""

    def modified(self, key: str) -> datetime | None:
        """Return when a file was last written, ``None`` if there is none."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that begin with ``prefix``, in order."""

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Return the sizes in bytes of files whose keys begin with ``prefix``, in order."""

    def write(self, key: str, data: bytes) -> None:
        """Make ``data`` the content of ``key``; its content type follows from the key."""

    def write_file(self, key: str, path: Path) -> None:
        """Make a local file's bytes the content of ``key``, piece by piece."""

    def delete(self, key: str) -> None:
        """Remove a file; nothing happens if there is none."""

    def changed_keys(self, keys: Iterable[str]) -> list[str]:
        """Return the keys of files, all written by this object, that have changed since."""


@runtime_checkable
class BulkStore(Protocol):
    """A store with long round trips, which writes several files side by side."""

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Write several files, in any order; when all have ended, raise the first error."""


def write_all(store: Store, files: Mapping[str, bytes]) -> None:
    """Write several files in any order, side by side if the store can do so."""
    if isinstance(store, BulkStore):
        store.write_all(files)
        return
    for key, data in files.items():
        store.write(key, data)
