"""Contents of a folder or archive: the files that are matrices, and their names."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import BinaryIO

from dpss.errors import (
    CorruptMatrixError,
    LimitError,
    MatrixError,
    NeedsWholeError,
    NoMatrixError,
)
from dpss.formats.annotation.axis_names import AxisKind
from dpss.formats.endings import names_of_files
from dpss.formats.file_names import find_role, label_of, name_matrices
from dpss.formats.record import Format
from dpss.formats.registry import FORMATS, format_of
from dpss.formats.side_files import (
    HEADER_BYTES,
    may_be_side_file,
    side_file_by_header,
    side_file_of,
)
from dpss.storage.archives import HEAD_BYTES, is_archive
from dpss.storage.base import Blob, Tree
from dpss.storage.compression import find_compression, peek
from dpss.storage.names import is_clutter, unique_names
from dpss.storage.trees import SubTree

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Archive:
    """The kind of a zip or tar archive, whose contents are listed when it is opened."""


ARCHIVE = Archive()


@dataclass(frozen=True)
class Item:
    """A file or folder in a tree that may hold one or several matrices."""

    name: str
    """Name among the other matrices; empty for the only one."""
    path: str
    """Path in the tree."""
    kind: Format | Archive
    source: Blob | Tree


@dataclass(frozen=True)
class Contents:
    """The contents of a folder or archive."""

    items: Sequence[Item]
    refused: Mapping[str, MatrixError]
    """Errors of tables that are not counts, by the table's name."""
    n_files: int


@dataclass(frozen=True)
class _Head:
    """The first bytes of a blob as a blob, so that several tests need one read."""

    name: str
    url: str
    data: bytes
    random_access: bool = True

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read_range(self, start: int, length: int) -> bytes:
        return self.data[start : start + length]

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


def recognise(blob: Blob) -> Format | Archive | None:
    """Return a file's format by its decompressed first bytes; ``None`` if unknown."""
    head: Blob = _Head(blob.name, blob.url, blob.read_range(0, HEAD_BYTES))
    if find_compression(head.read_range(0, 8)) is not None and not peek(head, 1):
        # bzip2 returns no bytes before its first block is complete.
        head = blob
    known = format_of(head)
    packs = is_archive(head)
    # An archive may have a format of its own, such as npz, but is no table of text.
    return ARCHIVE if packs and (known is None or known.functions.axes_of) else known


def list_contents(tree: Tree) -> Contents:
    """Return the files and folders of a tree that are matrices, with their names.

    Raises:
        MatrixError: The tree can't be listed.
    """
    blobs = {path: blob for path, blob in tree.blobs().items() if not is_clutter(path)}
    folders = {
        path: known
        for known in FORMATS
        if known.functions.folders
        for path in known.functions.folders(tree)
    }
    below = tuple(f"{folder}/" if folder else "" for folder in folders)
    others = {p: blob for p, blob in blobs.items() if not (below and p.startswith(below))}
    found = {path: recognise(blob) for path, blob in _without_side_files(others).items()}
    kinds: dict[str, Format | Archive] = {path: kind for path, kind in found.items() if kind}
    _remove_name_tables(kinds)
    refused = _find_other_tables(kinds | folders, blobs)
    for path in refused:
        del kinds[path]
    kinds |= folders
    names = _names(sorted(kinds), kinds)
    items = [
        Item(
            names[path],
            path,
            kind,
            SubTree(tree, path) if path in folders else blobs[path],
        )
        for path, kind in sorted(kinds.items(), key=itemgetter(0))
    ]
    shown = zip(unique_names(refused), refused.values(), strict=True)
    return Contents(items, dict(shown), len(blobs))


def _without_side_files(blobs: Mapping[str, Blob]) -> dict[str, Blob]:
    """Return the files without side files of pipelines, which are logged."""
    left = {}
    for path, blob in blobs.items():
        what = side_file_of(path)
        if what is None and may_be_side_file(path):
            what = side_file_by_header(path, peek(blob, HEADER_BYTES))
        if what:
            log.info("%s: left out, %s", blob.url, what)
        else:
            left[path] = blob
    return left


def _remove_name_tables(kinds: dict[str, Format | Archive]) -> None:
    """Remove the tables of names beside matrices that are opened with them."""
    folders = {path.rpartition("/")[0] for path, kind in kinds.items() if _has_names_beside(kind)}
    for path, kind in list(kinds.items()):
        is_table = isinstance(kind, Format) and kind.functions.axes_of is not None
        if is_table and path.rpartition("/")[0] in folders and find_role(path):
            del kinds[path]


def _find_other_tables(
    kinds: Mapping[str, Format | Archive], blobs: Mapping[str, Blob]
) -> dict[str, MatrixError]:
    """Return the errors of tables that are no matrices, if there are other matrices."""
    refused: dict[str, MatrixError] = {}
    tables = {
        path: kind.functions.axes_of
        for path, kind in kinds.items()
        if isinstance(kind, Format) and kind.functions.axes_of and path in blobs
    }
    sure = len(tables) < len(kinds)
    if len(kinds) < 2:
        return refused
    for path, axes_of in tables.items():
        try:
            kinds_of_names = axes_of(blobs[path])
            # Many tables beside matrices are no matrices, even if all values are numbers.
            if sure and AxisKind.GENES not in kinds_of_names:
                raise NoMatrixError(f"{blobs[path].url}: a table without genes, not a matrix")
        except (CorruptMatrixError, NeedsWholeError, LimitError):
            # Opening the file raises the error, or reads a copy.
            continue
        except MatrixError as error:
            refused[path] = error
    return refused


def _names(paths: Sequence[str], kinds: Mapping[str, Format | Archive]) -> dict[str, str]:
    """Return names of the items: their paths without common first parts."""
    if len(paths) < 2:
        return dict.fromkeys(paths, "")
    several = name_matrices([path for path in paths if _has_names_beside(kinds[path])])
    shown = [several.get(path) or _label(path, kinds[path]) for path in paths]
    parts = [path.split("/") for path in paths]
    n_common = 0
    while all(len(each) > n_common + 1 and each[n_common] == parts[0][n_common] for each in parts):
        n_common += 1
    shorter = [
        text if several.get(path) else "/".join(text.split("/")[n_common:]) or text
        for path, text in zip(paths, shown, strict=True)
    ]
    return dict(zip(paths, names_of_files(shorter), strict=True))


def _has_names_beside(kind: Format | Archive) -> bool:
    return isinstance(kind, Format) and kind.functions.open_beside is not None


def _label(path: str, kind: Format | Archive) -> str:
    """Return a path; for ``sample/matrix.mtx`` the path of the folder."""
    if _has_names_beside(kind):
        folder, _, name = path.rpartition("/")
        return f"{folder}/{label_of(name)}".strip("/") or name
    return path
