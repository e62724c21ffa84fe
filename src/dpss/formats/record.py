"""The record of a format: how files are recognised and opened, what the reference says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from dpss.formats.base import Matrix
from dpss.formats.options import OpenOptions
from dpss.storage.base import Blob, Tree
from dpss.storage.locations import Source


@dataclass(frozen=True)
class About:
    """Description of a format: docs/reference/formats.md is generated from it."""

    name: str
    reader: str
    """Name of the module below `dpss.formats` that reads the format."""
    endings: str
    """Name of the row of `dpss.storage.file_formats.FILE_FORMATS` with the endings of its files."""
    real_files: tuple[str, ...] = ()
    """Names of real files that the tests read."""
    constant_memory: str = "yes"
    """Whether memory stays constant with the file's size, with exceptions."""


OpenBeside = Callable[[Tree, str, Collection[str], OpenOptions], Matrix]


@dataclass(frozen=True)
class Format:
    """A format of files, or of folders and archives that are one matrix.

    Recognition, unpacking and opening of matrices use this record.
    """

    abouts: tuple[About, ...]
    open: Callable[[Source, OpenOptions], tuple[Matrix, ...]]
    """Opens a file, folder or zip archive, given the options."""
    is_file: Callable[[Blob], bool] | None = None
    """Whether a file is of this format, by its first bytes (`dpss.storage.compression.peek`).

    Only `dpss.storage.archives.HEAD_BYTES` of a file are sure to be there, as they are stored.
    """
    is_folder: Callable[[Tree], bool] | None = None
    """Returns whether a folder or archive is a matrix of this format."""
    random_access: bool = False
    """Whether reading needs random access, so that a stream is copied first."""
    read_whole: bool = False
    """Whether the whole file is read to open it; it is then recognised by its first bytes."""
    rows: Callable[[Blob], Blob] | None = None
    """The text of a file that is a table, which may be of anything; ``None`` for matrices."""
    open_beside: OpenBeside | None = None
    """Opens a file of a folder or archive with the tables beside it; given are its path and those
    of all files of this format."""
    folders: Callable[[Tree], Sequence[str]] | None = None
    """Returns the folders of a tree that are one matrix each."""
