"""Endings of matrix files, derived from the table of formats.

A file's content decides its format (`dpss.formats.registry`). Its ending decides which of several
files of one matrix is read, whether the file must be a matrix, and the matrix's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from dpss.formats.registry import FORMATS
from dpss.storage.names import safe_name, unique_names

PACKING_ENDINGS = (".gz", ".bgz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz", ".tbz2", ".txz")
"""Endings of compression and archives."""
_ARCHIVES = (".zip", ".tar.gz")


@dataclass(frozen=True)
class _Endings:
    """All endings by their use; of equal endings the first counts."""

    by_cost: tuple[tuple[str, ...], ...]
    """Endings of each format, the cheapest to read first."""
    every: tuple[str, ...]
    sure: tuple[str, ...]
    naming: tuple[str, ...]
    """Endings of formats, without those of compression and archives."""
    marks: tuple[str, ...]


@cache
def _endings() -> _Endings:
    """Return the endings of all formats."""
    infos = sorted((info for each in FORMATS for info in each.infos), key=lambda info: info.cost)
    shared = tuple(ending for info in infos for ending in info.shared_endings)
    by_cost = (*(info.endings for info in infos), shared, _ARCHIVES)
    own = [ending for info in infos for ending in info.endings]
    return _Endings(
        by_cost,
        every=tuple(ending for endings in by_cost for ending in endings),
        sure=tuple(ending for info in infos if info.is_sure for ending in info.endings),
        naming=tuple(dict.fromkeys(_without(ending, PACKING_ENDINGS) for ending in own)),
        marks=tuple(mark for info in infos for mark in info.marks),
    )


def cost(file_name: str) -> int:
    """Return the rank of the cost to read a file, by its name; lower is cheaper.

    >>> cost("a.h5ad") < cost("a.mtx.zip") < cost("a.loom") < cost("a.csv.zip")
    True
    """
    name = file_name.lower()
    ranks = _endings().by_cost
    return next((i for i, each in enumerate(ranks) if name.endswith(each)), len(ranks))


def is_sure(file_name: str) -> bool:
    """Return whether a file of this name must be a matrix.

    >>> is_sure("a.hdf5"), is_sure("a.csv")
    (True, False)
    """
    return file_name.lower().endswith(_endings().sure)


def may_be_matrix(file_name: str) -> bool:
    """Return whether a file of this name may be or contain a matrix."""
    return file_name.lower().endswith(_endings().every)


def is_of_matrix_folder(file_name: str) -> bool:
    """Return whether the folder of a file of this name is one matrix.

    >>> is_of_matrix_folder("matrix.mtx.gz"), is_of_matrix_folder("zarr.json")
    (True, True)
    """
    return any(fnmatchcase(file_name, mark) for mark in _endings().marks)


def stem_of(file_name: str) -> str:
    """Return a file's name without the endings that name its format.

    >>> stem_of("heart.v2.mtx.gz"), stem_of("notes.txt"), stem_of(".h5ad")
    ('heart.v2', 'notes.txt', '.h5ad')
    """
    name = file_name
    for endings in (PACKING_ENDINGS, PACKING_ENDINGS, _endings().naming):
        name = _without(name, endings)
    return name or file_name


def names_of_files(file_names: Sequence[str]) -> list[str]:
    """Return unique safe names of files: stems, or full names for equal stems.

    >>> names_of_files(["a.h5ad", "b.h5ad", "b.mtx.zip"])
    ['a', 'b.h5ad', 'b.mtx.zip']
    """
    stems = [stem_of(name) for name in file_names]
    counts = Counter(safe_name(stem).casefold() for stem in stems)
    return unique_names(
        stem if counts[safe_name(stem).casefold()] == 1 else name
        for stem, name in zip(stems, file_names, strict=True)
    )


def _without(name: str, endings: tuple[str, ...]) -> str:
    """Return a name without the first of these endings that it has, if any."""
    ending = next((each for each in endings if name.lower().endswith(each)), "")
    return name[: len(name) - len(ending)]
