"""The law of all readers: what is published equals an independent reading of the file.

Where it does not, a warning names what was assumed or what was left out, or the file is
refused. Matrices, names, types, layouts and dialects are drawn; the other reading is by
scanpy, anndata, h5py, scipy and pandas, and scanpy computes the numbers.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from dpss.errors import MatrixError
from dpss.summary.assumptions import assumptions
from dpss.summary.record import Summary
from tests import independent
from tests.independent import Reading
from tests.libraries import scanpy
from tests.oracle import assert_agrees, scanpy_genes
from tests.summarise import summarise

pytestmark = pytest.mark.filterwarnings("ignore")

_BASES = "ACGT"
FEW = 8
"""Fewest cells and genes of which dispersions are compared: of fewer, as of values 0 and 1, they
are mostly rounding."""


def _barcode(i: int) -> str:
    return "".join(_BASES[(i * 7919 + 13 >> 2 * k) & 3] for k in range(16))


@cache
def symbols() -> list[str]:
    """Return symbols of human genes: those of a matrix that scanpy brings along."""
    sc = scanpy()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(sc.datasets.pbmc68k_reduced().var_names)


GENE_NAMES: dict[str, Callable[[int], str]] = {
    "human ids": lambda i: f"ENSG{i * 37 + 11:011d}",
    "mouse ids": lambda i: f"ENSMUSG{i * 41 + 7:011d}.{i % 9 + 1}",
    "symbols": lambda i: symbols()[i],
    "mouse symbols": lambda i: symbols()[i].capitalize(),
    "counted": lambda i: f"gene_{i + 1}",
    "numbers": lambda i: str(i + 1),
    "letters": lambda i: f"{chr(97 + i % 26)}{chr(97 + i // 26)}x",
    "flies": lambda i: f"FBgn{i * 3 + 1:07d}",
    "twice": lambda i: symbols()[i // 2],
}
CELL_NAMES: dict[str, Callable[[int], str]] = {
    "barcodes": lambda i: f"{_barcode(i)}-1",
    "samples": lambda i: f"Sample{i % 3 + 1}_{_barcode(i)}",
    "counted": lambda i: f"cell_{i + 1}",
    "wells": lambda i: f"plate1_{'ABCDEFGH'[i % 8]}{i // 8 + 1}",
    "numbers": str,
    "letters": lambda i: f"{chr(97 + i % 26)}{chr(97 + i // 26)}yq",
    "uuids": lambda i: f"{i * 7919:08x}-0000-4000-8000-{i * 104729:012x}",
}
REFUSALS = (
    # One row of cells or genes, with duplicates that scipy adds up.
    "entries, more than",
    # A layer of nothing but 0 and 1 beside scaled values is no rule's choice.
    "only 0 and 1 (--layer",
)
"""Words of the refusals that are right."""
VALUES = ("counts", "noise", "halves", "large", "rates", "ln", "log2", "log10", "01", "sparse")


@dataclass(frozen=True)
class Drawn:
    """A matrix and how it is written."""

    seed: int
    n_cells: int
    n_genes: int
    genes: str
    cells: str
    values: str
    dtype: str
    form: str
    choice: int
    """Decides on whatever a format leaves open."""

    def option(self, name: str, *options: Any) -> Any:
        """Return one of the options: the same one for the same case."""
        return options[np.random.default_rng([self.choice, *name.encode()]).integers(len(options))]

    def gene_names(self) -> list[str]:
        return [GENE_NAMES[self.genes](i) for i in range(self.n_genes)]

    def cell_names(self) -> list[str]:
        return [CELL_NAMES[self.cells](i) for i in range(self.n_cells)]

    def matrix(self) -> tuple[np.ndarray, np.ndarray]:
        """Return values as they are written, and what they mean as counts."""
        rng = np.random.default_rng(self.seed)
        x = rng.poisson(rng.gamma(0.7, 3, (self.n_cells, self.n_genes))).astype(np.float64)
        x[np.arange(self.n_cells), rng.integers(self.n_genes, size=self.n_cells)] += 1
        size = x.sum(1, keepdims=True)
        rates = x / size * 1e4
        return {
            "counts": (x, x),
            "noise": (x * (1 + 2e-16), x),
            "halves": (x * 0.5, x * 0.5),
            "large": (x * 123_457, x * 123_457),
            "rates": (rates, rates),
            "ln": (np.log1p(rates), rates),
            "log2": (np.log2(1 + rates), rates),
            "log10": (np.log10(1 + rates), rates),
            "01": (np.sign(x), np.sign(x)),
            "sparse": (x * (rng.random(x.shape) < 0.2), x * 0),
        }[self.values]


FORMS = (
    *("h5ad", "h5ad with layers", "zarr", "mtx", "mtx of cells", "genes.csv", "cells.csv"),
    *("genes.tsv", "cells.tsv", "loom", "10x v3", "10x v2"),
)
DRAWN = st.builds(
    Drawn,
    seed=st.integers(0, 1 << 32),
    n_cells=st.one_of(st.integers(5, 60), st.integers(1, 4)),
    n_genes=st.one_of(st.integers(5, 60), st.integers(1, 4)),
    genes=st.sampled_from(sorted(GENE_NAMES)),
    cells=st.sampled_from(sorted(CELL_NAMES)),
    values=st.sampled_from(VALUES),
    dtype=st.sampled_from(["float32", "float64", "int32", "int64", "uint16"]),
    form=st.sampled_from(FORMS),
    choice=st.integers(0, 1 << 32),
)


def _typed(drawn: Drawn, x: np.ndarray) -> np.ndarray:
    """Return values in the type that was drawn, where it holds them."""
    whole = (x == np.rint(x)).all()
    dtype = np.dtype(drawn.dtype)
    if dtype.kind in "iu" and not (whole and x.max(initial=0) <= np.iinfo(dtype).max):
        dtype = np.dtype(np.float64)
    if drawn.values == "noise" and dtype == np.float32:
        dtype = np.dtype(np.float64)
    if drawn.values == "large" and dtype == np.float32:
        dtype = np.dtype(np.float64)
    return x.astype(dtype)


def _anndata(drawn: Drawn) -> anndata.AnnData:
    x = _typed(drawn, drawn.matrix()[0])
    layout = drawn.option("layout", sp.csr_matrix, sp.csc_matrix, np.asarray)
    var = pd.DataFrame(index=drawn.gene_names())
    if drawn.option("ids", True, False):
        var["gene_ids"] = [GENE_NAMES["human ids"](i) for i in range(drawn.n_genes)]
    data = anndata.AnnData(layout(x), pd.DataFrame(index=drawn.cell_names()), var)
    data.obs["n_counts"] = x.sum(1)
    return data


def write_h5ad(folder: Path, drawn: Drawn) -> Reading:
    _anndata(drawn).write_h5ad(folder / "m.h5ad", compression=drawn.option("c", None, "gzip"))
    return independent.read_h5ad(folder / "m.h5ad")


def write_layers(folder: Path, drawn: Drawn) -> Reading:
    """Write counts into a layer or raw, and something made of them into X."""
    data = _anndata(drawn)
    x = data.X.toarray() if sp.issparse(data.X) else data.X
    x = x.astype(np.float64)
    place = drawn.option("place", "counts", "raw_counts", "UMI", "raw")
    if place == "raw":
        data.raw = data.copy()
    else:
        data.layers[place] = data.X.copy()
    scaled = np.log1p(x / np.maximum(x.sum(1, keepdims=True), 1) * 1e4)
    data.X = scaled - scaled.mean(0) if drawn.option("scaled", True, False) else scaled
    data.write_h5ad(folder / "m.h5ad")
    return independent.read_h5ad(folder / "m.h5ad")


def write_zarr(folder: Path, drawn: Drawn) -> Reading:
    before = anndata.settings.zarr_write_format
    anndata.settings.zarr_write_format = drawn.option("version", 2, 3)
    try:
        _anndata(drawn).write_zarr(folder / "m.zarr")
    finally:
        anndata.settings.zarr_write_format = before
    return independent.read_zarr(folder / "m.zarr")


def write_mtx(folder: Path, drawn: Drawn, *, genes_first: bool = True) -> Reading:
    x = _typed(drawn, drawn.matrix()[0])
    matrix = sp.coo_matrix(x.T if genes_first else x)
    if drawn.option("duplicates", False, True) and matrix.nnz and x.dtype.kind in "iu":
        again = [np.r_[part, part[:2]] for part in (matrix.row, matrix.col)]
        matrix = sp.coo_matrix((np.r_[matrix.data, matrix.data[:2]], tuple(again)), matrix.shape)
    path = folder / "m"
    path.mkdir()
    (path / "matrix.mtx").write_text(_market(matrix))
    columns = [drawn.gene_names()]
    if drawn.option("names", False, True):
        columns = [[GENE_NAMES["human ids"](i) for i in range(drawn.n_genes)], *columns]
        if drawn.option("types", False, True):
            others = {1: "Antibody Capture"} if drawn.n_genes > 4 else {}
            columns += [[others.get(i, "Gene Expression") for i in range(drawn.n_genes)]]
    lines = ["\t".join(row) for row in zip(*columns, strict=True)]
    (path / "features.tsv").write_text("".join(f"{line}\n" for line in lines))
    (path / "barcodes.tsv").write_text("".join(f"{cell}\n" for cell in drawn.cell_names()))
    return independent.read_mtx(path, genes_first=genes_first)


def _market(matrix: sp.coo_matrix) -> str:
    """Return entries in the file's order, duplicates included, which scipy's writer adds up."""
    field = "integer" if matrix.data.dtype.kind in "iu" else "real"
    head = f"%%MatrixMarket matrix coordinate {field} general\n{matrix.shape[0]} "
    head += f"{matrix.shape[1]} {len(matrix.data)}\n"
    entries = zip(matrix.row + 1, matrix.col + 1, matrix.data.tolist(), strict=True)
    return head + "".join(f"{row} {column} {value!r}\n" for row, column, value in entries)


def write_table(folder: Path, drawn: Drawn) -> Reading:
    axis, _, ending = drawn.form.partition(".")
    separator = {"csv": drawn.option("separator", ",", ";"), "tsv": "\t"}[ending]
    x = _typed(drawn, drawn.matrix()[0])
    frame = pd.DataFrame(x, index=drawn.cell_names(), columns=drawn.gene_names())
    frame = frame.T if axis == "genes" else frame
    label = drawn.option("label", "", "gene" if axis == "genes" else "cell", "index")
    path = folder / f"m.{ending}"
    frame.to_csv(path, sep=separator, index_label=label, quoting=drawn.option("quoting", 0, 2))
    return independent.read_table(path, separator, genes_first=axis == "genes")


def write_loom(folder: Path, drawn: Drawn) -> Reading:
    x = _typed(drawn, drawn.matrix()[0])
    with h5py.File(folder / "m.loom", "w") as file:
        file.create_dataset("matrix", data=x.T, **drawn.option("c", {}, {"compression": "gzip"}))
        for group in ("row_attrs", "col_attrs", "layers", "row_graphs", "col_graphs"):
            file.create_group(group)
        file["row_attrs/Gene"] = np.array(drawn.gene_names(), dtype="S")
        file["col_attrs/CellID"] = np.array(drawn.cell_names(), dtype="S")
    return independent.read_loom(folder / "m.loom")


def write_tenx(folder: Path, drawn: Drawn) -> Reading:
    x = _typed(drawn, drawn.matrix()[0])
    matrix = sp.csr_matrix(x)
    ids = [GENE_NAMES["human ids"](i) for i in range(drawn.n_genes)]
    columns = {"barcodes": drawn.cell_names()}
    with h5py.File(folder / "m.h5", "w") as file:
        if drawn.form == "10x v3":
            group = file.create_group("matrix")
            types = ["Gene Expression"] * drawn.n_genes
            if drawn.n_genes > 5:
                types[-1] = "Antibody Capture"
            features = {"id": ids, "name": drawn.gene_names(), "feature_type": types}
            features["genome"] = ["GRCh38"] * drawn.n_genes
            columns |= {f"features/{name}": each for name, each in features.items()}
        else:
            group = file.create_group("GRCh38")
            columns |= {"genes": ids, "gene_names": drawn.gene_names()}
        for name, each in columns.items():
            group[name] = np.array(each, dtype="S")
        group["data"], group["indices"] = matrix.data, matrix.indices
        group["indptr"] = matrix.indptr.astype(np.int64)
        group["shape"] = np.array(x.shape[::-1], dtype=np.int32)
    return independent.read_tenx_h5(folder / "m.h5")


WRITERS: dict[str, Callable[[Path, Drawn], Reading]] = {
    "h5ad": write_h5ad,
    "h5ad with layers": write_layers,
    "zarr": write_zarr,
    "mtx": write_mtx,
    "mtx of cells": lambda folder, drawn: write_mtx(folder, drawn, genes_first=False),
    **dict.fromkeys(("genes.csv", "cells.csv", "genes.tsv", "cells.tsv"), write_table),
    "loom": write_loom,
    "10x v3": write_tenx,
    "10x v2": write_tenx,
}


@pytest.mark.slow
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=DRAWN)
def test_published_equals_an_independent_reading(
    drawn: Drawn, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Numbers are those of another library, or a warning names why not, or it is refused."""
    check(tmp_path_factory.mktemp("m"), drawn)


def check(folder: Path, drawn: Drawn) -> None:
    """Write a case, read it twice, and compare."""
    reading = WRITERS[drawn.form](folder, drawn)
    (path,) = folder.iterdir()
    try:
        summary = summarise(path)
    except MatrixError as error:
        _event(f"refused: {drawn.form}")
        assert any(reason in str(error) for reason in REFUSALS), str(error)
        return
    _event(f"read: {drawn.form}")
    values = counts_of(summary, reading, drawn)
    warned = assumptions(summary.reading)
    topics = {each.topic for each in warned}
    said = [each.message for each in summary.checks if each.status != "pass"]
    if warned:
        _event(f"warned of {sorted(topics)}")
        assert any(each.name == "assumptions" for each in summary.checks)
    if topics & {"values", "log_base", "layer"}:
        return
    if "orientation" in topics and not _same(summary, values):
        values = values.T
    ids = list(summary.genes.gene_id)
    if "orientation" not in topics and len(ids) < values.shape[1]:
        # Features that are left out are named, each kind; they are no part of the numbers.
        gone = sorted(set(reading.ids) - set(ids))
        assert gone and any(name in " ".join(said) for name in gone), (gone, said)
        keep = [i for i, name in enumerate(reading.ids) if name in set(ids)]
        values = values[:, keep]
    assert (summary.n_cells, summary.n_genes) == values.shape
    assert summary.n_nonzero == np.count_nonzero(values)
    assert summary.total_counts == pytest.approx(values.sum(), rel=1e-6, abs=1e-9)
    if "orientation" not in topics:
        assert set(ids) <= set(reading.ids) | set(reading.names)
    expected = scanpy_genes(values)
    for name in ("n_cells_by_counts", "total_counts", "mean_counts", "mean_pct_of_cell_counts"):
        np.testing.assert_allclose(
            getattr(summary.genes, name), expected[name], rtol=1e-6, atol=1e-9, err_msg=name
        )
    if min(values.shape) >= FEW and drawn.values != "01":
        assert_agrees(summary.genes, expected)
    assert summary.median_counts_per_cell == pytest.approx(
        np.median(values.sum(1)), rel=1e-6, abs=1e-9
    )
    assert summary.median_genes_per_cell == np.median((values > 0).sum(1))


def _same(summary: Summary, values: np.ndarray) -> bool:
    """Return whether genes have the sums of these values."""
    found, expected = summary.genes.total_counts, values.sum(0)
    return len(found) == len(expected) and np.allclose(found, expected, rtol=1e-6)


def _event(text: str) -> None:
    """Note what came of a case, where Hypothesis runs it."""
    with contextlib.suppress(InvalidArgument):
        event(text)


def counts_of(summary: Summary, reading: Reading, drawn: Drawn) -> np.ndarray:
    """Return what the values of the layer that was used mean, as another library has them."""
    only = next(iter(reading.layers.values()))
    values = only if len(reading.layers) == 1 else reading.layers[summary.matrix.layer]
    if summary.values == "log-normalised":
        base = {"log2": 2.0, "log10": 10.0}.get(drawn.values, np.e)
        return np.expm1(values * np.log(base))
    return np.rint(values) if summary.values == "counts" else values
