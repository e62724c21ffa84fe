"""Matrices of a file by their names: the only one, one of several, or all of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from dpss.errors import MatrixError, NoMatrixError, UnknownFormatError
from dpss.formats.base import Matrix
from dpss.formats.discovery import OpenFailure, iter_matrices
from dpss.formats.options import OpenOptions
from dpss.storage.locations import Source

T = TypeVar("T")

NO_MATRIX = (NoMatrixError, UnknownFormatError)
"""Errors of a member of a file that is no matrix."""


def make_named(
    source: Source,
    wanted: str | None,
    options: OpenOptions,
    make: Callable[[Matrix], T],
    *,
    every: str,
) -> dict[str, T]:
    """Make something of matrices of a file, and return it by the matrix's name.

    Args:
        source: A file, folder or archive.
        wanted: Name of the matrix; ``None`` for the only one.
        options: Settings of opening.
        make: Called with each wanted matrix; it can be read during the call only.
        every: Value of ``wanted`` that means all matrices.

    Raises:
        MatrixError: No matrix has this name, or no name is given and there are several.
    """
    made: dict[str, T] = {}
    names: list[str] = []
    with closing(iter_matrices(source, options)) as matrices:
        for found in matrices:
            if isinstance(found, OpenFailure):
                if found.name == wanted or not isinstance(found.error, NO_MATRIX):
                    raise found.error
                continue
            names.append(found.name)
            # Of several without a name the first is made all the same: a next one may not exist.
            if wanted in (every, found.name) or (wanted is None and not made):
                made[found.name] = make(found)
    if not made or (wanted is None and len(names) > 1):
        said = ", ".join(map(repr, names))
        raise MatrixError(
            f"{source.url}: holds {len(names)} matrices; choose one by matrix=, or all by "
            f"matrix={every!r}: {said}"
        )
    return made
