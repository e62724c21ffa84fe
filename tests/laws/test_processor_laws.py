"""The same bytes on other processors: other kernels of OpenBLAS and numpy, any threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.unit.engine.test_embedding import adata_of, counts_of
from tools.published_bytes import checksums, differences

KERNELS = {
    "SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
    "Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "Prescott": {"OPENBLAS_CORETYPE": "Prescott"},
}
_PRODUCT = """
import hashlib
import numpy as np
numbers = np.random.default_rng(0).normal(size=(300, 300))
print(hashlib.sha256((numbers @ numbers).tobytes()).hexdigest())
"""


def dispatched() -> str:
    """Instructions that numpy uses where the processor has them, and can be told not to."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))


def environment(kernel: str, *, plain: bool = False) -> dict[str, str]:
    """Return the environment of a process with one of OpenBLAS's kernels.

    Args:
        kernel: One of `KERNELS`.
        plain: Whether numpy uses the instructions of every processor only.
    """
    more = {"NPY_DISABLE_CPU_FEATURES": dispatched()} if plain else {}
    path = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    return {**os.environ, **KERNELS[kernel], **more, "PYTHONPATH": path}


def product_of(kernel: str) -> str:
    """Return a checksum of a product of matrices, as a kernel computes it."""
    command = [sys.executable, "-c", _PRODUCT]
    made = subprocess.run(
        command, env=environment(kernel), capture_output=True, text=True, check=True
    )
    return made.stdout


def published(matrix: Path, output: Path, threads: int, env: dict[str, str]) -> dict[str, str]:
    """Summarise a matrix in a process of its own; return checksums of all files."""
    command = [sys.executable, "-m", "dpss", "summarize", str(matrix), "--output", str(output)]
    command += ["--threads", str(threads), "--cells"]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found = checksums(output)
    assert any(name.endswith("markers.csv") for name in found)
    assert any(name.endswith("annotation_clusters.png") for name in found)
    assert any(name.endswith("cells.csv.gz") for name in found)
    return found


def of_cells(name: str) -> bool:
    """Return whether a file is of the embedding or the annotations: a table or a figure."""
    words = ("clusters", "markers", "cells.csv", "annotation", "umap", "pca", "cluster_qc")
    return any(word in name for word in words)


@pytest.mark.slow
def test_files_are_the_same_with_other_kernels_and_threads(tmp_path: Path) -> None:
    """Every published byte: figures, tables, cells, numbers; embedding and annotations included.

    The kernels are seen to differ: they give other bits for a product of matrices.
    """
    if len({product_of(kernel) for kernel in KERNELS}) < 2:
        pytest.skip("this numpy has no other kernels of OpenBLAS")
    matrix, kinds = counts_of(3, 600)
    adata = adata_of(matrix)
    adata.obs["cell_type"] = np.array([f"type {kind}" for kind in kinds])
    path = tmp_path / "m.h5ad"
    adata.write_h5ad(path)
    first = published(path, tmp_path / "first", 1, environment("SkylakeX"))
    for kernel, threads, plain in (("Haswell", 8, False), ("Prescott", 2, True)):
        other = published(path, tmp_path / kernel, threads, environment(kernel, plain=plain))
        if plain:
            # numpy's logarithms differ by one bit without AVX: in genes.csv and in thresholds.
            other |= {name: first[name] for name in other if not of_cells(name)}
        assert differences(first, other) == [], (kernel, threads)
