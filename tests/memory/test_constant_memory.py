"""Peak memory does not depend on the number of cells, measured on the real command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import inputs
from benchmarks.groups import CGROUP, RLIMIT, limited
from benchmarks.measuring import Limits, Measurement, dpss_command, measure
from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.folds import CellFold, MeasureFold, Reading
from dpss.formats.registry import open_matrices
from dpss.stats.accumulator import Features
from dpss.stats.kernels import layout
from dpss.storage.local import LocalFile

N_CELLS = 10_000
LIMIT_BYTES = 400 << 20
MORE_BYTES = 24 << 20
MORE_EMBEDDING_BYTES = 32 << 20
pytestmark = pytest.mark.slow


def write_h5ad(path: Path, n_cells: int) -> int:
    """Write an h5ad with cells of few genes, so that it's quickly made and read."""
    return inputs.write_h5ad(path, n_cells, genes_per_cell=500)


def write_mtx(path: Path, n_cells: int, genes_per_cell: int = 200) -> int:
    """Write a Cell Ranger folder with cells of few genes, for the same reason."""
    return inputs.write_mtx(path, n_cells, genes_per_cell=genes_per_cell)


def summarize(path: Path, n_cells: int, *more: object) -> Measurement:
    """Run ``dpss summarize``, and check that it saw all cells."""
    output = path.with_name(path.name + "-out")
    command = dpss_command("summarize", path, "--cells", "--output", output, "--threads", 2, *more)
    found = measure(command, path.parent, Limits(time_seconds=600))
    assert found.ok, found.output
    (summary,) = output.glob("*/summary.json")
    assert json.loads(summary.read_text())["n_cells"] == n_cells
    return found


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile all loops once, those of figures, too: to compile takes memory."""
    folder = tmp_path_factory.mktemp("small")
    for write, name in ((write_h5ad, "small.h5ad"), (write_mtx, "small")):
        write(folder / name, 240)  # Enough for an embedding.
        summarize(folder / name, 240)


@pytest.mark.parametrize(
    ("write", "name"), [(write_h5ad, "m.h5ad"), (write_mtx, "m")], ids=["h5ad", "mtx.gz"]
)
def test_ten_times_the_cells(write: Callable[[Path, int], int], name: str, tmp_path: Path) -> None:
    """10,000 and 100,000 cells × 33,000 genes: at most 400 MiB, and 24 MiB more.

    Measured: 12 to 15 MiB. The sample of cells has room for 65,536, with 56 bytes each, and the
    counts of cells by value for as many distinct values: 10,000 cells fill neither.
    """
    peaks = []
    for n_cells in (N_CELLS, 10 * N_CELLS):
        path = tmp_path / str(n_cells) / name
        path.parent.mkdir()
        write(path, n_cells)
        peaks.append(summarize(path, n_cells, "--no-embedding").peak_bytes)
    assert max(peaks) <= LIMIT_BYTES
    assert peaks[1] <= peaks[0] + MORE_BYTES


def test_ten_times_the_cells_with_an_embedding(tmp_path: Path) -> None:
    """20,000 cells, which fill the sketch, and 200,000: at most 400 MiB, and 32 MiB more.

    Two bytes per cell are kept, and the second thread has as many cells as the first.
    """
    peaks = []
    for n_cells in (2 * N_CELLS, 20 * N_CELLS):
        path = tmp_path / str(n_cells) / "m"
        path.parent.mkdir()
        write_mtx(path, n_cells, 100)
        peaks.append(summarize(path, n_cells).peak_bytes)
    assert max(peaks) <= LIMIT_BYTES
    assert peaks[1] <= peaks[0] + MORE_EMBEDDING_BYTES


def test_more_values_than_an_int32_can_count(tmp_path: Path) -> None:
    """The end of a matrix of 2.2 thousand million values is read as its beginning is.

    `make bench` reads the whole of it.
    """
    path = tmp_path / "m.h5ad"
    n_cells = inputs.write_many_values(path, 2_200_000_000)
    (layer,) = open_matrices(LocalFile(path))[0].layers
    assert layer.n_values is not None
    assert layer.n_values > 2**31
    partitions = layer.partitions(16 << 20)
    assert partitions[-1].stop == n_cells
    assert partitions[-1].start * 1000 > 2**31
    is_gene = layer.genes.is_gene
    features = Features(is_gene, np.zeros(len(is_gene), bool), np.empty(0, dtype=np.int64))
    reading = Reading(layer, 1 << 20)
    one_pass, measures = CellFold(reading, features, 0), MeasureFold(reading, features)
    for partition in (partitions[0], partitions[-1]):
        sums = ThreadExecutor(1).fold(one_pass, [partition], lambda _: None).result()
        assert sums.cells.n_cells == len(partition)
        assert (sums.genes.table[:, layout.TOTAL] == len(partition)).all()
        assert sums.cells.total_counts.values.tolist() == [1000.0]
        cells = ThreadExecutor(1).fold(measures, [partition], lambda _: None).cells(1)
        assert cells.n_cells_kept == len(partition)
        assert cells.total_counts.values.tolist() == [1000.0]


def test_the_measure_itself(tmp_path: Path) -> None:
    """What is measured is the child's memory, not that of the large process that runs the tests."""
    small, large = (
        measure([*dpss_command()[:1], "-c", text], tmp_path)
        for text in ("pass", "held = b'x' * (100 << 20)")
    )
    assert small.ok
    assert small.peak_bytes < 32 << 20
    assert 100 << 20 < large.peak_bytes < 132 << 20


def test_helper_processes_count(tmp_path: Path) -> None:
    """What a command's own children hold at the same time is added."""
    one = "import time; held = b'x' * (60 << 20); time.sleep(3)"
    two = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {one!r}]); "
    found = measure([*dpss_command()[:1], "-c", two + one + "; child.wait()"], tmp_path)
    assert 60 << 20 < found.largest_process_bytes < 90 << 20
    assert 120 << 20 < found.peak_bytes < 160 << 20


def test_a_real_limit(tmp_path: Path) -> None:
    """Under a limit that the machine enforces, what fits runs and what does not is ended."""
    command = [*dpss_command()[:1], "-c"]
    for n_mib, status in ((20, "ok"), (400, "out of memory")):
        with limited(Limits(time_seconds=60), 200 << 20) as (limits, how):
            found = measure([*command, f"held = b'x' * ({n_mib} << 20)"], tmp_path, limits)
        assert (found.status, how in (CGROUP, RLIMIT)) == (status, True)


def test_limits_hold(tmp_path: Path) -> None:
    """A child that takes too much memory or time is ended, and it's said which."""
    python = dpss_command()[:1]
    fat = measure(
        [*python, "-c", "import time; held = b'x' * (200 << 20); time.sleep(60)"],
        tmp_path,
        Limits(memory_bytes=100 << 20),
    )
    slow = measure(
        [*python, "-c", "import time; time.sleep(60)"], tmp_path, Limits(time_seconds=0.5)
    )
    refused = measure(
        [*python, "-c", "held = bytes(500 << 20)"], tmp_path, Limits(data_bytes=300 << 20)
    )
    assert (fat.status, slow.status, refused.status) == (
        "out of memory",
        "out of time",
        "out of memory",
    )
