"""Matrices larger than memory, in the image under an engine's limit."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest

from tests.infra.docker import LOCKED, Image
from tests.infra.terraform import HEAVY
from tests.memory.test_one_large_file import last_report, write_large_rds
from tests.unit.small import counts, write_h5ad_csr

pytestmark = HEAVY

N_CELLS, N_GENES, PER_CELL = 1_000_000, 30_000, 40
BLOCK = 50_000


def write_large(path: Path) -> tuple[np.ndarray, float]:
    """Write cells with ``PER_CELL`` values each; return cells per gene, and the sum of all."""
    h5py = pytest.importorskip("h5py")
    rng = np.random.default_rng(11)
    n_cells_of, total = np.zeros(N_GENES, dtype=np.int64), 0.0
    step = N_GENES // PER_CELL
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        for group, n in (("obs", N_CELLS), ("var", N_GENES)):
            table = file.create_group(group)
            table.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0"})
            table.attrs.update({"_index": "_index", "column-order": np.array([], dtype="S1")})
            names = np.char.add(group, np.arange(n).astype(str)).astype(object)
            table.create_dataset("_index", data=names, dtype=h5py.string_dtype())
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = np.array([N_CELLS, N_GENES])
        n_values = N_CELLS * PER_CELL
        group.create_dataset("indptr", data=np.arange(N_CELLS + 1, dtype=np.int64) * PER_CELL)
        options = {"shape": (n_values,), "chunks": (1 << 18,), "compression": "lzf"}
        indices = group.create_dataset("indices", dtype="i4", **options)
        data = group.create_dataset("data", dtype="f4", **options)
        for start in range(0, N_CELLS, BLOCK):
            # One gene in each of as many stretches as a cell has values: sorted, none twice.
            genes = rng.integers(0, step, (BLOCK, PER_CELL)) + np.arange(PER_CELL) * step
            values = rng.poisson(1.5, genes.shape) + 1
            place = slice(start * PER_CELL, (start + BLOCK) * PER_CELL)
            indices[place] = genes.ravel()
            data[place] = values.ravel()
            n_cells_of += np.bincount(genes.ravel(), minlength=N_GENES)
            total += float(values.sum())
    return n_cells_of, total


def test_a_million_cells_in_512_mib(image: Image, tmp_path: Path) -> None:
    """1,000,000 × 30,000, read-only, without capabilities: every number, and the peak is said.

    As floats they would be 240 GB, and their values alone 480 MB.
    """
    path = tmp_path / "large.h5ad"
    n_cells_of, total = write_large(path)
    tmp_path.chmod(0o755)
    output = tmp_path / "out"
    output.mkdir()
    output.chmod(0o777)
    start = time.monotonic()
    said = image.docker(
        "run", "--rm", "--network=none", *LOCKED, f"--volume={path}:/data/large.h5ad:ro",
        f"--volume={output}:/out", "--entrypoint=sh", image.name, "-c",
        "dpss summarize /data/large.h5ad --output /out 2>&1; echo code $?; "
        "cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes /sys/fs/cgroup/memory.peak "
        "2>/dev/null",
        timeout=600, ok=(0, 1),
    ).stdout  # fmt: skip
    seconds = time.monotonic() - start
    assert "code 0" in said, said
    # With what the kernel keeps of the file that was read, which it gives back when it has to.
    peak = [int(number) for number in re.findall(r"^\d+$", said, re.M)]
    print(f"{seconds:.1f} s; {max(peak, default=0) / 2**20:.0f} MiB with the cache of files")
    (summary,) = output.glob("**/summary.json")
    found = json.loads(summary.read_text())
    assert (found["n_cells"], found["n_genes"]) == (N_CELLS, N_GENES)
    assert found["total_counts"] == total
    lines = (summary.parent / "genes.csv").read_text().splitlines()
    column = lines[0].split(",").index("n_cells_by_counts")
    assert [int(line.split(",")[column]) for line in lines[1:]] == n_cells_of.tolist()


def test_an_r_file_costs_itself_only(image: Image, tmp_path: Path) -> None:
    """0.9 GiB of doubles among six good matrices: 1 fails, day by day, and all is written."""
    folder, output = tmp_path / "in", tmp_path / "out"
    for made in (folder, output):
        made.mkdir()
        made.chmod(0o777)
    good = {f"good-{number}" for number in range(6)}
    for number, name in enumerate(sorted(good)):
        write_h5ad_csr(folder / f"{name}.h5ad", counts(number))
    write_large_rds(folder / "bad.rds")
    for day in (1, 2):
        done = image.docker(
            "run", "--rm", "--network=none", *LOCKED, f"--volume={folder}:/data:ro",
            f"--volume={output}:/out", image.name, "--input=/data", "--output=/out",
            "--metrics=emf", timeout=600, ok=(1,),
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert f"{'6 published, 0' if day == 1 else '0 published, 6'} unchanged" in said
        assert '"_aws"' in said
        entries = last_report(output)
        bad = entries.pop("bad")
        assert set(entries) == good
        assert (bad["status"], bad["lost"]) == ("failed", False)
        assert "needs more than" in str(bad["reason"])
        page = (output / "index.html").read_text()
        assert all(name in page for name in good)
