"""Writers of simulated counts in the formats of portals.

Equal counts give equal bytes.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dpss.demo.cells import Counts

Write = Callable[[Path, Counts], None]

_GZIP: dict[str, Any] = {"compression": "gzip", "compression_opts": 4}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def compress(matrix: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[Any]]:
    """Return the rows of a dense matrix as pointers, indices and values."""
    rows, columns = np.nonzero(matrix)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(matrix)))])
    return indptr.astype(np.int32), columns.astype(np.int32), matrix[rows, columns]


def write_h5ad_csr(path: Path, counts: Counts) -> None:
    """Write an h5ad with cell-major counts in X."""
    with h5py.File(path, "w") as file:
        _frame_h5ad(file, counts)
        _sparse(file, "X", counts.matrix.astype(np.float32), cell_major=True)


def write_h5ad_csc(path: Path, counts: Counts) -> None:
    """Write an h5ad with log-normalised values in X and gene-major counts in a layer."""
    totals = np.maximum(counts.matrix.sum(axis=1, keepdims=True), 1)
    normalised = np.log1p(1e4 * counts.matrix / totals).astype(np.float32)
    with h5py.File(path, "w") as file:
        _frame_h5ad(file, counts)
        _sparse(file, "X", normalised, cell_major=False)
        layers = _group(file, "layers", "dict")
        _sparse(layers, "counts", counts.matrix.astype(np.float32), cell_major=False)


def write_h5ad_dense(path: Path, counts: Counts) -> None:
    """Write an h5ad with dense counts in X."""
    with h5py.File(path, "w") as file:
        _frame_h5ad(file, counts)
        data = file.create_dataset("X", data=counts.matrix.astype(np.float32), **_GZIP)
        data.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})


def write_tenx_h5(path: Path, counts: Counts) -> None:
    """Write a file like ``filtered_feature_bc_matrix.h5`` of Cell Ranger 3."""
    indptr, indices, data = compress(counts.matrix)
    n_genes = len(counts.symbols)
    with h5py.File(path, "w") as file:
        file.attrs.update({"filetype": "matrix", "version": 2, "library_ids": "simulated"})
        group = file.create_group("matrix")
        group.create_dataset("barcodes", data=np.array(counts.barcodes, dtype="S"))
        group.create_dataset("data", data=data, **_GZIP)
        group.create_dataset("indices", data=indices.astype(np.int64), **_GZIP)
        group.create_dataset("indptr", data=indptr.astype(np.int64))
        group.create_dataset("shape", data=np.array([n_genes, len(counts.barcodes)], np.int32))
        features = group.create_group("features")
        columns = {
            "id": counts.ids,
            "name": counts.symbols,
            "feature_type": ["Gene Expression"] * n_genes,
            "genome": ["simulated"] * n_genes,
        }
        for name, column in columns.items():
            features.create_dataset(name, data=np.array(column, dtype="S"))


def write_tenx_folder(path: Path, counts: Counts) -> None:
    """Write a folder like ``filtered_feature_bc_matrix/`` of Cell Ranger 3."""
    path.mkdir(parents=True, exist_ok=True)
    features = [
        f"{gene_id}\t{name}\tGene Expression"
        for gene_id, name in zip(counts.ids, counts.symbols, strict=True)
    ]
    for name, data in {
        "matrix.mtx.gz": _matrix_market(counts),
        "features.tsv.gz": _gzipped(features),
        "barcodes.tsv.gz": _gzipped(counts.barcodes),
    }.items():
        (path / name).write_bytes(data)


def write_mtx_zip(path: Path, counts: Counts) -> None:
    """Write an ``mtx.zip`` like those of the Human Cell Atlas's Matrix Service."""
    genes = [f"{i}\t{name}" for i, name in zip(counts.ids, counts.symbols, strict=True)]
    detected = np.count_nonzero(counts.matrix, axis=1)
    cells = [f"{code}\t{n}" for code, n in zip(counts.barcodes, detected, strict=True)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {
            "matrix.mtx.gz": _matrix_market(counts),
            "genes.tsv.gz": _gzipped(["featurekey\tfeaturename", *genes]),
            "cells.tsv.gz": _gzipped(["cellkey\tgenes_detected", *cells]),
        }.items():
            folder = path.name.removesuffix(".zip")
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}", _EPOCH), data)


def _matrix_market(counts: Counts) -> bytes:
    cells, genes = np.nonzero(counts.matrix)
    values = counts.matrix[cells, genes]
    n_cells, n_genes = counts.matrix.shape
    head = (
        "%%MatrixMarket matrix coordinate integer general",
        "%simulated",
        f"{n_genes} {n_cells} {len(values)}",
    )
    entries = zip((genes + 1).tolist(), (cells + 1).tolist(), values.tolist(), strict=True)
    return _gzipped((*head, *("%d %d %d" % entry for entry in entries)))  # noqa: UP031 - quicker


def _gzipped(lines: Iterable[str]) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", filename="", compresslevel=6, mtime=0) as file:
        file.write(("\n".join(lines) + "\n").encode())
    return out.getvalue()


def _frame_h5ad(file: h5py.File, counts: Counts) -> None:
    """Write the parts of an h5ad other than its matrices."""
    file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
    _table(file, "obs", {"barcode": counts.barcodes})
    _table(file, "var", {"symbol": counts.symbols, "gene_ids": counts.ids})
    uns = _group(file, "uns", "dict")
    _text(uns.create_dataset("comment", data="simulated"), "string")


def _table(file: h5py.File, name: str, columns: dict[str, list[str]]) -> None:
    """Write a data frame; its first column is the index."""
    group = _group(file, name, "dataframe", "0.2.0")
    index, *others = columns
    group.attrs["_index"] = index
    group.attrs["column-order"] = np.array(others, dtype=h5py.string_dtype())
    for column, values in columns.items():
        data = group.create_dataset(column, data=np.array(values, dtype=h5py.string_dtype()))
        _text(data, "string-array")


def _text(data: h5py.Dataset, kind: str) -> None:
    data.attrs.update({"encoding-type": kind, "encoding-version": "0.2.0"})


def _group(parent: h5py.Group, name: str, kind: str, version: str = "0.1.0") -> h5py.Group:
    group = parent.create_group(name)
    group.attrs.update({"encoding-type": kind, "encoding-version": version})
    return group


def _sparse(parent: h5py.Group, name: str, matrix: NDArray[Any], *, cell_major: bool) -> None:
    group = _group(parent, name, "csr_matrix" if cell_major else "csc_matrix")
    group.attrs["shape"] = np.array(matrix.shape, dtype=np.int64)
    indptr, indices, data = compress(matrix if cell_major else matrix.T)
    for key, values in {"data": data, "indices": indices, "indptr": indptr}.items():
        group.create_dataset(key, data=values, **_GZIP)
