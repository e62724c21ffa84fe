"""Seeded inputs for the benchmarks: matrices of any number of cells, quickly made.

A tile of 10,000 cells is drawn and compressed once; larger matrices repeat its
compressed chunks. What reads them can't tell: every chunk is decompressed all the
same, and each cell costs what it costs.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
from isal import igzip, isal_zlib
from numpy.typing import NDArray

N_GENES = 33_000
GENES_PER_CELL = 2_090
TILE_CELLS = 10_000
CHUNK = 1 << 15
"""Values per chunk: what h5py chooses by itself for vectors of this length."""
LEVEL = 4
"""gzip level: h5py's default, and so AnnData's."""
LINES = 1 << 18
MAX_LINE_BYTES = 40


@lru_cache(maxsize=1)
def draw_cells(
    n_cells: int, seed: int, n_genes: int = N_GENES, genes_per_cell: int = GENES_PER_CELL
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Draw a sparse count matrix: a few genes are everywhere, most are rare.

    The last one is kept, as a small and a large matrix are often made of the same tile.

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
        _, genes = np.nonzero(mask)
        indices.append(genes.astype(np.int32))
        counts.append((1 + rng.poisson(rates[genes])).astype(np.float32))
        lengths.append(mask.sum(axis=1))
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
    return indptr, np.concatenate(indices), np.concatenate(counts)


def gene_names(n_genes: int) -> list[str]:
    """Return gene names, the first 13 of them mitochondrial."""
    return [f"MT-{i}" if i < 13 else f"GENE{i}" for i in range(n_genes)]


def write_h5ad(
    path: Path, n_cells: int, seed: int = 1, genes_per_cell: int = GENES_PER_CELL
) -> int:
    """Write a gzipped CSR h5ad of ``n_cells`` cells and return its number of stored values."""
    tile_cells = min(n_cells, TILE_CELLS)
    indptr, indices, counts = draw_cells(tile_cells, seed, genes_per_cell=genes_per_cell)
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


def write_csc(path: Path, n_cells: int, seed: int = 1) -> int:
    """Write the cells of `write_h5ad` gene by gene; return the number of stored values."""
    import scipy.sparse as sp

    tile_cells = min(n_cells, TILE_CELLS)
    indptr, indices, counts = draw_cells(tile_cells, seed)
    tile = sp.csr_matrix((counts, indices, indptr), shape=(tile_cells, N_GENES))
    matrix = sp.vstack([tile] * -(-n_cells // tile_cells), format="csr").tocsc()
    with h5py.File(path, "w") as h5:
        h5.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        group = h5.create_group("X")
        group.attrs.update({"encoding-type": "csc_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = matrix.shape
        chunk = min(CHUNK, matrix.nnz)
        for name in ("data", "indices", "indptr"):
            values = getattr(matrix, name)
            group.create_dataset(
                name, data=values, chunks=(min(chunk, len(values)),), compression="gzip",
                compression_opts=LEVEL,
            )  # fmt: skip
        _write_frame(h5, "obs", [f"cell{i}" for i in range(matrix.shape[0])])
        _write_frame(h5, "var", gene_names(N_GENES))
    return int(matrix.nnz)


def write_mtx(
    folder: Path, n_cells: int, seed: int = 1, genes_per_cell: int = GENES_PER_CELL
) -> int:
    """Write a Cell Ranger v3 folder of ``n_cells`` cells; return its number of entries."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "matrix.mtx.gz").open("wb") as file:
        n_cells, n_values = stream_mtx(file, n_cells, seed, genes_per_cell)
    with gzip.open(folder / "features.tsv.gz", "wt") as text:
        text.writelines(
            f"ENSG{i:011d}\t{name}\tGene Expression\n" for i, name in enumerate(gene_names(N_GENES))
        )
    with gzip.open(folder / "barcodes.tsv.gz", "wt") as text:
        text.writelines(f"CELL{i}-1\n" for i in range(n_cells))
    return n_values


def write_mtx_zip(path: Path, n_cells: int, seed: int = 1) -> int:
    """Write an HCA mtx.zip of ``n_cells`` cells of 200 to 2,400 genes; return its entries."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(f"{path.stem}/matrix.mtx.gz", "w", force_zip64=True) as file:
            n_cells, n_values = stream_mtx(file, n_cells, seed, 2_400, spread=True)
        columns = "featurekey\tfeaturename\tfeaturetype\n"
        rows = (f"ENSG{i:011d}\t{name}\tgene\n" for i, name in enumerate(gene_names(N_GENES)))
        archive.writestr(f"{path.stem}/genes.tsv.gz", gzip.compress(_text([columns, *rows])))
        cells = (f"cell-{i}\n" for i in range(n_cells))
        archive.writestr(f"{path.stem}/cells.tsv.gz", gzip.compress(_text(["cellkey\n", *cells])))
    return n_values


def stream_mtx(
    file: IO[bytes],
    n_cells: int,
    seed: int = 1,
    genes_per_cell: int = GENES_PER_CELL,
    *,
    spread: bool = False,
) -> tuple[int, int]:
    """Write a gzipped MatrixMarket file, genes × cells; return its cells and its entries.

    With ``spread`` each cell keeps a part of its genes, from a twelfth to all of them.
    """
    tile_cells = min(n_cells, TILE_CELLS)
    indptr, indices, counts = draw_cells(tile_cells, seed, genes_per_cell=genes_per_cell)
    n_tiles = -(-n_cells // tile_cells)
    cells = np.repeat(np.arange(tile_cells), np.diff(indptr))
    if spread:
        rng = np.random.default_rng(seed + 1)
        kept = rng.random(len(cells)) < rng.uniform(1 / 12, 1, tile_cells)[cells]
        cells, indices, counts = cells[kept], indices[kept], counts[kept]
    n_values = len(indices) * n_tiles
    packer = isal_zlib.compressobj(2, isal_zlib.DEFLATED, 31)
    head = "%%MatrixMarket matrix coordinate integer general\n"
    head += f"{N_GENES} {n_tiles * tile_cells} {n_values}\n"
    file.write(packer.compress(head.encode()))
    out = np.empty(LINES * MAX_LINE_BYTES, dtype=np.uint8)
    format_lines = _compiled()
    for number in range(n_tiles):
        for at in range(0, len(cells), LINES):
            part = slice(at, at + LINES)
            n = format_lines(indices[part], cells[part] + number * tile_cells, counts[part], out)
            file.write(packer.compress(out[:n].tobytes()))
    file.write(packer.flush())
    return n_tiles * tile_cells, n_values


@cache
def _compiled() -> Any:
    """Return `_format_lines`, compiled; only text needs numba, whose import takes half a second."""
    from numba import njit

    return njit(cache=True)(_format_lines)


def _format_lines(genes: Any, cells: Any, counts: Any, out: Any) -> int:
    """Write ``gene cell count`` lines, counted from 1, and return their length in bytes."""
    digits = np.empty(20, dtype=np.uint8)
    at = 0
    for i in range(len(genes)):
        for k in range(3):
            if k == 0:
                number = np.int64(genes[i]) + 1
            elif k == 1:
                number = np.int64(cells[i]) + 1
            else:
                number = np.int64(counts[i])
            n = 0
            while number > 0 or n == 0:
                digits[n] = 48 + number % 10
                number //= 10
                n += 1
            for j in range(n):
                out[at + j] = digits[n - 1 - j]
            out[at + n] = 32 if k < 2 else 10
            at += n + 1
    return at


def write_csv(path: Path, n_cells: int, seed: int = 1) -> int:
    """Write a dense csv.gz of cells × genes; return its number of values, zeros included."""
    names = gene_names(N_GENES)
    with igzip.open(path, "wb", compresslevel=2) as file:
        file.write((",".join(["cell", *names]) + "\n").encode())
        for start in range(0, n_cells, 500):
            size = min(500, n_cells - start)
            indptr, indices, counts = draw_cells(size, seed + start)
            for cell in range(size):
                row = np.full(N_GENES, "0", dtype=object)
                part = slice(indptr[cell], indptr[cell + 1])
                row[indices[part]] = counts[part].astype(np.int64).astype("U")
                file.write(f"cell{start + cell},{','.join(row)}\n".encode())
    return n_cells * N_GENES


def write_many_values(path: Path, n_values: int, n_genes: int = 1000) -> int:
    """Write a CSR h5ad of more than 2**31 values that is small on disk.

    Each cell has every gene once, so that all chunks but one are the same bytes, and values repeat.

    Returns:
        The number of cells.
    """
    chunk = n_genes << 10
    n_chunks = -(-n_values // chunk)
    n_cells = n_chunks << 10
    with h5py.File(path, "w") as h5:
        h5.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        group = h5.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = (n_cells, n_genes)
        columns = {
            "data": np.ones(chunk, dtype=np.float32),
            "indices": np.tile(np.arange(n_genes, dtype=np.int32), chunk // n_genes),
        }
        for name, values in columns.items():
            vector = group.create_dataset(
                name, (n_chunks * chunk,), values.dtype, chunks=(chunk,), compression="gzip"
            )
            stored = zlib.compress(values.tobytes(), 9)
            for number in range(n_chunks):
                vector.id.write_direct_chunk((number * chunk,), stored)
        pointers = np.arange(n_cells + 1, dtype=np.int64) * n_genes
        group.create_dataset("indptr", data=pointers, chunks=True, compression="gzip")
        _write_frame(h5, "obs", [f"cell{i}" for i in range(n_cells)])
        _write_frame(h5, "var", gene_names(n_genes))
    return n_cells


def _text(lines: Iterable[str]) -> bytes:
    return "".join(lines).encode()


def _write_frame(h5: h5py.File, name: str, index: list[str]) -> None:
    """Write a data frame of AnnData that has an index only."""
    frame = h5.create_group(name)
    frame.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0"})
    frame.attrs["_index"] = "_index"
    frame.attrs["column-order"] = np.array([], dtype=h5py.string_dtype())
    column = frame.create_dataset("_index", data=index, dtype=h5py.string_dtype())
    column.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
