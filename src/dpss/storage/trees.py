"""Trees made of another tree: a part of it, or one in which a blob is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dpss.storage.base import Blob, Tree
from dpss.storage.derived import Derived


@dataclass(frozen=True)
class SubTree:
    """The part of a tree below a folder, as a `dpss.storage.base.Tree`."""

    tree: Tree
    folder: str
    """Path within the tree; empty for the whole tree."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.rpartition("/")[2] or self.tree.name

    @property
    def url(self) -> str:
        """The folder's address."""
        return f"{self.tree.url}/{self.folder}" if self.folder else self.tree.url

    def blobs(self) -> Mapping[str, Blob]:
        """Return the blobs by their path below the folder, sorted."""
        return self._blobs

    @cached_property
    def _blobs(self) -> Mapping[str, Blob]:
        prefix = f"{self.folder}/" if self.folder else ""
        return {
            path.removeprefix(prefix): blob
            for path, blob in self.tree.blobs().items()
            if path.startswith(prefix)
        }


@dataclass(frozen=True)
class PatchedTree(Derived):
    """A `dpss.storage.base.Tree` in which a copy replaces one blob."""

    inner: Tree
    path: str
    copy: Blob

    def blobs(self) -> Mapping[str, Blob]:
        """Return the blobs by their path, sorted."""
        return {
            path: self.copy if path == self.path else blob
            for path, blob in self.inner.blobs().items()
        }
