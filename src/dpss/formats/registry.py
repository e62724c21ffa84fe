"""Table of formats, which are recognised by content, not by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.errors import CorruptMatrixError, UnknownFormatError
from dpss.formats import hdf5, mtx, r, text, zarr
from dpss.formats.faults import reader_faults
from dpss.formats.other_formats import unknown_format
from dpss.formats.record import Format
from dpss.storage.archives import as_tree
from dpss.storage.base import Blob, Tree
from dpss.storage.compression import peek
from dpss.storage.locations import Source

if TYPE_CHECKING:
    from dpss.formats.base import Matrix
    from dpss.formats.options import OpenOptions

_HEAD_BYTES = 1 << 10

FORMATS: tuple[Format, ...] = (
    *hdf5.FORMATS,
    # Before other formats of folders: a hierarchy has thousands of small files.
    *zarr.FORMATS,
    *mtx.FORMATS,
    *r.FORMATS,
    # Last, as any text could be a table.
    *text.FORMATS,
)
"""All formats, in the order in which they are tried."""


def open_matrices(source: Source, options: OpenOptions | None = None) -> tuple[Matrix, ...]:
    """Open the matrices of a source that has one format.

    `dpss.formats.discovery.iter_matrices` also opens folders and archives of several files.

    Args:
        source: A file or object, or a folder or zip archive that is a matrix.
        options: Resources and overrides for opening.

    Returns:
        At least one matrix.

    Raises:
        UnknownFormatError: No format is recognised.
        CorruptMatrixError: The file is damaged or contradicts itself.
        NoMatrixError: The file holds no matrix.
        FetchError: The operating system, or a server, could not read the file.
        OutOfMemoryError: Memory could not be allocated.
    """
    from dpss.formats.arrays.probes import sum_probes
    from dpss.formats.options import DEFAULT_OPTIONS

    with reader_faults(source.url):
        found = _open(source, options or DEFAULT_OPTIONS)
        return tuple(sum_probes(matrix, source.url) for matrix in found)


def format_of(blob: Blob) -> Format | None:
    """Return the format of a file by its first bytes; ``None`` if unknown."""
    for known in FORMATS:
        is_file = known.functions.is_file
        if is_file and is_file(blob):
            return known
    return None


def format_of_folder(tree: Tree) -> Format | None:
    """Return the format of a folder that is one matrix; ``None`` if unknown."""
    for known in FORMATS:
        is_folder = known.functions.is_folder
        if is_folder and is_folder(tree):
            return known
    return None


def _open(source: Source, options: OpenOptions) -> tuple[Matrix, ...]:
    if isinstance(source, Blob) and not source.read_range(0, 1):
        raise CorruptMatrixError(f"{source.url}: the file is empty")
    known = format_of(source) if isinstance(source, Blob) else None
    if known is None and isinstance(tree := as_tree(source), Tree):
        known = format_of_folder(tree)
    if known:
        return known.functions.open(source, options)
    head = peek(source, _HEAD_BYTES) if isinstance(source, Blob) else b""
    raise UnknownFormatError(f"{source.url}: {unknown_format(head, source.url)}")
