"""What the tests of the package on other systems share."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an h5ad of counts: 200 cells, 50 genes."""
    path = tmp_path_factory.mktemp("matrix") / "small.h5ad"
    counts = np.random.default_rng(3).poisson(0.4, (200, 50)).astype(np.float32)
    with h5py.File(path, "w") as file:
        file["X"] = counts
        for axis, n in (("obs", 200), ("var", 50)):
            file[f"{axis}/_index"] = [f"{axis}{i}".encode() for i in range(n)]
            file[axis].attrs["_index"] = "_index"
    return path
