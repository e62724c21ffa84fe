"""The way a source is read: in place, in pages, as a stream, or as a local copy.

This module alone decides. A local file or folder is read in place; a remote one that gives ranges
is read in pages. A file is copied to scratch space if its checksum is to be compared, if its reader
needs it whole, or if its server gives no ranges; the last is read as a stream if it is larger than
the scratch space. ``docs/adr/0010-remote-reading.md`` has the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from dpss.storage.base import Blob
from dpss.storage.compression import DecompressedBlob
from dpss.storage.local import path_of
from dpss.storage.locations import Source
from dpss.storage.paging import PageCache, PagedBlob, PagedTree
from dpss.storage.scratch import Scratch, ScratchFile

Hold = Callable[[Blob], AbstractContextManager[Blob]]
"""Keeps a local copy of a blob for as long as the context lasts."""


def is_copied(
    source: Source, fits: Callable[[Blob], bool], *, whole: bool = False, checked: bool = False
) -> bool:
    """Return whether a source is copied to scratch space before it is read.

    Args:
        source: A file or folder.
        fits: Returns whether the scratch space has room for a file.
        whole: Whether the reader needs a local copy (`dpss.errors.NeedsWholeError`).
        checked: Whether the file's checksum is to be compared.
    """
    if path_of(source) is not None or not isinstance(source, Blob):
        return False
    return whole or ((checked or not source.random_access) and fits(source))


def in_place(source: Source, check: Callable[[], None] = lambda: None) -> Source:
    """Return a source that is read without a copy, in pages if it is remote.

    Args:
        source: A file or folder.
        check: Called while a reader waits for bytes; raises an error if the run is to end.
    """
    if path_of(source) is not None or isinstance(source, (PagedBlob, PagedTree)):
        return source
    if isinstance(source, Blob):
        return PagedBlob(source, PageCache(check)) if source.random_access else source
    return PagedTree(source, PageCache(check))


@contextmanager
def open_access(
    source: Source,
    scratch: Scratch,
    check: Callable[[], None] = lambda: None,
    *,
    whole: bool = False,
    checked: bool = False,
) -> Iterator[Source]:
    """Yield a source or the copy that is read instead, until the context ends.

    Args:
        source: A file or folder.
        scratch: Scratch space for copies.
        check: Called while a reader waits for bytes; raises an error if the run is to end.
        whole: As in `is_copied`.
        checked: As in `is_copied`.

    Raises:
        LimitError: The file must be copied, and is larger than the scratch space.
        MatrixError: The file can't be fetched, or its checksum is wrong.
    """
    if isinstance(source, Blob) and is_copied(source, scratch.fits, whole=whole, checked=checked):
        with scratch.hold(source) as copy:
            yield copy
    else:
        yield in_place(source, check)


@contextmanager
def open_seekable(blob: Blob, hold: Hold, *, packed: bool = False) -> Iterator[Blob]:
    """Yield a blob that gives ranges: the blob itself, or a decompressed copy.

    Args:
        blob: A file or a member of an archive.
        hold: Keeps a copy.
        packed: Whether it is compressed.
    """
    if blob.random_access and not packed:
        yield blob
        return
    with hold(DecompressedBlob(blob) if packed else blob) as copy:
        yield copy


def is_private(source: Source) -> bool:
    """Return whether a source is a copy in scratch space of this machine."""
    return isinstance(source, ScratchFile)
