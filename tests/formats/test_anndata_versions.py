"""Files written by the oldest and the newest AnnData that install, with each setting of writing.

``anndata_files/write.py`` makes them; what they hold is drawn again here.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.summarise import summarise_matrix
from tests.unit.formats.layers import dense, open_path

PACKED = sorted((Path(__file__).parent / "anndata_files").glob("*.tar.xz"))
N_CELLS, N_GENES = 12, 7
NAMES = ["MT-CO1", "GAPDH", "ACTB", "CD3D", "LYZ", "MALAT1", "CD19-TotalSeqB"]
IDS = [*(f"ENSG{i:011}" for i in range(N_GENES - 1)), "AB1"]


def members() -> list[tuple[Path, str]]:
    """Return every file of every version, with the archive that holds it."""
    found = []
    for path in PACKED:
        with tarfile.open(path) as archive:
            found += [(path, name) for name in archive.getnames()]
    return found


def test_there_are_old_and_new_ones() -> None:
    """The archives are there, with both formats and all versions of zarr."""
    names = [name for _, name in members()]
    assert {name.split("_")[0] for name in names} >= {"0.6.22", "0.7.8", "0.13.4"}
    for end in ("strings.h5ad", "v2.zarr.zip", "v3.zarr.zip", "v3_sharded.zarr.zip"):
        assert any(name.endswith(end) for name in names)


@pytest.mark.slow
@pytest.mark.parametrize(("archive", "name"), members(), ids=str)
def test_what_each_version_writes(archive: Path, name: str, tmp_path: Path) -> None:
    """Names, ids, types and values are those that were written; nothing is passed over."""
    with tarfile.open(archive) as packed:
        packed.extract(name, tmp_path, filter="data")
    counts = np.random.RandomState(1).poisson(1.5, (N_CELLS, N_GENES)).astype("f4")
    (matrix,) = open_path(tmp_path / name)
    layers = {layer.name: layer for layer in matrix.layers}
    np.testing.assert_array_equal(dense(layers["raw.X"]), counts)
    np.testing.assert_allclose(dense(layers["X"]), np.log1p(counts), rtol=1e-6)
    for layer in layers.values():
        assert list(layer.genes.names) == NAMES
        assert list(layer.genes.ids) == IDS
        assert layer.genes.is_gene.tolist() == [True] * (N_GENES - 1) + [False]
    summary = summarise_matrix(matrix)
    assert summary.total_counts == counts[:, :-1].sum()
    assert [note for note in matrix.notes if note[1] == "warn"] == []
