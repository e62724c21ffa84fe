"""Columns of the cells in every format that has some, against what wrote them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dpss.engine.strata import stratify
from dpss.errors import ColumnError, MatrixError, NoStrataError
from dpss.formats.annotation.cell_table import InMemoryTable, decode_codes, label
from dpss.formats.base import CellTable
from dpss.formats.discovery import iter_matrices
from dpss.formats.options import OpenOptions
from dpss.storage.locations import open_source
from tests.conftest import ROOT


def table_of(path: Path) -> CellTable:
    """Open the only matrix of a file."""
    (matrix,) = iter_matrices(open_source(str(path)), OpenOptions())
    assert matrix.cells is not None  # type: ignore[union-attr]
    return matrix.cells  # type: ignore[union-attr]


def test_loom(tmp_path: Path) -> None:
    """Attributes of columns are columns: text, bytes of fixed size, numbers."""
    with h5py.File(tmp_path / "a.loom", "w") as file:
        file["matrix"] = np.ones((3, 4))
        file["row_attrs/Gene"] = np.array(["a", "b", "c"], dtype=h5py.string_dtype())
        file["col_attrs/CellID"] = np.array(["A", "B", "C", "D"], dtype=h5py.string_dtype())
        file["col_attrs/Tissue"] = np.array([b"x", b"y", b"x", b""])
        file["col_attrs/Plate"] = np.array([1, 2, 1, 3])
        file["col_attrs/Map"] = np.ones((4, 2))
    cells = table_of(tmp_path / "a.loom")
    assert cells.columns() == ["Plate", "Tissue"]
    assert np.concatenate(list(cells.labels("Tissue"))).tolist() == ["x", "y", "x", None]
    assert np.concatenate(list(cells.labels("Plate"))).tolist() == ["1", "2", "1", "3"]
    assert np.concatenate(list(cells.names())).tolist() == ["A", "B", "C", "D"]


NAMES_LIKE_NOTHING = ["NA", "nan", "None", "NaN", "AAAC-1"]
"""Names that stand for a missing value where a column has them."""


def _write_h5ad(path: Path, *, categorical: bool = False) -> None:
    index = pd.Index(NAMES_LIKE_NOTHING)
    obs = pd.DataFrame(
        {"type": NAMES_LIKE_NOTHING}, pd.CategoricalIndex(index) if categorical else index
    )
    anndata.AnnData(np.ones((5, 2), "f4"), obs, pd.DataFrame(index=["A", "B"])).write_h5ad(path)


def _write_records(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["X"] = np.ones((5, 2), dtype=np.float32)
        file["var"] = np.array([(b"a",), (b"b",)], dtype=[("index", "S2")])
        records = [(name.encode(), name.encode()) for name in NAMES_LIKE_NOTHING]
        file["obs"] = np.array(records, dtype=[("index", "S6"), ("type", "S6")])


def _write_loom(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["matrix"] = np.ones((2, 5))
        file["row_attrs/Gene"] = np.array([b"A", b"B"])
        for name in ("CellID", "type"):
            file[f"col_attrs/{name}"] = np.array(NAMES_LIKE_NOTHING, dtype=h5py.string_dtype())


def _write_mtx(path: Path) -> None:
    path.mkdir()
    head = "%%MatrixMarket matrix coordinate integer general\n"
    (path / "matrix.mtx").write_text(f"{head}2 5 1\n1 1 4\n")
    (path / "genes.tsv").write_text("ENSG00000000001\tA\nENSG00000000002\tB\n")
    lines = "".join(f"{name}\t{name}\n" for name in NAMES_LIKE_NOTHING)
    (path / "barcodes.tsv").write_text(f"barcode\ttype\n{lines}")


def _write_csv(path: Path) -> None:
    table = pd.DataFrame(np.arange(10).reshape(2, 5), ["ACTB", "GAPDH"], NAMES_LIKE_NOTHING)
    table.to_csv(path)


@pytest.mark.parametrize(
    "write",
    [_write_h5ad, partial(_write_h5ad, categorical=True), _write_records, _write_loom, _write_mtx,
     _write_csv],
)  # fmt: skip
def test_a_cell_named_na_has_that_name(write: Callable[[Path], None], tmp_path: Path) -> None:
    """It is a name as any other; in a column it stands for a missing value."""
    write(tmp_path / "a")
    cells = table_of(tmp_path / "a")
    assert np.concatenate(list(cells.names())).tolist() == NAMES_LIKE_NOTHING
    if cells.columns():
        found = np.concatenate(list(cells.labels("type"))).tolist()
        assert found == [None, None, None, None, "AAAC-1"]


@given(st.lists(st.text(max_size=4), min_size=1))
def test_names_are_kept_as_they_are(names: list[str]) -> None:
    """Only an empty one is none."""
    table = InMemoryTable({}, np.array([*names, None], dtype=object)[:-1])
    assert np.concatenate(list(table.names())).tolist() == [name or None for name in names]


def test_records_of_old_anndata(tmp_path: Path) -> None:
    """AnnData 0.6 wrote records, their categories in uns."""
    kind = [("index", "S2"), ("cluster", "i1"), ("n", "f4")]
    with h5py.File(tmp_path / "a.h5ad", "w") as file:
        file["X"] = np.ones((3, 2), dtype=np.float32)
        file["var"] = np.array([(b"a",), (b"b",)], dtype=[("index", "S2")])
        file["obs"] = np.array([(b"A", 1, 0.5), (b"B", -1, 2), (b"C", 0, np.nan)], dtype=kind)
        file["uns/cluster_categories"] = np.array([b"one", b"two"])
    cells = table_of(tmp_path / "a.h5ad")
    assert cells.columns() == ["cluster", "n"]
    assert np.concatenate(list(cells.labels("cluster"))).tolist() == ["two", None, "one"]
    assert np.concatenate(list(cells.labels("n"))).tolist() == ["0.5", "2", None]
    assert np.concatenate(list(cells.names())).tolist() == ["A", "B", "C"]


@pytest.mark.parametrize("name", ["seurat4.Robj", "seurat2.rds", "sce.rds"])
def test_objects_of_r_name_their_cells(name: str) -> None:
    """Names of cells are found; columns are as long as there are cells."""
    cells = table_of(ROOT / "tests" / "unit" / "formats" / "r_files" / name)
    n = len(np.concatenate(list(cells.names())))
    assert n > 0
    for column in cells.columns():
        assert len(np.concatenate(list(cells.labels(column)))) == n


def test_missing_values_and_damaged_codes() -> None:
    """What is empty, NaN or -1 is missing; a code without a category is damage."""
    assert label(np.array([b"a", b"", b"nan"])).tolist() == ["a", None, None]
    assert decode_codes(np.array([0, -1], np.int8), label(np.array(["x"])), "c").tolist() == [
        "x",
        None,
    ]
    with pytest.raises(ColumnError, match="its codes are damaged"):
        list(decode_codes(np.array([1]), label(np.array(["x"])), "c"))
    with pytest.raises(ColumnError, match="no names"):
        InMemoryTable({}).names()


N_CELLS = 12
WORDS = st.one_of(
    st.sampled_from(["a", "b", "NaN", "nan", "NA", "None", "", " ", "é 人", "-1", "a/b"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
)
MISSING = ("", "nan", "NaN", "NA", "None")


def column_of(kind: str, values: list[Any]) -> pd.Series:
    """Return values as a column of pandas of a kind."""
    return pd.Series(values, dtype=kind, index=[f"C{i}" for i in range(len(values))])


def exactly(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Draw a value for each cell."""
    return st.lists(elements, min_size=N_CELLS, max_size=N_CELLS)


def drawn(elements: st.SearchStrategy[Any], *, missing: Any = None) -> st.SearchStrategy[list[Any]]:
    """Draw a value for each cell, with some missing ones where that can be."""
    return exactly(elements if missing is None else st.one_of(elements, st.just(missing)))


KINDS: dict[str, st.SearchStrategy[list[Any]]] = {
    "category": drawn(WORDS, missing=np.nan),
    "object": drawn(WORDS),
    "bool": drawn(st.booleans()),
    "boolean": drawn(st.booleans(), missing=pd.NA),
    "int8": drawn(st.integers(-128, 127)),
    "uint64": drawn(st.integers(0, 2**64 - 1)),
    "Int64": drawn(st.integers(-(2**63), 2**63 - 1), missing=pd.NA),
    "UInt8": drawn(st.integers(0, 255), missing=pd.NA),
    "float32": drawn(st.floats(width=32, allow_nan=True, allow_infinity=True)),
    "float64": drawn(st.sampled_from([0.5, -2.0, 1e300, np.nan, np.inf, 1 / 3])),
}


def fresh(folder: Path) -> Path:
    """Return the path of a new file: the last example's may still be open."""
    return folder / f"{len(list(folder.iterdir()))}.h5ad"


def expected(value: Any) -> str | None:
    """Return a value of pandas as text, ``None`` where it is missing."""
    if value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.12g}"
    text = str(value)
    return None if text in MISSING else text


def test_long_texts(tmp_path: Path) -> None:
    """A text longer than HDF5's heaps hold beside others is read whole."""
    values = ["x" * 70_000, "b", "y" * 100_000] * 4
    check_columns({"category": values, "object": values}, tmp_path)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.fixed_dictionaries(KINDS))
def test_columns_of_pandas(drawn: dict[str, list[Any]], tmp_path: Path) -> None:
    """Each kind of column that AnnData writes comes back as text, missing values as missing."""
    check_columns(drawn, tmp_path)


def check_columns(drawn: dict[str, list[Any]], tmp_path: Path) -> None:
    """Write values as columns of these kinds, and compare what is read."""
    columns = {kind: column_of(kind, values) for kind, values in drawn.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        obs = pd.DataFrame(columns)
        anndata.AnnData(np.ones((N_CELLS, 1), np.float32), obs=obs).write_h5ad(
            path := fresh(tmp_path)
        )
    table = table_of(path)
    for kind, column in columns.items():
        found = np.concatenate(list(table.labels(kind))).tolist()
        assert found == [expected(value) for value in column.tolist()], kind


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    codes=st.one_of(exactly(st.integers(-1, 1)), st.lists(st.integers(-4, 5), max_size=14)),
    dtype=st.sampled_from(["i1", "u1", "i2", "i8", "u8", "f4"]),
    categories=st.sampled_from([["a", "b"], [], [1, 2], [b"\xff\xfe", b"b"], [0.5, np.nan, 2.0]]),
    mask=st.one_of(st.none(), exactly(st.booleans()), st.lists(st.booleans(), max_size=14)),
)
def test_damaged_columns_are_said(
    codes: list[int], dtype: str, categories: list[Any], mask: list[bool] | None, tmp_path: Path
) -> None:
    """Codes and masks of any kind and length: each cell its own category, or an error."""
    path = fresh(tmp_path)
    anndata.AnnData(np.ones((N_CELLS, 1), np.float32)).write_h5ad(path)
    wrapped = np.array(codes, dtype=np.int64).astype(dtype)
    with h5py.File(path, "r+") as file:
        group = file["obs"].create_group("c")
        group["codes"] = wrapped
        texts = all(isinstance(each, str) for each in categories)
        group.create_dataset(
            "categories", data=categories, dtype=h5py.string_dtype() if texts else None
        )
        if mask is not None:
            group["mask"] = mask
    (matrix,) = iter_matrices(open_source(str(path)), OpenOptions())
    try:
        found = stratify(matrix, matrix.layers[0], "c", None)  # type: ignore[union-attr]
    except MatrixError:
        good = len(codes) == N_CELLS and all(-1 <= n < len(categories) for n in wrapped.tolist())
        assert not good or dtype == "f4" or mask is not None
        event("an error")
        return
    event("strata")
    assert found is not None
    assert len(codes) == N_CELLS
    names = [*categories, None]
    for cell, code in enumerate(codes):
        stratum = found.stratification.names[found.stratification.codes[cell]]
        value = None if mask is not None and mask[cell] else names[code]
        is_missing = value is None or value != value  # noqa: PLR0124
        assert (stratum == "(missing)") == is_missing
        if isinstance(value, str):
            assert stratum == value


@pytest.mark.parametrize(("n_used", "fails"), [(10, False), (9_000, True)])
def test_many_categories(n_used: int, fails: bool, tmp_path: Path) -> None:
    """Of 10,000 categories those that cells have count; more than 4,000 are refused."""
    n_cells = 20_000
    codes = np.arange(n_cells, dtype=np.int16) % n_used
    values = pd.Categorical.from_codes(codes, [f"category {i}" for i in range(10_000)])
    obs = pd.DataFrame({"c": values}, index=[f"C{i}" for i in range(n_cells)])
    anndata.AnnData(np.ones((n_cells, 1), np.float32), obs=obs).write_h5ad(tmp_path / "a.h5ad")
    (matrix,) = iter_matrices(open_source(str(tmp_path / "a.h5ad")), OpenOptions())
    if fails:
        with pytest.raises(NoStrataError, match="more than 4,000 distinct values"):
            stratify(matrix, matrix.layers[0], "c", None)  # type: ignore[union-attr]
        return
    found = stratify(matrix, matrix.layers[0], "c", None)  # type: ignore[union-attr]
    assert found is not None
    assert found.n_values == n_used
