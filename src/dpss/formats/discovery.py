"""Iteration over all matrices of a file, folder or archive.

A file that can't be read in place is unpacked to scratch space. The copy is deleted when the next
matrix is requested.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace

from dpss.errors import LimitError, NeedsWholeError, NoMatrixError, UnknownFormatError, plural
from dpss.formats.base import Matrix
from dpss.formats.contents import ARCHIVE, Archive, Contents, Item, list_contents, recognise
from dpss.formats.options import DEFAULT_OPTIONS, OpenOptions
from dpss.formats.other_formats import describe_document, describe_members
from dpss.formats.record import Format
from dpss.formats.registry import open_matrices
from dpss.formats.side_files import side_file_of
from dpss.storage.access import open_seekable
from dpss.storage.archives import is_zip, open_archive
from dpss.storage.base import Blob, Tree
from dpss.storage.compression import find_compression
from dpss.storage.trees import PatchedTree

_MAX_NESTED = 1
_WORTH_UNPACKING_BYTES = 1 << 26
"""Size in bytes from which a compressed tar with several matrices is unpacked as a whole, as each
would be read from the archive's start.
"""


@dataclass(frozen=True)
class OpenFailure:
    """A member of a folder or archive that failed to open, with its error."""

    name: str
    """Name of the member among the matrices; empty where there is only one."""
    error: Exception


Found = Matrix | OpenFailure


def iter_matrices(
    source: Blob | Tree, options: OpenOptions | None = None
) -> Generator[Found, None, None]:
    """Open and yield the matrices of a file, folder or archive.

    Each can be read until the next is requested. The generator must be closed if it isn't
    exhausted.

    Args:
        source: A file, a folder, or an archive which may hold others.
        options: Resources and overrides for opening.

    Raises:
        MatrixError: There is no matrix, or the only one can't be opened.
    """
    options = options or DEFAULT_OPTIONS
    if isinstance(source, Tree):
        yield from _of_tree(source, list_contents(source), options, -1)
    elif (kind := recognise(source)) is ARCHIVE:
        yield from _of_archive(source, options, 0)
    else:
        with _seekable(source, kind, options) as ready:
            yield from open_matrices(ready, options)


def holds_matrix(source: Blob | Tree, options: OpenOptions | None = None) -> bool:
    """Return whether a file may be a matrix or hold one.

    The content of an R file is not read, as it would be parsed whole in memory.

    Args:
        source: A file or folder.
        options: Resources and overrides for opening.

    Raises:
        MatrixError: The file can't be read.
    """
    options = options or DEFAULT_OPTIONS
    if isinstance(source, Tree):
        return bool(list_contents(source).items)
    if side_file_of(source.url):
        return False
    kind = recognise(source)
    if kind is ARCHIVE:
        return bool(list_contents(open_archive(source)).items)
    if isinstance(kind, Format) and kind.read_whole:
        return True
    with _seekable(source, kind, options) as ready:
        try:
            return bool(open_matrices(ready, options))
        except UnknownFormatError:
            return False


def _of_archive(archive: Blob, options: OpenOptions, depth: int) -> Iterator[Found]:
    if depth > _MAX_NESTED:
        raise LimitError(
            f"{archive.url}: an archive within an archive within an archive; unpack one of them"
        )
    with ExitStack() as stack:
        if is_zip(archive):
            archive = stack.enter_context(open_seekable(archive, options.hold))
        tree = open_archive(archive)
        if is_zip(archive) and (what := describe_document(tree.blobs().keys())):
            raise UnknownFormatError(f"{tree.url}: {what}; not read")
        contents = list_contents(tree)
        if not tree.in_place and _is_worth_unpacking(tree, contents):
            try:
                copy = open_seekable(archive, options.hold, packed=True)
                tree = open_archive(stack.enter_context(copy))
                contents = list_contents(tree)
            except LimitError:
                if any(isinstance(item.source, Tree) for item in contents.items):
                    raise
        yield from _of_tree(tree, contents, options, depth)


def _is_worth_unpacking(tree: Tree, contents: Contents) -> bool:
    """Return whether members of a compressed tar need random access, or are several."""
    if any(isinstance(item.source, Tree) for item in contents.items):
        return True
    n_bytes = sum(blob.size_bytes or 0 for blob in tree.blobs().values())
    return len(contents.items) > 1 and n_bytes > _WORTH_UNPACKING_BYTES


def _of_tree(tree: Tree, contents: Contents, options: OpenOptions, depth: int) -> Iterator[Found]:
    n_found = 0
    for label, why in contents.refused.items():
        yield OpenFailure(label, why)
    for item in contents.items:
        try:
            for found in _of_item(tree, item, contents, options, depth):
                n_found += 1
                yield replace(found, name=_join(item.name, found.name))
        except Exception as error:
            if len(contents.items) == 1:
                raise
            n_found += not isinstance(error, (NoMatrixError, UnknownFormatError))
            yield OpenFailure(item.name, error)
    if not n_found:
        if what := describe_members(tree.blobs().keys()):
            raise UnknownFormatError(f"{tree.url}: {what}; not read")
        raise NoMatrixError(
            f"{tree.url}: there is no matrix among its {plural(contents.n_files, 'file')}"
        )


def _of_item(
    tree: Tree, item: Item, contents: Contents, options: OpenOptions, depth: int
) -> Iterator[Found]:
    source, kind = item.source, item.kind
    if isinstance(source, Tree):
        yield from open_matrices(source, options)
    elif isinstance(kind, Archive):
        yield from _of_archive(source, options, depth + 1)
    elif open_beside := kind.functions.open_beside:
        others = [each.path for each in contents.items if each.kind is kind]
        with ExitStack() as stack:
            try:
                matrix = open_beside(tree, item.path, others, options)
            except NeedsWholeError:
                copy = stack.enter_context(options.hold(source))
                patched = PatchedTree(tree, item.path, copy)
                matrix = open_beside(patched, item.path, others, options)
            yield matrix
    else:
        with _seekable(source, kind, options) as ready, ExitStack() as stack:
            try:
                matrices = open_matrices(ready, options)
            except NeedsWholeError:
                matrices = open_matrices(stack.enter_context(options.hold(ready)), options)
            yield from matrices


def _seekable(
    blob: Blob, kind: Format | Archive | None, options: OpenOptions
) -> AbstractContextManager[Blob]:
    """Return a context with the file, as a copy if its format needs random access."""
    if not isinstance(kind, Format) or not kind.random_access:
        return nullcontext(blob)
    packed = find_compression(blob.read_range(0, 8)) is not None
    return open_seekable(blob, options.hold, packed=packed)


def _join(outer: str, inner: str) -> str:
    return ".".join(filter(None, (outer, inner)))
