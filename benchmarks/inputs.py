"""Seeded inputs for the benchmarks: matrices of any number of cells, quickly made.

A tile of 10,000 cells is drawn and compressed once; larger matrices repeat its
compressed chunks. What reads them can't tell: every chunk is decompressed all the
same, and each cell costs what it costs.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

N_GENES = 33_000
GENES_PER_CELL = 2_090
TILE_CELLS = 10_000
CHUNK = 1 << 15
"""Values per chunk: what h5py chooses by itself for vectors of this length."""
LEVEL = 4
"""gzip level: h5py's default, and so AnnData's."""


def draw_cells(
    n_cells: int, seed: int, n_genes: int = N_GENES, genes_per_cell: int = GENES_PER_CELL
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Draw a sparse count matrix: a few genes are everywhere, most are rare.

    Returns:
        Pointers, gene indices and counts of compressed sparse rows.
    """
    rng = np.random.default_rng(seed)
    weights = rng.lognormal(0, 2, n_genes)
    low, high = 0.0, 1e6
    for _ in range(60):
        middle = (low + high) / 2
        if (1 - np.exp(-middle * weights / weights.sum())).sum() < genes_per_cell:
            low = middle
        else:
            high = middle
    rates = (high * weights / weights.sum()).astype(np.float32)
    found = (1 - np.exp(-rates)).astype(np.float32)
    indices, counts, lengths = [], [], []
    for start in range(0, n_cells, 500):
        mask = rng.random((min(500, n_cells - start), n_genes), dtype=np.float32) < found
        cells, genes = np.nonzero(mask)
        indices.append(genes.astype(np.int32))
        counts.append((1 + rng.poisson(rates[genes])).astype(np.float32))
        lengths.append(mask.sum(axis=1))
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
    return indptr, np.concatenate(indices), np.concatenate(counts)


def gene_names(n_genes: int) -> list[str]:
    """Return gene names, the first 13 of them mitochondrial."""
    return [f"MT-{i}" if i < 13 else f"GENE{i}" for i in range(n_genes)]


def write_h5ad(path: Path, n_cells: int, seed: int = 1) -> int:
    """Write a gzipped CSR h5ad of ``n_cells`` cells and return its number of stored values."""
    tile_cells = min(n_cells, TILE_CELLS)
    indptr, indices, counts = draw_cells(tile_cells, seed)
    # The tile must end where a chunk ends: its last cell loses some values.
    n_tile = len(indices) // CHUNK * CHUNK if n_cells > TILE_CELLS else len(indices)
    indptr = np.minimum(indptr, n_tile)
    n_tiles = -(-n_cells // tile_cells)
    n_values = n_tile * n_tiles
    with h5py.File(path, "w") as h5:
        h5.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        group = h5.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = (n_tiles * tile_cells, N_GENES)
        for name, tile in (("data", counts), ("indices", indices)):
            chunk = min(CHUNK, n_tile)
            vector = group.create_dataset(
                name, (n_values,), tile.dtype, chunks=(chunk,), compression="gzip",
                compression_opts=LEVEL,
            )  # fmt: skip
            stored = [
                zlib.compress(np.pad(part, (0, chunk - len(part))).tobytes(), LEVEL)
                for part in (tile[at : min(at + chunk, n_tile)] for at in range(0, n_tile, chunk))
            ]
            for number in range(-(-n_values // chunk)):
                vector.id.write_direct_chunk((number * chunk,), stored[number % len(stored)])
        pointers = group.create_dataset(
            "indptr", (n_tiles * tile_cells + 1,), "i8", chunks=True, compression="gzip"
        )
        pointers[0] = 0
        for number in range(n_tiles):
            at = number * tile_cells
            pointers[at + 1 : at + 1 + tile_cells] = indptr[1:] + number * n_tile
        _write_frame(h5, "obs", [f"cell{i}" for i in range(n_tiles * tile_cells)])
        _write_frame(h5, "var", gene_names(N_GENES))
    return n_values


def write_mtx(folder: Path, n_cells: int, seed: int = 1) -> int:
    """Write a Cell Ranger v3 folder of ``n_cells`` cells; return its number of entries."""
    folder.mkdir(parents=True, exist_ok=True)
    tile_cells = min(n_cells, TILE_CELLS)
    indptr, indices, counts = draw_cells(tile_cells, seed)
    n_tiles = -(-n_cells // tile_cells)
    n_values = len(indices) * n_tiles
    cells = np.repeat(np.arange(tile_cells), np.diff(indptr))
    genes = (indices + 1).astype("U")
    tails = counts.astype(np.int64).astype("U")
    with gzip.open(folder / "matrix.mtx.gz", "wb", compresslevel=LEVEL) as file:
        file.write(b"%%MatrixMarket matrix coordinate integer general\n")
        file.write(f"{N_GENES} {n_tiles * tile_cells} {n_values}\n".encode())
        for number in range(n_tiles):
            for part in np.array_split(np.arange(len(cells)), 20):
                at = (cells[part] + number * tile_cells + 1).astype("U")
                lines = zip(genes[part], at, tails[part], strict=True)
                file.write("".join(f"{g} {c} {x}\n" for g, c, x in lines).encode())
    with gzip.open(folder / "features.tsv.gz", "wt") as file:
        file.writelines(
            f"ENSG{i:011d}\t{name}\tGene Expression\n" for i, name in enumerate(gene_names(N_GENES))
        )
    with gzip.open(folder / "barcodes.tsv.gz", "wt") as file:
        file.writelines(f"CELL{i}-1\n" for i in range(n_tiles * tile_cells))
    return n_values


def _write_frame(h5: h5py.File, name: str, index: list[str]) -> None:
    """Write a data frame of AnnData that has an index only."""
    frame = h5.create_group(name)
    frame.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0"})
    frame.attrs["_index"] = "_index"
    frame.attrs["column-order"] = np.array([], dtype=h5py.string_dtype())
    column = frame.create_dataset("_index", data=index, dtype=h5py.string_dtype())
    column.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
