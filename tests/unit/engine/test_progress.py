"""Progress of the passes over a matrix."""

from __future__ import annotations

from pathlib import Path

from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.progress import NullProgress
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.engine.summarizer import summarize_matrix
from dpss.formats.registry import open_matrices
from dpss.storage.local import LocalFile
from dpss.summary.builder import Identity
from dpss.summary.record import MatrixInfo, Provenance
from tests.unit.small import counts, write_h5ad_csr


class Recorded(NullProgress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.passes: list[list[int]] = []
        self.ended = 0

    def begin(self, label: str, n_values: int | None) -> None:
        assert len(self.passes) == self.ended, "a pass begins when the one before has ended"
        self.passes.append([n_values or 0, 0])

    def advance(self, n_values: int) -> None:
        self.passes[-1][1] += n_values

    def end(self) -> None:
        self.ended += 1


def test_each_pass_tells_of_every_value(tmp_path: Path) -> None:
    """What is announced is what is read, pass by pass."""
    path = tmp_path / "a.h5ad"
    drawn = counts(3)
    write_h5ad_csr(path, drawn)
    (matrix,) = open_matrices(LocalFile(path))
    progress = Recorded()
    info = MatrixInfo("", "a", "h5ad", "X", "f")
    summarize_matrix(
        matrix, lambda *_: Identity("p", "P", info, Provenance("0", {})), StatSettings(),
        ReadSettings(), ThreadExecutor(2), progress,
    )  # fmt: skip
    n_values = int((drawn.matrix != 0).sum())
    assert progress.passes == [[n_values, n_values]] * progress.ended
    assert progress.ended >= 1
