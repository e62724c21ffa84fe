"""Small matrices and jobs for tests, quick to make and to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dpss.catalogs.local import LocalCatalog
from dpss.compute.thread_executor import ThreadExecutor
from dpss.demo.cells import Counts
from dpss.demo.files import write_h5ad_csr, write_tenx_h5
from dpss.engine.progress import NullProgress, Progress
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.job.base import Job
from dpss.job.pipeline import Pipeline
from dpss.job.plan.steps import Step
from dpss.job.publication import Recipe
from dpss.job.report.outcomes import Outcome
from dpss.job.stop import NeverStop, Stop
from dpss.job.tables import tables_of, with_summary
from dpss.storage.base import Store
from dpss.summary.manifest import NOTHING, Manifest
from dpss.summary.record import Summary

__all__ = ["FewFigures", "Notebook", "counts", "job_of", "write_h5ad_csr", "write_tenx_h5"]


def counts(seed: int = 0, n_cells: int = 30, n_genes: int = 25) -> Counts:
    """Return random counts with two mitochondrial genes."""
    rng = np.random.default_rng(seed)
    matrix = rng.poisson(rng.lognormal(0, 1.5, n_genes), (n_cells, n_genes)).astype(np.int32)
    names = ["MT-ND1", "MT-ND2", *(f"GENE{i}" for i in range(2, n_genes))]
    return Counts(
        matrix, names, [f"ID{i}" for i in range(n_genes)], [f"CELL{i}" for i in range(n_cells)]
    )


def write_scaled(path: Path) -> None:
    """Write an h5ad with nothing but negative values in it."""
    write_h5ad_csr(path, counts())
    with h5py.File(path, "r+") as file:
        file["X/data"][...] = -1.5


def write_two_genomes(path: Path) -> None:
    """Write what Cell Ranger 2 wrote for a mixture of two species: a group for each."""
    with h5py.File(path, "w") as file:
        for seed, genome in enumerate(("hg19", "mm10")):
            drawn = counts(seed)
            cells, genes = np.nonzero(drawn.matrix)
            group = file.create_group(genome)
            group["data"] = drawn.matrix[cells, genes]
            group["indices"] = genes
            group["indptr"] = np.searchsorted(cells, np.arange(len(drawn.matrix) + 1))
            group["shape"] = np.array(drawn.matrix.shape[::-1], dtype=np.int32)
            group["genes"] = np.array(drawn.ids, dtype="S")
            group["gene_names"] = np.array(drawn.symbols, dtype="S")
            group["barcodes"] = np.array(drawn.barcodes, dtype="S")


class FewFigures:
    """Draws nothing: pretends that there is one figure, unless it's to be left out."""

    def __init__(self, *names: str) -> None:
        """Draw these files."""
        self.names = names or ("knee.png", "knee.svg")

    def __call__(
        self, summary: Summary, progress: Progress, more: Manifest = NOTHING
    ) -> dict[str, bytes]:
        """Return the tables and a file for each name."""
        progress.begin("drawing", 1)
        progress.end()
        figures = {name: str(summary.total_counts).encode() for name in self.names}
        return with_summary(summary, figures | tables_of(summary), more)


class Notebook:
    """An listener that writes down what it's told."""

    def __init__(self) -> None:
        self.steps: Sequence[Step] = ()
        self.begun: list[str] = []
        self.outcomes: list[Outcome] = []

    def on_plan(self, steps: Sequence[Step]) -> None:
        self.steps = steps

    def on_start(self, step: Step) -> Progress:
        self.begun.append(step.label)
        return NullProgress()

    def on_finish(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


def job_of(
    folder: Path,
    store: Store,
    *,
    stats: StatSettings | None = None,
    stop: Stop | None = None,
    version: str = "1",
    figures: FewFigures | None = None,
    **changes: Any,
) -> Job:
    """Return a run over a folder, without figures and without processes."""
    stats = stats or StatSettings()
    pipeline = Pipeline(
        store=store,
        stats=stats,
        read=ReadSettings(threads=2),
        recipe=Recipe(version, dict(stats.as_mapping())),
        executor=ThreadExecutor(2),
        stop=stop or NeverStop(),
        render=figures or FewFigures(),
    )
    catalog = LocalCatalog(str(folder), lambda _: False)
    job = Job(catalog, pipeline, Notebook(), lambda: datetime.now(UTC))
    return replace(job, **changes)


@contextmanager
def never_opened(ref: object) -> Iterator[Any]:
    """Fail a test that opens a matrix where none should be read."""
    raise AssertionError(f"{ref} was opened")
    yield
