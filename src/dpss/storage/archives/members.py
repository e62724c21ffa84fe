"""Members of archives: their paths are keys, and never opened as files."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from dpss.errors import CorruptMatrixError
from dpss.storage.base import Blob
from dpss.storage.derived import Derived

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def check_path(path: str, url: str) -> str:
    """Return a member's path with ``/`` between its parts and without line ends.

    Raises:
        CorruptMatrixError: The path leads out of the archive's folder.
    """
    clean = _CONTROL.sub("?", path.replace("\\", "/"))
    if clean.startswith("/") or ".." in clean.split("/") or re.match(r"[A-Za-z]:", clean):
        raise CorruptMatrixError(f"{url}: refused, its member {path!r} would leave its folder")
    return clean


@dataclass(frozen=True)
class Member(ABC):
    """Base of the members of all kinds of archives."""

    archive: Blob
    path: str
    """Path within the archive; a name that is never opened as a file."""

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def url(self) -> str:
        """The archive's address and the path within, separated by ``!/``."""
        return f"{self.archive.url}!/{self.path}"


@dataclass(frozen=True)
class ArchiveTree(Derived, ABC):
    """Base of archives as a `dpss.storage.base.Tree`; subclasses list the members."""

    inner: Blob
    """The archive."""

    @property
    def in_place(self) -> bool:
        """Whether members can be read without all that is before them."""
        return True

    def blobs(self) -> Mapping[str, Blob]:
        """Return the members by their path, without folders, links and macOS's clutter.

        Raises:
            MatrixError: The archive can't be listed.
        """
        return self._members

    @cached_property
    def _members(self) -> Mapping[str, Blob]:
        return dict(sorted(dict(self._list()).items()))

    @abstractmethod
    def _list(self) -> Iterator[tuple[str, Blob]]:
        """Yield the members by path; the last of several with the same path counts."""
