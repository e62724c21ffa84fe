"""Libraries that results are compared with, without a minute of compiling on a new machine."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import scipy.sparse as sp

VECTORISED = {"top_segment_proportions_sparse_csr", "rankdata", "_tiecorrect"}
"""Functions of scanpy that call numpy for a whole row or column: as fast without being compiled."""

OF_UMAP = """
import sys
import numpy, scipy.sparse
from umap.umap_ import fuzzy_simplicial_set

given = numpy.load(sys.argv[1])
graph, *_ = fuzzy_simplicial_set(
    given["points"], given["places"].shape[1], numpy.random.RandomState(0), "euclidean",
    knn_indices=given["places"], knn_dists=given["distances"],
)
scipy.sparse.save_npz(sys.argv[2], scipy.sparse.csr_matrix(graph))
"""


@cache
def scanpy() -> Any:
    """Return scanpy, whose loops run in one thread.

    Compiled for several threads they take twice as long to compile, and `VECTORISED` most of all.
    The only place of the tests that imports it.
    """
    import numba

    compile_ = numba.njit

    def serial(*function: Any, **options: Any) -> Any:
        if function and function[0].__name__ in VECTORISED:
            return function[0]
        return compile_(*function, **options | {"parallel": False})

    with patch.object(numba, "njit", serial):
        import scanpy
    return scanpy


def umaps_graph(
    points: np.ndarray, places: np.ndarray, distances: np.ndarray, folder: Path
) -> sp.csr_matrix:
    """Return umap-learn's fuzzy simplicial set, by a process in which it compiles nothing.

    Args:
        points: Shape ``(n_cells, n_dimensions)``.
        places: Neighbours of each cell, which itself is the first, ``(n_cells, n_neighbours)``.
        distances: Their distances, of the same shape.
        folder: For the files that the process reads and writes.
    """
    given, found = folder / "given.npz", folder / "found.npz"
    np.savez(
        given, points=points.astype(np.float32), places=places, distances=distances.astype("f4")
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OF_UMAP, given, found],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        check=True,
        timeout=600,
    )
    return sp.csr_matrix(sp.load_npz(found))
