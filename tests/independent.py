"""What other libraries read from a matrix file: the reading that is held against ours.

Each function returns cells × genes and the genes' names as its library gives them, without
a line of the program's own code.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse as sp

from tests.libraries import scanpy


@dataclass(frozen=True)
class Reading:
    """Values, shape ``(n_cells, n_genes)``, of every layer, and the genes' ids and names."""

    layers: dict[str, np.ndarray]
    ids: list[str]
    names: list[str]


def _dense(matrix: Any) -> np.ndarray:
    return np.asarray(matrix.toarray() if sp.issparse(matrix) else matrix, dtype=np.float64)


def _of_anndata(data: anndata.AnnData) -> Reading:
    layers = {"X": _dense(data.X)} if data.X is not None else {}
    layers |= {name: _dense(each) for name, each in data.layers.items()}
    ids = data.var.get("gene_ids", data.var_names)
    if data.raw is not None and data.raw.n_vars == data.n_vars:
        layers["raw.X"] = _dense(data.raw.X)
    return Reading(layers, list(map(str, ids)), list(map(str, data.var_names)))


def read_h5ad(path: Path) -> Reading:
    """Read an h5ad with anndata."""
    return _of_anndata(anndata.read_h5ad(path))


def read_zarr(path: Path) -> Reading:
    """Read a zarr folder with anndata."""
    return _of_anndata(anndata.read_zarr(path))


def read_tenx_h5(path: Path) -> Reading:
    """Read a Cell Ranger file with scanpy: gene expression only."""
    sc = scanpy()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = sc.read_10x_h5(path)
    return _of_anndata(data)


def read_loom(path: Path) -> Reading:
    """Read a loom file with h5py: genes are rows, by its specification."""
    with h5py.File(path) as file:
        layers = {"": file["matrix"][...].T.astype(np.float64)}
        for name, each in file.get("layers", {}).items():
            layers[f"layers/{name}"] = each[...].T.astype(np.float64)
        rows = file["row_attrs"]
        names = [each.decode() for each in rows["Gene"][...]]
        ids = [each.decode() for each in rows["Accession"][...]] if "Accession" in rows else names
    return Reading(layers, ids, names)


def read_mtx(path: Path, *, genes_first: bool = True) -> Reading:
    """Read a folder with scipy and pandas; scipy adds duplicates up."""
    matrix = _dense(scipy.io.mmread(path / "matrix.mtx", spmatrix=False))
    table = pd.read_csv(path / "features.tsv", sep="\t", header=None, dtype=str, na_filter=False)
    values = matrix.T if genes_first else matrix
    names = table[1] if table.shape[1] > 1 else table[0]
    keep = np.ones(len(table), dtype=bool)
    if table.shape[1] > 2:
        keep = (table[2] == "Gene Expression").to_numpy()
    return Reading({"": values[:, keep]}, table[0][keep].tolist(), names[keep].tolist())


def read_table(path: Path, separator: str, *, genes_first: bool) -> Reading:
    """Read a delimited table with pandas; its first column names the lines."""
    frame = pd.read_csv(path, sep=separator, index_col=0)
    frame = frame.T if genes_first else frame
    names = list(map(str, frame.columns))
    return Reading({"": frame.to_numpy(dtype=np.float64)}, names, names)
