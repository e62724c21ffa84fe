"""What a folder or archive holds: which of its files are matrices, and under which names."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import BinaryIO

from dpss.errors import (
    CorruptMatrixError,
    LimitError,
    MatrixError,
    NeedsWholeError,
    NoMatrixError,
)
from dpss.formats.annotation.axis_names import Kind as Names
from dpss.formats.hdf5.file import is_hdf5
from dpss.formats.mtx import reader as mtx
from dpss.formats.mtx.tables import find_role
from dpss.formats.r import reader as r_objects
from dpss.formats.side_files import (
    HEADER_BYTES,
    may_be_side_file,
    side_file_by_header,
    side_file_of,
)
from dpss.formats.text import arrow
from dpss.formats.text import reader as text
from dpss.formats.text.layout import is_text, look_at
from dpss.formats.zarr import reader as zarr
from dpss.storage.archives.members import is_clutter
from dpss.storage.archives.tar import HEAD_BYTES, is_tar
from dpss.storage.archives.zip import is_zip
from dpss.storage.base import Blob, Tree
from dpss.storage.compression import find_compression, peek, peek_text
from dpss.storage.names import names_of_files, unique_names
from dpss.storage.unpacked import SubTree

log = logging.getLogger(__name__)


class Kind(Enum):
    """What a file is, by its first bytes."""

    HDF5 = auto()
    MTX = auto()
    R = auto()
    ARCHIVE = auto()
    TEXT = auto()
    ARROW = auto()
    FOLDER = auto()
    OTHER = auto()


_TABLES = (Kind.TEXT, Kind.ARROW)
"""Kinds that hold tables of all sorts, matrices among them."""


@dataclass(frozen=True)
class Item:
    """Something in a folder or archive that may be a matrix, or several."""

    name: str
    """What it is called among the others; empty where it is the only one."""
    path: str
    """Where it is in the tree."""
    kind: Kind
    source: Blob | Tree


@dataclass(frozen=True)
class Contents:
    """All of a folder or archive."""

    items: Sequence[Item]
    refused: Mapping[str, MatrixError]
    """Tables of something else than counts, by a name, and what is wrong with them."""
    n_files: int


@dataclass(frozen=True)
class _Head:
    """The first bytes of a blob, as one: to look at them costs a single read."""

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


def kind_of(blob: Blob) -> Kind:
    """Tell what a file is, by its first bytes, decompressed."""
    head: Blob = _Head(blob.name, blob.url, blob.read_range(0, HEAD_BYTES))
    packed = find_compression(head.read_range(0, 8)) is not None
    if packed and not peek(head, 1):
        # bzip2 gives nothing before its first block is whole.
        head = blob
    inner = peek(head, HEAD_BYTES)
    if is_hdf5(inner):
        return Kind.HDF5
    if mtx.is_entries(head):
        return Kind.MTX
    if is_zip(head) or is_tar(head):
        return Kind.ARCHIVE
    if r_objects.sniff(head):
        return Kind.R
    if arrow.sniff(head):
        return Kind.ARROW
    # Of a damaged file nothing comes out: it's opened, to say what is wrong with it.
    return (
        Kind.TEXT if is_text(peek_text(head, HEAD_BYTES)) or (packed and not inner) else Kind.OTHER
    )


def list_contents(tree: Tree) -> Contents:
    """Tell which files or folders of a tree are matrices, and name them.

    Raises:
        MatrixError: The tree can't be listed.
    """
    blobs = {path: blob for path, blob in tree.blobs().items() if not is_clutter(path)}
    folders = _matrix_folders(tree, blobs)
    below = tuple(f"{folder}/" if folder else "" for folder in folders)
    others = {p: blob for p, blob in blobs.items() if not (below and p.startswith(below))}
    kinds = {path: kind_of(blob) for path, blob in _without_side_files(others).items()}
    beside_mtx = {path.rpartition("/")[0] for path, kind in kinds.items() if kind is Kind.MTX}
    for path, kind in kinds.items():
        if kind is Kind.TEXT and path.rpartition("/")[0] in beside_mtx and find_role(path):
            kinds[path] = Kind.OTHER
    found: dict[str, Kind] = dict.fromkeys(folders, Kind.FOLDER)
    found.update({path: kind for path, kind in kinds.items() if kind is not Kind.OTHER})
    refused = _take_out_tables(found, blobs)
    names = _names(sorted(found), found)
    items = [
        Item(names[path], path, kind, blobs[path] if path in kinds else SubTree(tree, path))
        for path, kind in sorted(found.items())
    ]
    return Contents(items, refused, len(blobs))


def _without_side_files(blobs: Mapping[str, Blob]) -> dict[str, Blob]:
    """Leave out what pipelines write beside their matrices, and say so in the log."""
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


def _matrix_folders(tree: Tree, blobs: Mapping[str, Blob]) -> list[str]:
    """Return the folders that are a matrix with all that is in them."""
    folders = zarr.roots(tree)
    for path in blobs:
        folder, _, name = path.rpartition("/")
        if name.removesuffix(".gz") == "expression.csv" and text.sniff(SubTree(tree, folder)):
            folders.append(folder)
    return sorted(set(folders))


def _take_out_tables(found: dict[str, Kind], blobs: Mapping[str, Blob]) -> dict[str, MatrixError]:
    """Take out tables that are no matrices, if there is anything else."""
    refused: dict[str, MatrixError] = {}
    tables = [path for path, kind in found.items() if kind in _TABLES]
    sure = len(tables) < len(found)
    if len(found) < 2:
        return refused
    for path in tables:
        try:
            look = look_at(arrow.text_of(blobs[path]) or blobs[path])
            # Beside matrices there are tables of all sorts, some of nothing but numbers.
            if sure and Names.GENES not in (look.line_kind, look.column_kind):
                raise NoMatrixError(f"{blobs[path].url}: a table without genes, not a matrix")
        except (CorruptMatrixError, NeedsWholeError, LimitError):
            # To open it says what is wrong, or reads a copy of it.
            continue
        except MatrixError as error:
            refused[path] = error
            del found[path]
    return dict(zip(unique_names(refused), refused.values(), strict=True))


def _names(paths: Sequence[str], kinds: Mapping[str, Kind]) -> dict[str, str]:
    """Name what was found by its path, without what all have in common."""
    if len(paths) < 2:
        return dict.fromkeys(paths, "")
    several = mtx.name_matrices([path for path in paths if kinds[path] is Kind.MTX])
    shown = [several.get(path) or _without_matrix(path, kinds[path]) for path in paths]
    parts = [path.split("/") for path in paths]
    n_common = 0
    while all(len(each) > n_common + 1 and each[n_common] == parts[0][n_common] for each in parts):
        n_common += 1
    shorter = [
        text if several.get(path) else "/".join(text.split("/")[n_common:]) or text
        for path, text in zip(paths, shown, strict=True)
    ]
    return dict(zip(paths, names_of_files(shorter), strict=True))


def _without_matrix(path: str, kind: Kind) -> str:
    """Return a path; of ``sample/matrix.mtx`` that of the folder."""
    if kind is Kind.MTX:
        folder, _, name = path.rpartition("/")
        return f"{folder}/{mtx.label_of(name)}".strip("/") or name
    return path
