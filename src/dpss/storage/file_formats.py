"""The endings of matrix files, of each format, in one table.

The content of a file decides its format (`dpss.formats.registry`). The ending decides which of
several files of one matrix is read, which file must be a matrix, and which part of the file's name
is not part of the matrix's name.
"""

from __future__ import annotations

from dataclasses import dataclass

PACKING_SUFFIXES = (".gz", ".bgz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz", ".tbz2", ".txz")
"""Endings that name the compression or the archive."""


@dataclass(frozen=True)
class FileFormat:
    """A file format with its endings."""

    name: str
    suffixes: tuple[str, ...]
    """Endings of its files, in lower case, with those of compression and archives."""
    sure: bool = False
    """Whether every file with such an ending is a matrix, so that a damaged one is a failure."""
    names_format: bool = True
    """Whether the ending names the format, so that it is no part of a matrix's name."""


FILE_FORMATS = (
    FileFormat("h5ad", (".h5ad",), sure=True),
    FileFormat("HDF5", (".h5", ".hdf5"), sure=True),
    FileFormat("h5mu", (".h5mu",), sure=True),
    FileFormat("mtx", (".mtx", ".mtx.gz", ".mtx.zip"), sure=True),
    FileFormat("zarr", (".zarr.zip",), sure=True),
    FileFormat("loom", (".loom",), sure=True),
    FileFormat("h5Seurat", (".h5seurat",), sure=True),
    FileFormat("npz", (".npz",)),
    FileFormat("R", (".rds", ".rdata", ".rda", ".robj")),
    FileFormat("Parquet", (".parquet",)),
    FileFormat("Feather", (".feather",)),
    FileFormat("text", (".csv", ".csv.gz", ".csv.zip", ".tsv", ".tsv.gz", ".tsv.zip")),
    FileFormat("text without a word on its format", (".txt.gz",), names_format=False),
    FileFormat("archive", (".zip", ".tar.gz"), names_format=False),
)
"""All formats, the cheapest to read first: sparse binary, sparse text, dense binary, text."""


def cost(file_name: str) -> int:
    """Return a rank of the cost to read a file, by its name; lower is cheaper.

    >>> cost("a.h5ad") < cost("a.mtx.zip") < cost("a.loom") < cost("a.csv.zip")
    True
    """
    name = file_name.lower()
    places = (i for i, each in enumerate(FILE_FORMATS) if name.endswith(each.suffixes))
    return next(places, len(FILE_FORMATS))


def is_sure(file_name: str) -> bool:
    """Return whether a file of this name must be a matrix.

    >>> is_sure("a.hdf5"), is_sure("a.csv")
    (True, False)
    """
    return file_name.lower().endswith(_SURE)


def may_be_matrix(file_name: str) -> bool:
    """Return whether a file of this name may be or contain a matrix."""
    return file_name.lower().endswith(_ALL)


def stem_of(file_name: str) -> str:
    """Return a file's name without the endings that name its format.

    >>> stem_of("heart.v2.mtx.gz"), stem_of("notes.txt"), stem_of(".h5ad")
    ('heart.v2', 'notes.txt', '.h5ad')
    """
    name = file_name
    for suffixes in (PACKING_SUFFIXES, PACKING_SUFFIXES, _NAMING):
        name = _without(name, suffixes)
    return name or file_name


def _without(name: str, suffixes: tuple[str, ...]) -> str:
    """Return a name without the ending that it has of these, if any."""
    suffix = next((each for each in suffixes if name.lower().endswith(each)), "")
    return name[: len(name) - len(suffix)]


_ALL = tuple(suffix for each in FILE_FORMATS for suffix in each.suffixes)
_SURE = tuple(suffix for each in FILE_FORMATS if each.sure for suffix in each.suffixes)
_NAMING = tuple(
    dict.fromkeys(
        _without(suffix, PACKING_SUFFIXES)
        for each in FILE_FORMATS
        if each.names_format
        for suffix in each.suffixes
    )
)
