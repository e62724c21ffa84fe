"""Scratch space: a folder of bounded size for copies of files.

It is emptied when the program ends; the next program removes what a killed one left.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dpss.errors import CorruptMatrixError, FetchError, LimitError, MatrixError, UnreachableError
from dpss.storage.base import Blob
from dpss.storage.local import LocalFile
from dpss.storage.scratch_folders import (
    make_locked_folder,
    remove_abandoned,
    remove_emptied,
    remove_folder,
)

_PIECE_BYTES = 1 << 20


class Scratch:
    """A temporary folder of bounded size; a context manager that empties it."""

    def __init__(self, limit_bytes: int | None = None, parent: Path | None = None) -> None:
        """Store the limits; the folder is made at the first use.

        Args:
            limit_bytes: Most bytes in the folder; ``None`` for half of the free space.
            parent: Folder to make it in; by default the system's folder for temporary files.
        """
        self._parent = parent or Path(tempfile.gettempdir())
        self._limit = limit_bytes
        self._folder: Path | None = None
        self._lock_file: int | None = None
        self.used_bytes = 0
        self.waiting: list[_Space] = []
        self.changed = threading.Condition()
        self.closed = False

    def __enter__(self) -> Scratch:
        """Remove folders left by killed programs."""
        remove_abandoned(self._parent)
        return self

    def __exit__(self, *_: object) -> None:
        """Empty and remove the folder."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
            folder, self._folder = self._folder, None
        if folder is not None:
            remove_folder(folder)
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None
            if folder is not None:  # Windows removes no open file.
                remove_emptied(folder)

    @property
    def limit_bytes(self) -> int:
        """Most bytes in the folder."""
        if self._limit is None:
            try:
                self._limit = shutil.disk_usage(self._parent).free // 2
            except OSError as error:
                raise _no_folder_error(self._parent, error) from error
        return self._limit

    def fits(self, blob: Blob) -> bool:
        """Return whether a blob fits the limit; true for one of unknown size."""
        return (blob.size_bytes or 0) <= self.limit_bytes

    @contextmanager
    def hold(self, blob: Blob, *, wait: bool = True) -> Iterator[LocalFile]:
        """Copy a blob to the folder for as long as the context lasts.

        Args:
            blob: The blob to copy.
            wait: Whether to wait until other copies free enough space. A caller that holds a copy
                itself must not wait: it could wait for itself.

        Raises:
            LimitError: The blob is larger than the limit, or the disk is full.
            MatrixError: The blob can't be read, or its checksum is wrong twice.
        """
        space = _Space(self)
        try:
            with tempfile.TemporaryDirectory(dir=self._make_folder()) as folder:
                # Under its own name, which messages show and formats may depend on.
                path = Path(folder) / (Path(blob.name).name or "matrix")
                try:
                    self._fetch(blob, path, space, wait)
                except CorruptMatrixError:
                    # Most often the file is wrong, but sometimes the transfer was.
                    space.release()
                    self._fetch(blob, path, space, wait)
                yield ScratchFile(path, origin=blob.url)
        except OSError as error:
            if isinstance(error, (MatrixError, UnreachableError)):
                raise
            raise _no_space_error(blob, self._parent, error) from error
        finally:
            space.release()

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield an empty folder that ends with the context; its bytes do not count.

        Raises:
            UnreachableError: The folder can't be made.
        """
        parent = self._make_folder()
        try:
            # Windows removes no open file: what an error leaves goes with the folder of them all.
            made = tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True)
        except OSError as error:
            raise _no_folder_error(parent, error) from error
        with made as folder:
            yield Path(folder)

    @contextmanager
    def room(self) -> Iterator[Room]:
        """Yield an empty folder whose bytes count, removed at the end of the context.

        Raises:
            UnreachableError: The folder can't be made.
        """
        space = _Space(self)
        try:
            with self.folder() as path:
                yield Room(path, space)
        finally:
            space.release()

    def _fetch(self, blob: Blob, path: Path, space: _Space, wait: bool) -> None:
        size = blob.size_bytes
        # Two copies that grow side by side could wait for each other: one of unknown size waits
        # until it is alone, and returns the space it didn't need.
        if size is not None:
            space.reserve(size, blob.url, wait=wait)
        else:
            space.reserve(
                self.limit_bytes if wait else self.limit_bytes - self.used_bytes, blob.url
            )
        n_bytes = 0
        with blob.open() as source, path.open("wb") as target:
            while data := source.read(_PIECE_BYTES):
                n_bytes += len(data)
                if n_bytes > space.reserved_bytes:
                    raise _too_large_error(blob.url, n_bytes, self.limit_bytes)
                target.write(data)
                if self.closed:
                    raise FetchError(f"{blob.url}: the program ends")
        if size is not None and n_bytes != size:
            raise CorruptMatrixError(f"{blob.url}: size {size:,} was stated, but {n_bytes:,} came")
        space.release(keep=n_bytes)

    def _make_folder(self) -> Path:
        with self.changed:
            if self.closed:
                raise FetchError("the scratch space is closed")
            if self._folder is None:
                try:
                    self._folder, self._lock_file = make_locked_folder(self._parent)
                except OSError as error:
                    raise _no_folder_error(self._parent, error) from error
            return self._folder


class _Space:
    """Part of the scratch space that one copy or folder has reserved."""

    def __init__(self, scratch: Scratch) -> None:
        self.reserved_bytes = 0
        self._scratch = scratch

    def reserve(self, n_bytes: int, url: str, *, wait: bool = True, optional: bool = False) -> None:
        """Wait until there is room and reserve it; raise a `LimitError` if there can't be.

        What is optional leaves half of the limit to others.
        """
        scratch = self._scratch
        limit = scratch.limit_bytes // 2 if optional else scratch.limit_bytes
        if n_bytes > scratch.limit_bytes:
            raise _too_large_error(url, n_bytes, scratch.limit_bytes)
        with scratch.changed:
            if not wait and scratch.used_bytes + n_bytes > limit:
                raise _no_room_error(url, n_bytes, scratch)
            # In order of arrival, as small requests would make a large one wait for ever.
            scratch.waiting.append(self)
            try:
                scratch.changed.wait_for(lambda: not wait or self._may_reserve(n_bytes))
            finally:
                scratch.waiting.remove(self)
                scratch.changed.notify_all()
            if scratch.closed:
                raise FetchError(f"{url}: the program ends")
            scratch.used_bytes += n_bytes
            self.reserved_bytes += n_bytes

    def _may_reserve(self, n_bytes: int) -> bool:
        scratch = self._scratch
        room = scratch.used_bytes + n_bytes <= scratch.limit_bytes
        return scratch.closed or (room and scratch.waiting[0] is self)

    def release(self, keep: int = 0) -> None:
        """Release all reserved bytes but ``keep``."""
        with self._scratch.changed:
            self._scratch.used_bytes -= self.reserved_bytes - keep
            self.reserved_bytes = keep
            self._scratch.changed.notify_all()


@dataclass(frozen=True)
class Room:
    """A folder of the scratch space that grows while it is filled."""

    path: Path
    space: _Space

    def take(self, n_bytes: int, *, optional: bool = False) -> None:
        """Reserve bytes of files that are about to be written, without waiting for others.

        Optional files, which only save time, leave half of the limit to others.

        Raises:
            LimitError: There is no room for them.
        """
        self.space.reserve(n_bytes, str(self.path), wait=False, optional=optional)

    def give_back(self) -> None:
        """Release the bytes of files that were removed again."""
        self.space.release()


OpenRoom = Callable[[], AbstractContextManager[Room]]
"""Opens a folder of the scratch space for the length of a context."""


@contextmanager
def temporary_room() -> Iterator[Room]:
    """Yield a folder of a new scratch space, for the length of the context."""
    with Scratch() as scratch, scratch.room() as room:
        yield room


@dataclass(frozen=True)
class ScratchFile(LocalFile):
    """A local copy of a fetched file, with the name and the address of the original."""

    origin: str = ""

    @property
    def url(self) -> str:
        """The address that it was fetched from."""
        return self.origin


def _too_large_error(url: str, n_bytes: int, limit: int) -> LimitError:
    return LimitError(
        f"{url}: needs {n_bytes / 1e9:,.1f} GB of scratch space, more than --scratch-limit "
        f"({limit / 1e9:,.1f} GB); raise it"
    )


def _no_room_error(url: str, n_bytes: int, scratch: Scratch) -> LimitError:
    return LimitError(
        f"{url}: needs {n_bytes / 1e9:,.1f} GB of scratch space beside the "
        f"{scratch.used_bytes / 1e9:,.1f} GB in use, more than --scratch-limit "
        f"({scratch.limit_bytes / 1e9:,.1f} GB) in all; raise it"
    )


def _no_space_error(blob: Blob, parent: Path, error: OSError) -> MatrixError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return LimitError(
            f"{blob.url}: the disk of {parent} is full; name another folder with --scratch, or "
            "fetch less at a time with --scratch-limit"
        )
    return FetchError(f"{blob.url}: can't be kept in {parent} ({error.strerror or error})")


def _no_folder_error(parent: Path, error: OSError) -> UnreachableError:
    return UnreachableError(
        f"{parent}: no folder can be made in it ({error.strerror}); name another with --scratch"
    )
