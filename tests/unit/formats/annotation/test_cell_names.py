"""Damaged names of cells cost no numbers: a warning names them; those of genes are needed."""

from __future__ import annotations

import gzip
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io as scipy_io
import scipy.sparse as sp
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.errors import MatrixError
from dpss.formats.base import Matrix
from tests.examples import examples
from tests.summarise import summarise
from tests.unit.formats.layers import dense, open_path

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning"),
]
N_CELLS, N_GENES = 30, 12
IDS = [f"ENSG{i:011}" for i in range(N_GENES)]
CELLS = [f"cell{i}" for i in range(N_CELLS)]
COUNTS = np.random.default_rng(5).poisson(0.8, (N_CELLS, N_GENES)).astype(np.float32)
DAMAGES = ("shorter", "longer", "empty", "missing", "a group", "two axes", "scalar")


def _adata(layout: Callable[[Any], Any]) -> anndata.AnnData:
    return anndata.AnnData(
        layout(COUNTS), obs=pd.DataFrame(index=CELLS), var=pd.DataFrame(index=IDS)
    )


def write_h5ad(path: Path, layout: Callable[[Any], Any] = sp.csr_matrix) -> str:
    _adata(layout).write_h5ad(path)
    return "obs/_index"


def write_h5ad_csc(path: Path) -> str:
    return write_h5ad(path, sp.csc_matrix)


def write_h5ad_dense(path: Path) -> str:
    return write_h5ad(path, np.asarray)


def write_tenx(path: Path) -> str:
    x = sp.csr_matrix(COUNTS.astype(np.int32))
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(x, name)
        group["shape"] = np.array([N_GENES, N_CELLS], dtype=np.int32)
        group["barcodes"] = [name.encode() for name in CELLS]
        for name in ("id", "name"):
            group[f"features/{name}"] = [each.encode() for each in IDS]
    return "matrix/barcodes"


def write_loom(path: Path) -> str:
    with h5py.File(path, "w") as file:
        file["matrix"] = COUNTS.T
        file["row_attrs/Gene"] = [name.encode() for name in IDS]
        file["col_attrs/CellID"] = [name.encode() for name in CELLS]
    return "col_attrs/CellID"


def write_h5seurat(path: Path) -> str:
    x = sp.csr_matrix(COUNTS.astype(np.float64))
    with h5py.File(path, "w") as file:
        file["cell.names"] = [name.encode() for name in CELLS]
        group = file.create_group("assays/RNA")
        group["features"] = [name.encode() for name in IDS]
        node = group.create_group("counts")
        for part in ("data", "indices", "indptr"):
            node[part] = getattr(x, part)
        node.attrs["dims"] = np.array([N_GENES, N_CELLS], dtype=np.int32)
    return "cell.names"


def damage_hdf5(path: Path, where: str, how: str, length: int = 7) -> None:
    """Damage a vector of names."""
    with h5py.File(path, "r+") as file:
        attributes = dict(file[where].attrs)
        del file[where]
        if how == "a group":
            file.create_group(where)
        elif how == "two axes":
            file[where] = np.full((3, 2), b"a")
        elif how == "scalar":
            file[where] = b"a"
        elif how != "missing":
            n = {"shorter": length, "longer": N_CELLS + length, "empty": 0}[how]
            file.create_dataset(where, data=np.full(n, b"a"))
            file[where].attrs.update(attributes)


def warned(matrix: Matrix) -> list[str]:
    """Return the warnings about names of cells."""
    assert all(note[1] == "warn" for note in matrix.notes if note[0] == "cell_names")
    return [note[2] for note in matrix.notes if note[0] == "cell_names"]


HDF5 = (write_h5ad, write_h5ad_csc, write_h5ad_dense, write_tenx, write_loom, write_h5seurat)


@pytest.mark.parametrize("write", HDF5)
def test_whole_names_are_no_matter(write: Callable[[Path], str], tmp_path: Path) -> None:
    """Where the names fit, nothing is said."""
    write(tmp_path / "whole")
    (matrix,) = open_path(tmp_path / "whole")
    assert not warned(matrix)
    assert np.array_equal(dense(matrix.layers[0]), COUNTS)


@pytest.mark.slow
@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("write", HDF5)
def test_damaged_names_in_hdf5(write: Callable[[Path], str], how: str, tmp_path: Path) -> None:
    """Whatever became of the names of cells, each number is read and one warning names them."""
    where = write(tmp_path / "damaged")
    damage_hdf5(tmp_path / "damaged", where, how)
    (matrix,) = open_path(tmp_path / "damaged")
    assert np.array_equal(dense(matrix.layers[0]), COUNTS)
    (said,) = warned(matrix)
    assert where.removesuffix("/_index") in said
    assert str(tmp_path) not in said


@pytest.mark.slow
@settings(
    deadline=None,
    max_examples=examples(30),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(write=st.sampled_from(HDF5), n=st.integers(0, 4 * N_CELLS))
def test_any_number_of_names(write: Callable[[Path], str], n: int, tmp_path: Path) -> None:
    """Any other number of names than that of cells is told, with both numbers."""
    path = tmp_path / "any"
    path.unlink(missing_ok=True)
    where = write(path)
    damage_hdf5(path, where, "shorter", n)
    (matrix,) = open_path(path)
    assert np.array_equal(dense(matrix.layers[0]), COUNTS)
    said = warned(matrix)
    assert len(said) == (n != N_CELLS)
    assert all(f"{n:,} names for {N_CELLS} cells" in each for each in said)


def test_the_table_of_cells_is_gone(tmp_path: Path) -> None:
    """An h5ad without obs, or with one of records of another length, keeps its numbers."""
    for records in (None, np.zeros(3, dtype=[("index", "S4"), ("n", "f4")])):
        path = tmp_path / f"{records is None}.h5ad"
        write_h5ad(path)
        with h5py.File(path, "r+") as file:
            del file["obs"], file.attrs["encoding-type"]
            if records is not None:
                file["obs"] = records
        (matrix,) = open_path(path)
        assert np.array_equal(dense(matrix.layers[0]), COUNTS)
        assert len(warned(matrix)) == (records is not None)


@pytest.mark.parametrize("where", ["var/_index", "var"])
def test_names_of_genes_are_needed(where: str, tmp_path: Path) -> None:
    """A damaged index of genes stays an error."""
    for how in ("shorter", "longer", "missing", "a group", "two axes"):
        path = tmp_path / f"{how}.h5ad"
        write_h5ad(path)
        damage_hdf5(path, where, how)
        with pytest.raises(MatrixError):
            open_path(path)


def test_layers_of_other_numbers_of_cells_are_an_error(tmp_path: Path) -> None:
    """Layers that contradict each other are refused in h5ad and in zarr."""
    path, folder = tmp_path / "a.h5ad", tmp_path / "a.zarr"
    write_h5ad_dense(path)
    with h5py.File(path, "r+") as file:
        file["layers/counts"] = COUNTS[:9]
    _adata(np.asarray).write_zarr(folder)
    zarr.open_group(folder)["layers"].create_array("counts", data=COUNTS[:9])
    (folder / ".zmetadata").unlink(missing_ok=True)
    for each in (path, folder):
        with pytest.raises(MatrixError, match=r"9 cells, but another|other numbers of cells"):
            open_path(each)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["shorter", "longer", "missing", "json", "folder", "chunk"])
@pytest.mark.parametrize("layout", [sp.csr_matrix, sp.csc_matrix, np.asarray])
def test_damaged_names_in_zarr(layout: Callable[[Any], Any], how: str, tmp_path: Path) -> None:
    """As in HDF5; chunks of names are not read at all."""
    folder = tmp_path / "a.zarr"
    _adata(layout).write_zarr(folder)
    index = folder / "obs" / "_index"
    meta = next(path for name in (".zarray", "zarr.json") if (path := index / name).exists())
    if how in ("shorter", "longer"):
        shutil.rmtree(index)
        n = 7 if how == "shorter" else 70
        zarr.open_group(folder / "obs").create_array("_index", data=np.arange(n))
    elif how == "missing":
        shutil.rmtree(index)
    elif how == "json":
        meta.write_text(meta.read_text()[:40])
    elif how == "folder":
        shutil.rmtree(folder / "obs")
    else:
        for chunk in index.rglob("*"):
            if chunk.is_file() and chunk != meta and not chunk.name.startswith("."):
                chunk.write_bytes(b"damaged")
    (matrix,) = open_path(folder)
    assert np.array_equal(dense(matrix.layers[0]), COUNTS)
    assert len(warned(matrix)) == (how not in ("folder", "chunk"))
    shutil.rmtree(folder / "var" / "_index")
    with pytest.raises(MatrixError):
        open_path(folder)


@pytest.mark.parametrize("names", [CELLS[:4], CELLS * 3, None])
def test_damaged_names_beside_mtx(names: list[str] | None, tmp_path: Path) -> None:
    """Too few, too many, or a table that ends in the middle: the table of genes decides."""
    scipy_io.mmwrite(tmp_path / "matrix.mtx", sp.coo_matrix(COUNTS.T.astype(int)))
    (tmp_path / "features.tsv").write_text("".join(f"{name}\tG{name}\n" for name in IDS))
    packed = gzip.compress("\n".join(names or CELLS * 900).encode())
    (tmp_path / "barcodes.tsv.gz").write_bytes(packed if names else packed[:-9])
    (matrix,) = open_path(tmp_path)
    assert np.array_equal(dense(matrix.layers[0]), COUNTS)
    (said,) = warned(matrix)
    assert "barcodes.tsv.gz" in said
    (tmp_path / "features.tsv").write_text("G\n" * 3)
    with pytest.raises(MatrixError, match=r"do not fit|no table|lines"):
        open_path(tmp_path)


def test_the_warning_is_published(tmp_path: Path) -> None:
    """The check is in the summary, and each number is as without the damage."""
    write_h5ad(tmp_path / "a.h5ad")
    whole = summarise(tmp_path / "a.h5ad")
    damage_hdf5(tmp_path / "a.h5ad", "obs/_index", "shorter")
    damaged = summarise(tmp_path / "a.h5ad")
    assert ("cell_names", "warn") in [(each.name, each.status) for each in damaged.checks]
    assert damaged.total_counts == whole.total_counts
    assert np.array_equal(damaged.genes.n_cells_by_counts, whole.genes.n_cells_by_counts)


def _strings(texts: list[str]) -> bytes:
    """Return a vector of strings as R serialises it."""
    parts = [struct.pack(">ii", 0x40009, len(text)) + text.encode() for text in texts]
    return struct.pack(">ii", 16, len(texts)) + b"".join(parts)


def write_rds(path: Path, rows: list[str], columns: list[str]) -> None:
    """Write the counts as R's matrix of genes × cells with names."""

    def tagged(name: str, value: bytes) -> bytes:
        return struct.pack(">iiii", 0x402, 1, 0x40009, len(name)) + name.encode() + value

    size = struct.pack(">iiii", 13, 2, N_GENES, N_CELLS)
    names = struct.pack(">ii", 19, 2) + _strings(rows) + _strings(columns)
    data = struct.pack(">ii", 0x20E, COUNTS.size) + COUNTS.astype(">f8").tobytes()
    attributes = tagged("dim", size) + tagged("dimnames", names) + struct.pack(">i", 254)
    path.write_bytes(b"X\n" + struct.pack(">iii", 2, 0x30000, 0x20300) + data + attributes)


@pytest.mark.parametrize("n", [N_CELLS, 0, 3, 50])
def test_damaged_names_in_r(n: int, tmp_path: Path) -> None:
    """Another number of names of columns is told; one of names of rows is an error."""
    write_rds(tmp_path / "a.rds", IDS, [f"cell{i}" for i in range(n)])
    (matrix,) = open_path(tmp_path / "a.rds")
    assert np.array_equal(dense(matrix.layers[0]), COUNTS)
    assert len(warned(matrix)) == (n not in (0, N_CELLS))
    write_rds(tmp_path / "b.rds", IDS[:5], CELLS)
    with pytest.raises(MatrixError, match="5 names for 12 rows"):
        open_path(tmp_path / "b.rds")
