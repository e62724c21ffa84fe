"""The kinds of archives, recognised by their first bytes and opened as trees."""

from __future__ import annotations

from dpss.storage.archives.members import ArchiveTree
from dpss.storage.archives.tar import TarTree, is_tar
from dpss.storage.archives.zip import ZipTree, is_zip
from dpss.storage.base import Blob, Tree


def is_archive(blob: Blob) -> bool:
    """Return whether a file is a zip or tar archive, by its first bytes."""
    return is_zip(blob) or is_tar(blob)


def open_archive(blob: Blob) -> ArchiveTree:
    """Return a zip or, else, a tar archive as a tree; no tar is read yet."""
    return ZipTree(blob) if is_zip(blob) else TarTree(blob)


def as_tree(source: Blob | Tree) -> Blob | Tree:
    """Return a zip archive as a tree, any other source as it is."""
    return ZipTree(source) if isinstance(source, Blob) and is_zip(source) else source
