"""One call from a path to a summary, without files or figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.progress import NullProgress
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.engine.summarizer import summarize_matrix
from dpss.formats.base import Layer, Matrix
from dpss.formats.registry import Source, open_matrices
from dpss.storage.local import LocalFile, LocalFolder
from dpss.summary.builder import Identity
from dpss.summary.record import MatrixInfo, Provenance, Summary


def source_of(path: Path) -> Source:
    """Return a file or folder as a source."""
    return LocalFolder(path) if path.is_dir() else LocalFile(path)


def summarise_matrix(
    matrix: Matrix, *, threads: int = 2, expected_cells: int | None = None, **settings: Any
) -> Summary:
    """Summarise an opened matrix, without an embedding unless it is asked for."""

    def identify(opened: Matrix, layer: Layer) -> Identity:
        info = MatrixInfo(opened.name, "test", opened.format, layer.name, "test")
        return Identity("test", "test", info, Provenance("0", {}))

    return summarize_matrix(
        matrix, identify, StatSettings(**{"embedding": False, **settings}), ReadSettings(),
        ThreadExecutor(threads), NullProgress(), expected_cells,
    )  # fmt: skip


def summarise(path: Path, **settings: Any) -> Summary:
    """Summarise the only matrix of a file or folder."""
    (matrix,) = open_matrices(source_of(path))
    return summarise_matrix(matrix, **settings)
