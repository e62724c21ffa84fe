"""One call from a path to a summary, without files or figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dpss.building import Identity
from dpss.executors.threads import ThreadExecutor
from dpss.formats import Layer, Matrix
from dpss.formats.table import Source, open_matrices
from dpss.settings import ReadSettings, StatSettings
from dpss.stores.local import LocalFile, LocalFolder
from dpss.summarizing import SilentProgress, summarize_matrix
from dpss.summary import MatrixInfo, Provenance, Summary


def source_of(path: Path) -> Source:
    """Return a file or folder as a source."""
    return LocalFolder(path) if path.is_dir() else LocalFile(path)


def summarise_matrix(
    matrix: Matrix, *, threads: int = 2, expected_cells: int | None = None, **settings: Any
) -> Summary:
    """Summarise an opened matrix."""

    def identify(opened: Matrix, layer: Layer) -> Identity:
        info = MatrixInfo(opened.name, "test", opened.format, layer.name, "test")
        return Identity("test", "test", info, Provenance("0", {}))

    return summarize_matrix(
        matrix, identify, StatSettings(**settings), ReadSettings(), ThreadExecutor(threads),
        SilentProgress(), expected_cells,
    )  # fmt: skip


def summarise(path: Path, **settings: Any) -> Summary:
    """Summarise the only matrix of a file or folder."""
    (matrix,) = open_matrices(source_of(path))
    return summarise_matrix(matrix, **settings)
