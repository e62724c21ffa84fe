"""Small files as their writers' documentation says, and what pandas finds in them."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

from dpss.summary.record import Summary

RNG = np.random.default_rng(14)
COUNTS = pd.DataFrame(
    RNG.poisson(1.2, (40, 25)),
    index=[f"ENSG{k:011d}" for k in range(40)],
    columns=[f"{''.join(RNG.choice(list('ACGT'), 16))}-1" for _ in range(25)],
)
NAMES = [f"ZNF{k}" for k in range(37)] + ["MT-CO1", "MT-ND1", "GAPDH"]


def agrees(summary: Summary, counts: pd.DataFrame = COUNTS) -> None:
    """Compare with pandas' sums."""
    assert (summary.n_cells, summary.n_genes) == counts.shape[::-1]
    assert summary.n_nonzero == np.count_nonzero(counts)
    assert summary.total_counts == pytest.approx(counts.to_numpy().sum(), rel=1e-12)
    assert summary.genes.total_counts == pytest.approx(counts.sum(axis=1).to_numpy(), rel=1e-9)
    assert summary.median_counts_per_cell == pytest.approx(np.median(counts.sum()), rel=1e-9)


def write_h5(path: Path, group: str, matrix: Any, tables: dict[str, Any]) -> Path:
    csc = sp.csc_matrix(matrix)
    with h5py.File(path, "a") as file:
        node = file.create_group(group)
        for name in ("data", "indices", "indptr"):
            node[name] = getattr(csc, name)
        node["shape"] = np.array(csc.shape, dtype=np.int32)
        for name, values in {"barcodes": COUNTS.columns, **tables}.items():
            node[name] = np.array(list(values), dtype="S")
    return path


def features(types: str = "Gene Expression") -> dict[str, Any]:
    return {
        "features/id": COUNTS.index,
        "features/name": NAMES,
        "features/feature_type": [types] * len(NAMES),
        "features/genome": ["GRCh38"] * len(NAMES),
    }


TENX = ("matrix.mtx.gz", "features.tsv.gz", "barcodes.tsv.gz")


def write_triple(
    folder: Path,
    names: Sequence[str] = TENX,
    *,
    counts: pd.DataFrame = COUNTS,
    rows: Sequence[str] | None = None,
    cells: Sequence[str] | None = None,
    cells_first: bool = False,
) -> Path:
    """Write a matrix in MatrixMarket's form with its two tables.

    Args:
        folder: Where it goes; it is made.
        names: Of the matrix, the table of features and that of cells; ``.gz`` packs.
        counts: Genes × cells.
        rows: Lines of the table of features; ``None`` for Cell Ranger's.
        cells: Lines of the table of cells; ``None`` for their names.
        cells_first: Whether the matrix is written as cells × genes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = counts.to_numpy()
    written = io.BytesIO()
    scipy.io.mmwrite(written, sp.coo_matrix(values.T if cells_first else values))
    pairs = zip(counts.index, NAMES, strict=True)
    lines = rows or [f"{i}\t{name}\tGene Expression" for i, name in pairs]
    contents = written.getvalue(), as_lines(lines), as_lines(cells or list(counts.columns))
    for name, data in zip(names, contents, strict=True):
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return folder


def as_lines(texts: Sequence[str]) -> bytes:
    """Return a line for each text."""
    return "".join(f"{text}\n" for text in texts).encode()
