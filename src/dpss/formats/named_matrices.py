"""Access to matrices of a file by name: the only one, one of several, or all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from dpss.errors import MatrixError, NoMatrixError, UnknownFormatError, plural
from dpss.formats.base import Matrix
from dpss.formats.discovery import OpenFailure, iter_matrices
from dpss.formats.options import OpenOptions
from dpss.storage.locations import Source

T = TypeVar("T")

NO_MATRIX = (NoMatrixError, UnknownFormatError)
"""Errors for a member of a file that is no matrix."""


def apply_by_name(
    source: Source,
    wanted: str | None,
    options: OpenOptions,
    apply: Callable[[Matrix], T],
    *,
    every: str,
) -> dict[str, T]:
    """Apply a function to matrices of a file; return the results by the matrix's name.

    Args:
        source: A file, folder or archive.
        wanted: Name of the matrix; ``None`` for the only one.
        options: Settings of opening.
        apply: Function of a wanted matrix, which can be read during the call only.
        every: Value of ``wanted`` that stands for all matrices.

    Raises:
        MatrixError: No matrix has this name, or no name is given and there are several.
    """
    results: dict[str, T] = {}
    names: list[str] = []
    with closing(iter_matrices(source, options)) as matrices:
        for found in matrices:
            if isinstance(found, OpenFailure):
                if found.name == wanted or not isinstance(found.error, NO_MATRIX):
                    raise found.error
                continue
            names.append(found.name)
            # Without a name the first one is taken, as a second one may not exist.
            if wanted in (every, found.name) or (wanted is None and not results):
                results[found.name] = apply(found)
    if not results or (wanted is None and len(names) > 1):
        listed = ", ".join(map(repr, names))
        raise MatrixError(
            f"{source.url}: holds {plural(len(names), 'matrix')}; choose one by matrix=, or all by "
            f"matrix={every!r}: {listed}"
        )
    return results
