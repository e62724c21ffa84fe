"""A damaged heap of strings spoils what needs its strings, not the matrix."""

from __future__ import annotations

import io
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError
from dpss.formats.hdf5.file import Hdf5File
from dpss.formats.hdf5.heap_users import is_of_values_only
from dpss.formats.registry import open_matrices
from dpss.storage.local import LocalFile
from tests.summarise import source_of, summarise

MARK = b"GCOL\x01\0\0\0"
N_CELLS = 3_000


def write(path: Path) -> np.ndarray:
    """Write an h5ad with more names of cells than one heap has room for."""
    x = np.random.default_rng(5).poisson(1, (N_CELLS, 30)).astype("f4")
    obs = pd.DataFrame(index=[f"AAACCC{k:06d}-1" for k in range(N_CELLS)])
    var = pd.DataFrame(index=[f"ENSG{k:011d}" for k in range(30)])
    anndata.AnnData(sp.csr_matrix(x), obs, var).write_h5ad(path)
    return x


def heaps(data: bytes) -> list[int]:
    """Return where heaps begin."""
    found = [data.find(MARK)]
    while found[-1] >= 0:
        found.append(data.find(MARK, found[-1] + 1))
    return found[:-1]


def damage(path: Path, number: int) -> int:
    """Give the first object of a heap an impossible size; return where the heap is."""
    data = bytearray(path.read_bytes())
    at = heaps(bytes(data))[number]
    data[at + 24 : at + 32] = b"\xff" * 8
    path.write_bytes(data)
    return at


def test_names_of_cells_alone(tmp_path: Path) -> None:
    """The numbers are right; who asks for the names gets the error."""
    x = write(tmp_path / "a.h5ad")
    numbers = range(len(heaps((tmp_path / "a.h5ad").read_bytes())))
    outcomes = []
    for number in numbers:
        path = tmp_path / f"{number}.h5ad"
        path.write_bytes((tmp_path / "a.h5ad").read_bytes())
        damage(path, number)
        try:
            outcomes.append(summarise(path).total_counts == x.sum())
        except CorruptMatrixError as error:
            assert "are damaged" in str(error)
            outcomes.append(False)
            continue
        (matrix,) = open_matrices(source_of(path))
        assert matrix.cells is not None
        with pytest.raises(CorruptMatrixError, match="are damaged"):
            list(matrix.cells.names())
    assert True in outcomes  # A heap with names of cells only.
    assert not outcomes[0]  # One of attributes.


def test_names_of_genes_are_needed(tmp_path: Path) -> None:
    """Loom's names of genes are values, too; they are checked when they are read."""
    with h5py.File(tmp_path / "a.loom", "w") as file:
        file["matrix"] = np.ones((2, 3))
        for name, values in {"row_attrs/Gene": ["A", "B"], "col_attrs/CellID": list("XYZ")}.items():
            file[name] = np.array(values, dtype=h5py.string_dtype())
    damage(tmp_path / "a.loom", 0)
    with pytest.raises(CorruptMatrixError, match="are damaged"):
        summarise(tmp_path / "a.loom")


@given(
    in_attribute=st.booleans(),
    deep=st.booleans(),
    chunks=st.sampled_from([None, (4,), (8,)]),
    packed=st.booleans(),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_attributes_are_told_from_values(
    in_attribute: bool, deep: bool, chunks: tuple[int] | None, packed: bool, tmp_path: Path
) -> None:
    """Wherever the values lie, however they are stored."""
    written = io.BytesIO()
    with h5py.File(written, "w") as file:
        node = file.create_dataset(
            "g/h/names" if deep else "names",
            data=np.array(list("ABCDEFGH"), dtype=h5py.string_dtype()),
            chunks=chunks,
            compression="gzip" if packed and chunks else None,
        )
        if in_attribute:
            node.attrs["encoding-type"] = "string-array"
    path = tmp_path / f"{in_attribute}-{deep}-{chunks}-{packed}.h5"
    if not path.exists():
        path.write_bytes(written.getvalue())
    (at,) = heaps(path.read_bytes())
    assert is_of_values_only(Hdf5File(LocalFile(path)), at) is not in_attribute
