"""The local file system as source and as output."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from isal import isal_zlib

from dpss.errors import CorruptMatrixError, UnreachableError
from dpss.storage.base import Blob
from dpss.storage.names import key_path

_PIECE_BYTES = 1 << 18


@dataclass(frozen=True)
class _LocalPath:
    """Base of local files and folders."""

    path: Path

    def __getstate__(self) -> dict[str, Any]:
        """Return the absolute path: another process may have another working folder."""
        return {**vars(self), "path": self.path.absolute()}

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.name

    @property
    def url(self) -> str:
        """The path."""
        return str(self.path)


@dataclass(frozen=True)
class LocalFile(_LocalPath):
    """A file as a `dpss.storage.base.Blob`."""

    random_access: bool = True

    @property
    def size_bytes(self) -> int:
        """The file's size."""
        return self.path.stat().st_size

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end."""
        with self.open() as file:
            if hasattr(os, "pread"):
                return os.pread(file.fileno(), length, start)
            file.seek(start)
            return file.read(length)

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        try:
            return self.path.open("rb")
        except OSError as error:
            raise CorruptMatrixError(f"{self.path}: can't be read ({error.strerror})") from error


@dataclass(frozen=True)
class LocalFolder(_LocalPath):
    """A folder with all files below it as a `dpss.storage.base.Tree`."""

    def blobs(self) -> Mapping[str, Blob]:
        """Return all regular files below the folder by their relative path."""
        found = (
            (path.relative_to(self.path).as_posix(), path)
            for path in self.path.rglob("*")
            if path.is_file()
        )
        return {key: LocalFile(path) for key, path in sorted(found)}


def path_of(source: object) -> Path | None:
    """Return the local path of a file or folder; ``None`` if it is not local."""
    return source.path if isinstance(source, _LocalPath) else None


def list_beside(source: object) -> dict[str, Blob]:
    """Return the files in a local file's folder by name; none for other sources."""
    path = path_of(source)
    if path is None:
        return {}
    return {p.name: LocalFile(p) for p in sorted(path.parent.iterdir()) if p.is_file()}


class LocalStore:
    """A folder as a `dpss.storage.base.Store`; each file appears by a renaming."""

    def __init__(self, root: Path) -> None:
        """Store the root folder, which is made at the first write."""
        self._root = root
        self._written: dict[str, tuple[int, int]] = {}

    @property
    def url(self) -> str:
        """The folder's path."""
        return str(self._root)

    def read(self, key: str) -> bytes:
        """Return a file's bytes; raises `FileNotFoundError` if there is none."""
        return self._path(key).read_bytes()

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys of finished files that begin with ``prefix``, in order."""
        yield from self.sizes(prefix)

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Return the sizes in bytes of files whose keys begin with ``prefix``, in order."""
        above = prefix.rpartition("/")[0]
        found: dict[str, int] = {}
        for entry, key in _walk(self._root / above, f"{above}/" if above else ""):
            if key.startswith(prefix) and not entry.name.startswith(".dpss-"):
                with contextlib.suppress(FileNotFoundError):
                    if stat.S_ISREG((facts := entry.stat()).st_mode):
                        found[key] = facts.st_size
        return dict(sorted(found.items()))

    def write(self, key: str, data: bytes) -> None:
        """Write a temporary file beside it, flush it to the disk, then rename it."""
        self._write(key, io.BytesIO(data))

    def write_file(self, key: str, path: Path) -> None:
        """Copy a file to a temporary one beside it, flush it to the disk, then rename it."""
        with path.open("rb") as source:
            self._write(key, source)

    def _write(self, key: str, source: BinaryIO) -> None:
        path = self._path(key)
        # Its name is known before it exists: an interruption at any moment leaves none.
        new = path.with_name(f".dpss-{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with new.open("xb") as file:
                    shutil.copyfileobj(source, file, _PIECE_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
                new.chmod(0o644)
                source.seek(0)
                self._written[key] = _checksum(source)
                new.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    new.unlink()
                raise
        except OSError as error:
            raise UnreachableError(f"{path}: can't be written ({error.strerror})") from error

    def changed_keys(self, keys: Iterable[str]) -> list[str]:
        """Return the keys of files, written by this object, that others have changed."""
        found = []
        for key in keys:
            written = self._written.pop(key, None)
            try:
                if written is None:
                    continue
                with self._path(key).open("rb") as file:
                    if _checksum(file) != written:
                        found.append(key)
            except FileNotFoundError:
                found.append(key)
        return found

    def modified(self, key: str) -> datetime | None:
        """Return when a file was last written, ``None`` if there is none."""
        try:
            return datetime.fromtimestamp(self._path(key).stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> None:
        """Remove a file and the folders that it leaves empty."""
        path = self._path(key)
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            for folder in path.parents:
                if folder == self._root:
                    break
                folder.rmdir()

    def _path(self, key: str) -> Path:
        return self._root / key_path(key)


def _walk(folder: Path, prefix: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield files and links below a folder with their keys; links are not followed."""
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    for entry in entries:
        key = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, f"{key}/")
        else:
            yield entry, key


def _checksum(file: BinaryIO) -> tuple[int, int]:
    """Return size and CRC-32 of a file: enough to notice another run's file, and fast."""
    size, found = 0, 0
    while piece := file.read(_PIECE_BYTES):
        size += len(piece)
        found = isal_zlib.crc32(piece, found)
    return size, found


def last_modified(path: Path) -> datetime:
    """Return when a file, or the newest file of a folder, was last changed.

    Raises:
        OSError: The file or folder does not exist.
    """
    paths = [path, *path.rglob("*")] if path.is_dir() else [path]
    return datetime.fromtimestamp(max(each.stat().st_mtime for each in paths), UTC)
