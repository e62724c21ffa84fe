"""The law of the copy in scratch space: a matrix by gene has the numbers of the same by cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine import entry_copy
from dpss.engine.entry_copy import PackedLayer
from dpss.engine.progress import NullProgress
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.engine.summarizer import summarize_matrix
from dpss.formats.arrays import tiles
from dpss.formats.registry import open_matrices
from dpss.model import EntryBlock
from dpss.summary.builder import Identity
from dpss.summary.record import MatrixInfo, Provenance, Summary
from dpss.summary.tables import genes_csv, quantiles_document
from tests.summarise import source_of
from tests.unit.formats.hdf5.test_loom import write_loom

pytestmark = pytest.mark.slow

SMALL = ReadSettings(threads=3, block_bytes=1 << 17, partition_bytes=1 << 19)
"""Blocks and partitions so small that there are dozens of them."""
N_CELLS, N_GENES = 2_600, 500
NAMES = [f"MT-{i}" if i < 7 else f"RPL{i}" if i < 20 else f"GENE{i}" for i in range(N_GENES)]
BARCODES = [f"cell{i}" for i in range(N_CELLS)]


@cache
def matrix_of(kind: str) -> np.ndarray:
    """Draw 390,000 values: small counts, or large ones, or some of them with quarters."""
    rng = np.random.default_rng(len(kind))
    rates = rng.gamma(0.3, 4.0, N_GENES) * rng.gamma(3.0, 0.4, (N_CELLS, 1))
    counts = rng.poisson(rates).astype(np.float64)
    counts *= rng.random(counts.shape) < 0.6
    counts[0] += 1
    if kind == "large":
        counts *= rng.integers(1, 2_000, counts.shape)
    if kind == "fractional":
        counts += (counts > 0) * rng.integers(0, 4, counts.shape) / 4
    counts[7::50] = 0
    return counts


def write_csr(folder: Path, values: np.ndarray) -> Path:
    """Write the matrix by cell."""
    adata = anndata.AnnData(sp.csr_matrix(values))
    adata.obs_names, adata.var_names = BARCODES, NAMES
    adata.write_h5ad(folder / "m.h5ad", compression="gzip")
    return folder / "m.h5ad"


def write_csc(folder: Path, values: np.ndarray) -> Path:
    """Write the matrix by gene, as h5ad."""
    adata = anndata.AnnData(sp.csc_matrix(values))
    adata.obs_names, adata.var_names = BARCODES, NAMES
    adata.write_h5ad(folder / "m.h5ad", compression="gzip")
    return folder / "m.h5ad"


def write_tiles(folder: Path, values: np.ndarray) -> Path:
    """Write a loom file, whose tiles have some genes of some cells."""
    path = write_loom(folder / "m.loom", values.T, False, chunks=(64, 64), compression="gzip")
    with h5py.File(path, "r+") as file:
        file["row_attrs/Gene"] = [name.encode() for name in NAMES]
        file["row_attrs/Accession"] = [name.encode() for name in NAMES]
        file["col_attrs/CellID"] = [name.encode() for name in BARCODES]
    return path


def write_table(folder: Path, values: np.ndarray) -> Path:
    """Write a csv file with a line for each gene."""
    pd.DataFrame(values.T, NAMES, BARCODES).to_csv(folder / "m.csv")
    return folder / "m.csv"


def write_mtx(folder: Path, values: np.ndarray) -> Path:
    """Write the three files of Cell Ranger, but sorted by gene."""
    entries = sp.csr_matrix(values.T).tocoo()
    frame = pd.DataFrame({"gene": entries.row + 1, "cell": entries.col + 1, "x": entries.data})
    kind = "integer" if (entries.data == np.rint(entries.data)).all() else "real"
    frame["x"] = frame["x"].astype(int) if kind == "integer" else frame["x"]
    text = frame.to_csv(sep=" ", header=False, index=False)
    head = f"%%MatrixMarket matrix coordinate {kind} general\n{N_GENES} {N_CELLS} {len(frame)}\n"
    (folder / "matrix.mtx").write_text(head + text)
    genes = (f"{name}\t{name}\tGene Expression\n" for name in NAMES)
    (folder / "features.tsv").write_text("".join(genes))
    (folder / "barcodes.tsv").write_text("".join(f"{name}\n" for name in BARCODES))
    return folder


def summarised(path: Path) -> Summary:
    """Summarise a matrix with small blocks, in three threads."""
    (matrix,) = open_matrices(source_of(path))
    info = MatrixInfo("", "test", matrix.format, "X", "test")
    return summarize_matrix(
        matrix, lambda *_: Identity("t", "t", info, Provenance("0", {})),
        StatSettings(embedding=False, min_gene_count=3), SMALL, ThreadExecutor(3), NullProgress(),
    )  # fmt: skip


def numbers_of(summary: Summary) -> dict[str, Any]:
    """Return all numbers that both orders have."""
    return {
        "genes": genes_csv(summary.genes),
        "quantiles": quantiles_document(summary),
        "counts": (summary.n_cells, summary.n_cells_kept, summary.n_nonzero, summary.total_counts),
        "boxes": [vars(box) | {"outliers": box.outliers.tolist()}
                  for box in summary.highest_expr_boxes],
        "measures": {name: (each.values.tolist(), each.counts.tolist())
                     for name, each in summary.other_measures.items() if "top_50" not in name},
    }  # fmt: skip


@cache
def expected(kind: str, folder: Path) -> dict[str, Any]:
    """Return the numbers of the matrix by cell."""
    folder.mkdir()
    return numbers_of(summarised(write_csr(folder, matrix_of(kind))))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all tests here."""
    return tmp_path_factory.mktemp("copies")


@pytest.mark.parametrize("kind", ["small", "large", "fractional"])
@pytest.mark.parametrize("write", [write_csc, write_tiles, write_table, write_mtx])
def test_the_second_pass_over_the_copy_has_the_same_numbers(
    write: Callable[[Path, np.ndarray], Path],
    kind: str,
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Loom, csv and mtx by gene are read once; the copy of their entries then, in many blocks."""
    blocks = []
    read = PackedLayer.entry_blocks

    def watched(self: PackedLayer, *args: Any) -> Iterator[EntryBlock]:
        for block in read(self, *args):
            blocks.append(len(block.data))
            yield block

    monkeypatch.setattr(entry_copy, "is_in_memory", lambda folder: False)
    # Otherwise only cells of more than this size, in tiles, are read by gene.
    monkeypatch.setattr(tiles, "BAND_BYTES", 0)
    monkeypatch.setattr(PackedLayer, "entry_blocks", watched)
    found = numbers_of(summarised(write(tmp_path, matrix_of(kind))))
    assert found == expected(kind, shared / kind)
    assert len(blocks) > 3
    assert sum(blocks) >= np.count_nonzero(matrix_of(kind))
