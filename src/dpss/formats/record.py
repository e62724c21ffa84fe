"""Records of formats: endings, recognition, opening, and facts for the reference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dpss.formats.annotation.axis_names import AxisKind
    from dpss.formats.base import Matrix
    from dpss.formats.options import OpenOptions
    from dpss.storage.base import Blob, Tree
    from dpss.storage.locations import Source


class Cost(IntEnum):
    """Rank of the cost to read a format; the cheapest file is read."""

    SPARSE = 1
    """Nonzero values in binary, cell by cell."""
    SPARSE_TEXT = 2
    """Nonzero values as text."""
    CHUNKS = 3
    """Chunks that are members of an archive."""
    OTHER_BINARY = 4
    """Dense, or in an order that only the content shows."""
    WHOLE = 5
    """A file that is read whole."""
    TABLE = 6
    """A table with a field for each value, zeros included."""


@dataclass(frozen=True)
class FormatInfo:
    """Facts about a format, for endings, laws and docs/reference/formats.md."""

    name: str
    reader: str
    """Name of the module below `dpss.formats` that reads the format."""
    endings: tuple[str, ...]
    """Endings of its files, in lower case, with endings of compression and archives."""
    cost: Cost = Cost.OTHER_BINARY
    is_sure: bool = False
    """Whether every file with such an ending is a matrix, so that a damaged one is a failure."""
    shared_endings: tuple[str, ...] = ()
    """Endings that other files have, too; they remain in a matrix's name."""
    marks: tuple[str, ...] = ()
    """Patterns of `fnmatch` for names of files whose folder is one matrix."""
    real_files: tuple[str, ...] = ()
    """Names of real files that the tests read."""
    constant_memory: str = "yes"
    """Whether memory is independent of the file's size, with exceptions."""


OpenBeside = Callable[["Tree", str, Collection[str], "OpenOptions"], "Matrix"]


@dataclass(frozen=True)
class FormatFunctions:
    """Functions that recognise and open the files of a format."""

    open: Callable[[Source, OpenOptions], tuple[Matrix, ...]]
    """Opens a file, folder or zip archive, given the options."""
    is_file: Callable[[Blob], bool] | None = None
    """Whether a file is of this format, by its first bytes (`dpss.storage.compression.peek`).

    Only the first `dpss.storage.archives.HEAD_BYTES` stored bytes may be available.
    """
    is_folder: Callable[[Tree], bool] | None = None
    """Returns whether a folder or archive is a matrix of this format."""
    axes_of: Callable[[Blob], tuple[AxisKind, AxisKind]] | None = None
    """Returns the kinds of names of a table's lines and columns; ``None`` for formats that only
    matrices have."""
    open_beside: OpenBeside | None = None
    """Opens a file of a folder or archive with the tables beside it, given its path and the paths
    of all files of this format."""
    folders: Callable[[Tree], Sequence[str]] | None = None
    """Returns the folders of a tree that are one matrix each."""


@dataclass(frozen=True)
class Format:
    """A format of files, or of folders and archives that are one matrix.

    Listing, naming, recognition, unpacking and opening of matrices use this record.
    """

    infos: tuple[FormatInfo, ...]
    load: Callable[[], FormatFunctions]
    """Imports the reader and returns its functions; called when one of them is first needed."""
    random_access: bool = False
    """Whether reading needs random access, so that a stream is copied first."""
    read_whole: bool = False
    """Whether the whole file is read to open it; it is then recognised by its first bytes."""

    @cached_property
    def functions(self) -> FormatFunctions:
        """The functions of the reader."""
        return self.load()
