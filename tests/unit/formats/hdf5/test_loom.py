"""Loom files, held against h5py and numpy, which read them whole."""

from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, LimitError, NoMatrixError
from dpss.formats.arrays import tiles
from dpss.model import MAX_BLOCK_CELLS
from tests.unit.formats.layers import dense, mutations, open_path, read_or_refuse


def counts(n_genes: int, n_cells: int, dtype: str = "f4", seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(0.4, (n_genes, n_cells)).astype(dtype)


def write_loom(path: Path, values: np.ndarray, names: bool = True, **options) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("matrix", data=values, **options)
        rows, columns = file.create_group("row_attrs"), file.create_group("col_attrs")
        for group in ("layers", "row_graphs", "col_graphs"):
            file.create_group(group)
        if names:
            rows["Gene"] = [f"GENE{i}".encode() for i in range(values.shape[0])]
            rows["Accession"] = [f"ENSG{i:011}".encode() for i in range(values.shape[0])]
            columns["CellID"] = [f"cell{i}".encode() for i in range(values.shape[1])]
    return path


@pytest.mark.slow
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_shape_chunking_and_type_is_read_as_h5py_reads_it(tmp_path, data):
    """Whatever the chunks, the type and the filters, each value comes once and is right."""
    n_genes, n_cells = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    dtype = data.draw(
        st.sampled_from(["f4", "f8", "i4", "i8", "u1", "u2", "i2", ">f4", ">i4", "f2"])
    )
    options = {}
    if data.draw(st.booleans()):
        options["chunks"] = (
            data.draw(st.integers(1, n_genes)),
            data.draw(st.integers(1, n_cells)),
        )
        options["compression"] = data.draw(st.sampled_from([None, "gzip", "lzf"]))
        options["shuffle"] = data.draw(st.booleans())
    values = counts(n_genes, n_cells, dtype)
    path = write_loom(tmp_path / "a.loom", values, **options)
    for limit in (tiles.BAND_BYTES, 64):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tiles, "BAND_BYTES", limit)
            (matrix,) = open_path(path)
            (layer,) = matrix.layers
            found = dense(
                layer, data.draw(st.integers(1, 1 << 13)), data.draw(st.integers(1, 1 << 12))
            )
        assert np.array_equal(found, values.T)


def test_gene_names_and_ids(tmp_path):
    """Gene holds the names and Accession the ids, as in all looms of the HCA."""
    (matrix,) = open_path(write_loom(tmp_path / "a.loom", counts(3, 2)))
    assert list(matrix.layers[0].genes.names) == ["GENE0", "GENE1", "GENE2"]
    assert matrix.layers[0].genes.ids[2] == "ENSG00000000002"
    assert matrix.notes == ()


def test_other_names_of_attributes(tmp_path):
    """The attribute that tells genes apart names them, whatever it is called."""
    path = write_loom(tmp_path / "a.loom", counts(3, 2), names=False)
    with h5py.File(path, "r+") as file:
        file["row_attrs/strand"] = [b"+", b"+", b"-"]
        file["row_attrs/what"] = [b"ACTB", b"GAPDH", b"B2M"]
        file["row_attrs/Embedding"] = np.zeros((3, 2))
        file["row_attrs/Valid"] = [1, 1, 0]
    (matrix,) = open_path(path)
    assert list(matrix.layers[0].genes.names) == ["ACTB", "GAPDH", "B2M"]
    assert {note[0] for note in matrix.notes} == {"gene_names", "cell_names"}


def test_compound_attributes(tmp_path):
    """A compound attribute gives a column per field."""
    path = write_loom(tmp_path / "a.loom", counts(2, 2), names=False)
    with h5py.File(path, "r+") as file:
        file["row_attrs/Table"] = np.array(
            [(b"ENSG00000000001", b"A", 1), (b"ENSG00000000002", b"B", 2)],
            dtype=[("Accession", "S15"), ("Gene", "S1"), ("n", "i4")],
        )
    (matrix,) = open_path(path)
    assert list(matrix.layers[0].genes.names) == ["A", "B"]
    assert list(matrix.layers[0].genes.ids) == ["ENSG00000000001", "ENSG00000000002"]


def test_without_names_genes_are_numbered(tmp_path):
    """No names at all: numbers, and a note that says so."""
    (matrix,) = open_path(write_loom(tmp_path / "a.loom", counts(3, 2), names=False))
    assert list(matrix.layers[0].genes.names) == ["gene 1", "gene 2", "gene 3"]
    assert "numbered" in {n[0]: n[2] for n in matrix.notes}["gene_names"]


def test_version_3_with_layers(tmp_path):
    """Version 3 keeps its attributes in a group; layers are read under their names."""
    path = write_loom(tmp_path / "a.loom", counts(5, 4))
    spliced = counts(5, 4, "u2", seed=2)
    with h5py.File(path, "r+") as file:
        file["attrs/LOOM_SPEC_VERSION"] = "3.0.0"
        file["layers"].create_dataset("spliced", data=spliced, chunks=(1, 4))
    (matrix,) = open_path(path)
    assert [layer.name for layer in matrix.layers] == ["X", "spliced"]
    assert np.array_equal(dense(matrix.layers[1]), spliced.T)


def test_a_file_that_loompy_wrote():
    """Matrix and layer as `loom_files/make.py` drew them."""
    (matrix,) = open_path(Path(__file__).parent.parent / "loom_files/loompy_3.0.8.loom")
    values = np.random.default_rng(1).poisson(1.0, (70, 130)).astype(np.float32)
    assert [layer.name for layer in matrix.layers] == ["X", "spliced"]
    assert np.array_equal(dense(matrix.layers[0]), values.T)
    assert np.array_equal(dense(matrix.layers[1]), values.T // 2)
    assert list(matrix.layers[0].genes.names) == [f"Gene{number}" for number in range(70)]


def test_a_layer_can_be_pickled(tmp_path):
    """Another process opens the file anew."""
    values = counts(7, 9)
    (matrix,) = open_path(write_loom(tmp_path / "a.loom", values, chunks=(2, 3)))
    dense(matrix.layers[0])
    assert np.array_equal(dense(pickle.loads(pickle.dumps(matrix.layers[0]))), values.T)


@pytest.mark.parametrize("chunks", [(1, 30), (20, 1), (7, 4)])
def test_chunk_shape_decides_the_order(tmp_path, monkeypatch, chunks):
    """Cells are given whole only where the tiles of some cells can be held."""
    monkeypatch.setattr(tiles, "BAND_BYTES", 20 * 4 * 4)
    (matrix,) = open_path(write_loom(tmp_path / "a.loom", counts(20, 30), chunks=chunks))
    assert matrix.layers[0].cell_major == (chunks[1] <= 4)


def test_huge_declared_shapes_are_refused(tmp_path):
    """A few bytes can't claim any number of values, nor a chunk beyond memory."""
    path = tmp_path / "a.loom"
    with h5py.File(path, "w") as file:
        file.create_dataset("matrix", shape=(10, 1 << 40), chunks=(10, 1 << 10), dtype="f4")
        file.create_group("row_attrs")
    with pytest.raises(CorruptMatrixError, match="claims 10 × 1,099,511,627,776 numbers"):
        open_path(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("matrix", shape=(1 << 40, 10), chunks=(1 << 10, 10), dtype="f4")
        file.create_group("row_attrs")
    with pytest.raises(LimitError, match="features"):
        open_path(path)
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "matrix", shape=(1 << 15, 1 << 15), chunks=(1 << 15, 1 << 13), dtype="f4"
        )
        file.create_group("row_attrs")
    with pytest.raises(LimitError, match="pieces of 1,024 MiB"):
        open_path(path)


def test_contradictions_are_named(tmp_path):
    """Names of another number than genes or cells, layers of another shape, text values."""
    path = write_loom(tmp_path / "a.loom", counts(3, 2))
    with h5py.File(path, "r+") as file:
        file["layers/other"] = counts(3, 5)
    with pytest.raises(CorruptMatrixError, match="other has 5 cells, but the main matrix 2"):
        open_path(path)
    with h5py.File(path, "r+") as file:
        del file["layers/other"]
        file["row_attrs/Name"] = [b"a"]
    with pytest.raises(CorruptMatrixError, match="Name has 1 entry for 3 genes"):
        open_path(path)
    with h5py.File(path, "w") as file:
        file["matrix"] = np.zeros(3)
        file.create_group("row_attrs")
    with pytest.raises(NoMatrixError, match="instead of two axes"):
        open_path(path)


@pytest.mark.slow
@pytest.mark.parametrize("chunks", [None, (4, 4), (1, 17), (23, 1)])
def test_damaged_files_are_read_or_refused(tmp_path, chunks):
    """Whatever is damaged: a result, or one of the program's own errors in one line."""
    options = {} if chunks is None else {"chunks": chunks, "compression": "gzip"}
    good = write_loom(tmp_path / "a.loom", counts(23, 17), **options).read_bytes()
    bad = tmp_path / "bad.loom"
    for data in mutations(good, seed=3, n=60):
        bad.write_bytes(data)
        read_or_refuse(bad)


def test_real_loom_without_cell_names(real_data):
    """starmap_mpfc.loom: the counts that h5py reads, and the names as the file has them."""
    path = real_data / "starmap_mpfc.loom"
    (matrix,) = open_path(path)
    (layer,) = matrix.layers
    with h5py.File(path, locking=False) as file:
        assert np.array_equal(dense(layer, 1 << 20, 1 << 18), file["matrix"][()].T)
    assert (layer.n_cells, len(layer.genes), layer.genes.names[0]) == (
        3704,
        158,
        layer.genes.ids[0],
    )
    assert "slc17a7" in set(layer.genes.names)


def test_many_cells_of_few_genes(tmp_path):
    """A block never has more cells than the sums rely on, however small the cells are."""
    values = np.zeros((2, 3 * MAX_BLOCK_CELLS), dtype="u1")
    values[1, ::5000] = 3
    (matrix,) = open_path(write_loom(tmp_path / "a.loom", values, names=False, chunks=(2, 1 << 16)))
    assert np.array_equal(dense(matrix.layers[0], 1 << 30, 1 << 30), values.T)


def test_strings_that_would_lead_hdf5_astray(tmp_path):
    """Found by damaging files: a heap with an object of size 2**64 - 1 hangs the library."""
    path = write_loom(tmp_path / "a.loom", counts(3, 2))
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL")
    data[heap + 16 + 8 : heap + 16 + 16] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(CorruptMatrixError, match=r"strings at .* are damaged"):
        open_path(path)
