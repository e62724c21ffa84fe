"""Every encoding of AnnData's data frames, in h5ad and in zarr, alike.

The encodings are written here by h5py and zarr after AnnData's on-disk specification, and by
AnnData itself; the oracle is pandas.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError
from dpss.formats.base import Matrix
from tests.unit.formats.layers import open_path

NAMES = ["MALAT1", "MT-CO1", "GAPDH", "CD3D", "ACTB"]
IDS = [f"ENSG{i:011}" for i in range(5)]
TYPES = ["Gene Expression"] * 4 + ["Antibody Capture"]


def open_store(path: Path) -> Any:
    """Open a file to write to: HDF5 or zarr by its name."""
    return h5py.File(path, "a") if path.suffix == ".h5ad" else zarr.open_group(path, mode="a")


def put(group: Any, name: str, values: list[Any], encoding: str) -> None:
    """Write a vector; text as strings of variable length."""
    array = np.array(values)
    if array.dtype.kind != "U":
        node = (
            group.create_array(name, data=array)
            if is_zarr(group)
            else group.create_dataset(name, data=array)
        )
    elif is_zarr(group):
        node = group.create_array(name, shape=array.shape, dtype=str)
        node[:] = array
    else:
        node = group.create_dataset(name, data=values, dtype=h5py.string_dtype())
    node.attrs["encoding-type"] = encoding


def is_zarr(group: Any) -> bool:
    """Tell which library's group it is."""
    return isinstance(group, zarr.Group)


def put_group(group: Any, name: str, encoding: str) -> Any:
    """Make a group of an encoding."""
    made = group.create_group(name)
    made.attrs["encoding-type"] = encoding
    made.attrs["encoding-version"] = "0.1.0"
    return made


def string_array(group: Any, name: str, values: list[Any]) -> None:
    """Write plain strings."""
    put(group, name, [str(value or "") for value in values], "string-array")


def nullable(group: Any, name: str, values: list[Any]) -> None:
    """Write strings with a mask; what is masked holds something else."""
    made = put_group(group, name, "nullable-string-array")
    put(made, "values", [value or "HIDDEN" for value in values], "string-array")
    put(made, "mask", [not value for value in values], "array")


def categorical(group: Any, name: str, values: list[Any]) -> None:
    """Write codes and categories."""
    made = put_group(group, name, "categorical")
    categories = sorted({value for value in values if value})
    codes = [categories.index(value) if value else -1 for value in values]
    put(made, "categories", categories, "string-array")
    put(made, "codes", codes, "array")


def nullable_categorical(group: Any, name: str, values: list[Any]) -> None:
    """Write a categorical whose categories are nullable strings, as pandas 3 may have them."""
    made = put_group(group, name, "categorical")
    categories = sorted({value for value in values if value})
    nullable(made, "categories", categories)
    put(made, "codes", [categories.index(value) if value else -1 for value in values], "array")


def nullable_integer(group: Any, name: str, values: list[Any]) -> None:
    """Write numbers with a mask."""
    made = put_group(group, name, "nullable-integer")
    put(made, "values", [value or 0 for value in values], "array")
    put(made, "mask", [value is None for value in values], "array")


def nullable_boolean(group: Any, name: str, values: list[Any]) -> None:
    """Write truth values with a mask."""
    made = put_group(group, name, "nullable-boolean")
    put(made, "values", [bool(value) for value in values], "array")
    put(made, "mask", [value is None for value in values], "array")


def awkward(group: Any, name: str, values: list[Any]) -> None:
    """Write what is no column of text: lists of various lengths."""
    made = put_group(group, name, "awkward-array")
    put(made, "node0-offsets", list(range(len(values) + 1)), "array")
    put(made, "node1-data", list(range(len(values))), "array")


TEXT = (string_array, nullable, categorical, nullable_categorical)
Writer = Callable[[Any, str, list[Any]], None]


def write(path: Path, var: dict[str, tuple[Writer, list[Any]]], n_genes: int = 5) -> Path:
    """Write an AnnData file with these columns of var; the first one is the index."""
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)
    store = open_store(path)
    store.attrs["encoding-type"] = "anndata"
    obs, frame = put_group(store, "obs", "dataframe"), put_group(store, "var", "dataframe")
    obs.attrs["_index"] = "_index"
    nullable(obs, "_index", [f"cell{i}" for i in range(3)])
    frame.attrs["_index"] = next(iter(var))
    for name, (writer, values) in var.items():
        writer(frame, name, values)
    values = np.arange(1, 3 * n_genes + 1, dtype="f4").reshape(3, n_genes)
    if is_zarr(store):
        store.create_array("X", data=values)
    else:
        store["X"] = values
        store.close()
    return path


def opened(path: Path) -> Matrix:
    """Open the only matrix."""
    (matrix,) = open_path(path)
    return matrix


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
@pytest.mark.parametrize("column", TEXT)
@pytest.mark.parametrize("index", TEXT)
def test_every_encoding_of_text(index: Writer, column: Writer, suffix: str, tmp_path) -> None:
    """Index, symbols and feature types are found however each is written."""
    for order in ((NAMES, IDS), (IDS, NAMES)):
        title = "gene_ids" if order[1] is IDS else "feature_name"
        var = {"_index": (index, order[0]), "feature_types": (categorical, TYPES)}
        path = write(tmp_path / f"m.{suffix}", {**var, title: (column, order[1])})
        matrix = opened(path)
        assert list(matrix.layers[0].genes.ids) == IDS
        assert list(matrix.layers[0].genes.names) == NAMES
        assert matrix.layers[0].genes.is_gene.tolist() == [True] * 4 + [False]
        assert not matrix.notes


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=5)


@pytest.mark.slow
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_random_columns_come_back(data: Any, tmp_path) -> None:
    """Random text with missing values, in any encoding, is what was written; missing is the id."""
    suffix = data.draw(st.sampled_from(["h5ad", "zarr"]))
    index, column = data.draw(st.sampled_from(TEXT)), data.draw(st.sampled_from(TEXT))
    ids = data.draw(st.lists(TEXTS, min_size=1, max_size=6, unique=True))
    names = [data.draw(st.one_of(st.none(), TEXTS)) for _ in ids]
    if not any(names):
        names[0] = "X"
    path = write(
        tmp_path / f"m.{suffix}", {"_index": (index, ids), "gene_name": (column, names)}, len(ids)
    )
    genes = opened(path).layers[0].genes
    assert list(genes.ids) == ids
    assert list(genes.names) == [name or key for name, key in zip(names, ids, strict=True)]


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_numbers_as_index_and_columns(suffix: str, tmp_path) -> None:
    """Numbers name genes only where they are the index; columns of them name nothing."""
    var = {
        "_index": (nullable_integer, [7, 8, 9, 10, 11]),
        "in_tissue": (nullable_boolean, [True, None, False, True, True]),
        "n_cells": (nullable_integer, [1, 2, None, 4, 5]),
        "feature_types": (nullable, TYPES),
    }
    matrix = opened(write(tmp_path / f"m.{suffix}", var))
    assert list(matrix.layers[0].genes.names) == ["7", "8", "9", "10", "11"]
    assert not matrix.notes


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_awkward_columns_are_passed_over_and_named(suffix: str, tmp_path) -> None:
    """What is no column is named; it's a warning where it would have named genes."""
    var = {"_index": (nullable, NAMES), "exons": (awkward, NAMES)}
    matrix = opened(write(tmp_path / f"m.{suffix}", var))
    assert list(matrix.layers[0].genes.names) == NAMES
    ((name, status, sentence),) = matrix.notes
    assert (name, status) == ("gene_columns", "pass")
    assert "exons (awkward-array)" in sentence
    var = {"_index": (nullable, IDS), "feature_name": (awkward, NAMES)}
    assert opened(write(tmp_path / f"m.{suffix}", var)).notes[0][1] == "warn"


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_awkward_layers_are_passed_over_and_named(suffix: str, tmp_path) -> None:
    """The other layers are read."""
    path = write(tmp_path / f"m.{suffix}", {"_index": (nullable, NAMES)})
    store = open_store(path)
    layers = put_group(store, "layers", "dict")
    awkward(layers, "reads", NAMES)
    put(layers, "cube", np.zeros((3, 5, 2)).tolist(), "array")
    if not is_zarr(store):
        store.close()
    matrix = opened(path)
    assert [layer.name for layer in matrix.layers] == ["X"]
    assert matrix.notes[0][:2] == ("layers", "warn")
    assert "reads (awkward-array)" in matrix.notes[0][2]
    assert "cube" in matrix.notes[0][2]


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
@pytest.mark.parametrize("encoding", ["delta-array", "nullable-float", "rec-array", "array "])
def test_numbers_of_an_unknown_encoding_are_not_read(suffix: str, encoding: str, tmp_path) -> None:
    """A layer is passed over and named; an X is refused. The stored numbers may mean others."""
    path = write(tmp_path / f"m.{suffix}", {"_index": (nullable, NAMES)})
    store = open_store(path)
    put(put_group(store, "layers", "dict"), "odd", np.zeros((3, len(NAMES))).tolist(), encoding)
    if not is_zarr(store):
        store.close()
    matrix = opened(path)
    assert [layer.name for layer in matrix.layers] == ["X"]
    assert f"odd ({encoding})" in matrix.notes[0][2]
    (tmp_path / "x").mkdir()
    path = write(tmp_path / f"x/m.{suffix}", {"_index": (nullable, NAMES)})
    store = open_store(path)
    del store["X"]
    put(store, "X", np.zeros((3, len(NAMES))).tolist(), encoding)
    if not is_zarr(store):
        store.close()
    with pytest.raises(CorruptMatrixError, match=f"X is encoded as '{encoding}', which is not"):
        opened(path)


def damaged_mask(group: Any, name: str, values: list[Any]) -> None:
    """Write strings with a mask that is too short."""
    made = put_group(group, name, "nullable-string-array")
    put(made, "values", values, "string-array")
    put(made, "mask", [False], "array")


def damaged_codes(group: Any, name: str, values: list[Any]) -> None:
    """Write codes that point at no category."""
    made = put_group(group, name, "categorical")
    put(made, "categories", values[:2], "string-array")
    put(made, "codes", list(range(len(values))), "array")


def future(group: Any, name: str, values: list[Any]) -> None:
    """Write an encoding that nobody knows yet."""
    string_array(put_group(group, name, "ragged-string-array"), "parts", values)


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
@pytest.mark.parametrize("writer", [damaged_mask, damaged_codes, future, awkward])
def test_an_index_that_cannot_be_read(writer: Writer, suffix: str, tmp_path) -> None:
    """It is an error, whatever other columns there are."""
    var = {
        "_index": (writer, NAMES),
        "feature_types": (categorical, TYPES),
        "gene_name": (string_array, NAMES),
    }
    with pytest.raises(CorruptMatrixError, match="the index of var, can't be read"):
        opened(write(tmp_path / f"m.{suffix}", var))


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_types_never_become_names(suffix: str, tmp_path) -> None:
    """Without an index, only a column that is known to name genes does."""
    path = write(tmp_path / f"m.{suffix}", {"feature_types": (categorical, TYPES)})
    for stated in (None, "gone"):
        store = open_store(path)
        del store["var"].attrs["_index"]
        if stated:
            store["var"].attrs["_index"] = stated
        if not is_zarr(store):
            store.close()
        with pytest.raises(CorruptMatrixError, match="has no index"):
            opened(path)
        store = open_store(path)
        store["var"].attrs["_index"] = "feature_types"
        if not is_zarr(store):
            store.close()


def test_a_column_called_index_is_not_the_index(tmp_path) -> None:
    """``reset_index`` leaves such a column behind."""
    var = {"_index": (nullable, NAMES), "index": (string_array, ["0", "1", "2", "3", "4"])}
    assert list(opened(write(tmp_path / "m.h5ad", var)).layers[0].genes.names) == NAMES


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore:Writing zarr v2", "ignore:zarr v3 autosharding", "ignore:Consolidated metadata"
)
@pytest.mark.parametrize("form", ["h5ad", "zarr 2", "zarr 3"])
@pytest.mark.parametrize("strings", ["object", "string", "category"])
def test_what_anndata_writes(form: str, strings: str, tmp_path) -> None:
    """AnnData's own files, with its setting for nullable strings, as pandas holds the table."""
    var = pd.DataFrame(
        {"gene_name": pd.array(NAMES, dtype=strings), "feature_types": pd.Categorical(TYPES)},
        index=pd.Index(IDS, dtype="string" if strings == "string" else object),
    )
    adata = anndata.AnnData(np.ones((3, 5), "f4"), var=var)
    path = tmp_path / f"m.{form[:4]}"
    version = 3 if form == "zarr 3" else 2
    with anndata.settings.override(allow_write_nullable_strings=True, zarr_write_format=version):
        adata.write_h5ad(path) if form == "h5ad" else adata.write_zarr(path)
    genes = opened(path).layers[0].genes
    assert list(genes.ids) == list(var.index)
    assert list(genes.names) == list(var["gene_name"])


@pytest.mark.parametrize("name", ["m.h5ad", pytest.param("m.zarr", marks=pytest.mark.slow)])
@given(lengths=st.lists(st.sampled_from([1, 2, 4, 5]), min_size=3, max_size=3))
@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_columns_of_different_lengths_are_refused(name: str, lengths: list[int], tmp_path) -> None:
    """A single name in an index would name every gene, as numpy repeats it."""
    path = tmp_path / name
    if path.exists():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    index, ids, types = lengths
    var = {
        "_index": (string_array, NAMES[:index]),
        "gene_ids": (string_array, IDS[:ids]),
        "feature_types": (string_array, TYPES[:types]),
    }
    if lengths == [5, 5, 5]:
        assert list(opened(write(path, var)).layers[0].genes.names) == NAMES
        return
    with pytest.raises(CorruptMatrixError):
        opened(write(path, var))


@pytest.mark.parametrize("stated", [["_index"], {"a": []}, 3, ""])
def test_a_stated_index_that_is_no_name_is_refused(stated: Any, tmp_path) -> None:
    """Zarr's attributes are JSON, and hold anything."""
    path = write(tmp_path / "m.zarr", {"_index": (string_array, NAMES)})
    zarr.open_group(path, mode="a")["var"].attrs["_index"] = stated
    with pytest.raises(CorruptMatrixError, match="has no index"):
        opened(path)
