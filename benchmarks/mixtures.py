"""Seeded matrices of cells whose types are known: 20 common types, 5 rare ones, one transition.

No two cells are the same, so that neighbours mean something: each count is drawn from the shares
of its cell's type. ``obs`` has the type (``truth``) and the sample (``batch``), of which there are
four that differ a little in all genes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from deflate import zlib_compress
from numba import njit
from numpy.typing import NDArray

from benchmarks.inputs import CHUNK, LEVEL, N_GENES, gene_names

N_COMMON, N_LINEAGES, N_SAMPLES = 20, 5, 4
RARE_SHARES = (0.0005, 0.001, 0.002, 0.003, 0.005)
"""Shares of the rare types among all cells."""
TRANSITION_SHARE = 0.05
"""Share of cells between two types: each of their counts is of the one or of the other."""
RARE = tuple(f"rare {100 * share:g} %" for share in RARE_SHARES)
TYPES = (*(f"type {k}" for k in range(N_COMMON)), *RARE, "transition")
_ENDS = (0, 1)
"""Types between which the transition lies: of two lineages."""
_MEAN_COUNTS, _LEAST_COUNTS = 4_000, 300
_BLOCK_CELLS = 5_000
_STRUCTURE_SEED = 7
"""Types are the same, whatever the seed of the cells."""


@dataclass(frozen=True)
class Mixture:
    """Shares of the genes in each type and sample, as alias tables."""

    limits: NDArray[np.float32]
    """Chance to keep the drawn gene, shape ``(n_types * N_SAMPLES, n_genes)``."""
    others: NDArray[np.int32]
    """Gene that is taken otherwise, of the same shape."""
    shares: NDArray[np.float64]
    """Share of cells of each type, shape ``(n_types,)``."""


def draw_mixture(n_genes: int = N_GENES) -> Mixture:
    """Draw the types: lineages differ in 400 genes, types of one in 120, rare ones in 300.

    Rare types that differ in 150 genes, six times, from a common type join it in scanpy's clusters
    and in ours: those here are told apart by what makes a kind of cells of its own.
    """
    rng = np.random.default_rng(_STRUCTURE_SEED)
    base = rng.lognormal(0, 2.3, n_genes)
    chances = np.sqrt(base) / np.sqrt(base).sum()

    def differ(profile: NDArray[np.float64], n: int, factor: float) -> NDArray[np.float64]:
        n = min(n, n_genes // 4)
        found = profile.copy()
        found[rng.choice(n_genes, n, replace=False, p=chances)] *= rng.lognormal(
            np.log(factor), 0.5, n
        )
        return found

    lineages = [differ(base, 400, 5.0) for _ in range(N_LINEAGES)]
    profiles = [differ(lineages[k % N_LINEAGES], 120, 3.5) for k in range(N_COMMON)]
    profiles += [differ(profiles[4 * k], 300, 8.0) for k in range(len(RARE_SHARES))]
    effects = rng.lognormal(0, 0.15, (N_SAMPLES, n_genes))
    limits, others = zip(
        *(alias_table(profile * effect) for profile in profiles for effect in effects), strict=True
    )
    common = rng.dirichlet(np.full(N_COMMON, 2.0))
    shares = np.concatenate([common, RARE_SHARES, [TRANSITION_SHARE]])
    shares[:N_COMMON] *= 1 - sum(RARE_SHARES) - TRANSITION_SHARE
    return Mixture(np.array(limits), np.array(others), shares)


def alias_table(weights: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the table for drawing from weights in constant time.

    Source: A. Walker, "An efficient method for generating discrete random variables with general
    distributions", ACM Transactions on Mathematical Software 3 (1977) 253.
    """
    limits = weights * (len(weights) / weights.sum())
    others = np.arange(len(weights), dtype=np.int32)
    _fill_alias(limits, others)
    return limits.astype(np.float32), others


@njit(cache=True)
def _fill_alias(limits: Any, others: Any) -> None:
    n = len(limits)
    small, large = np.empty(n, np.int32), np.empty(n, np.int32)
    n_small, n_large = 0, 0
    for i in range(n):
        if limits[i] < 1.0:
            small[n_small] = i
            n_small += 1
        else:
            large[n_large] = i
            n_large += 1
    while n_small > 0 and n_large > 0:
        n_small -= 1
        i, j = small[n_small], large[n_large - 1]
        others[i] = j
        limits[j] -= 1.0 - limits[i]
        if limits[j] < 1.0:
            n_large -= 1
            small[n_small] = j
            n_small += 1


@njit(cache=True)
def _draw_cells(
    limits: Any, others: Any, rows: Any, ends: Any, times: Any, depths: Any, seed: int
) -> Any:
    """Draw cells; return their lengths, genes and counts.

    Cells with a time of 0 or more draw each count from the row ``ends + rows`` of either end.
    """
    np.random.seed(seed)  # noqa: NPY002 (numba has its own)
    n_genes = limits.shape[1]
    genes = np.empty(depths.sum(), np.int32)
    counts = np.empty(len(genes), np.float32)
    lengths = np.empty(len(rows), np.int64)
    found = np.zeros(n_genes, np.int32)
    n = 0
    for cell in range(len(rows)):
        first = n
        for _ in range(depths[cell]):
            row = rows[cell]
            if times[cell] >= 0.0:
                later = np.random.random() < times[cell]  # noqa: NPY002
                row = row + (ends[1] if later else ends[0])
            place = np.random.random() * n_genes  # noqa: NPY002
            gene = min(int(place), n_genes - 1)
            if place - gene >= limits[row, gene]:
                gene = others[row, gene]
            found[gene] += 1
        for gene in range(n_genes):
            if found[gene] > 0:
                genes[n], counts[n] = gene, found[gene]
                found[gene] = 0
                n += 1
        lengths[cell] = n - first
    return lengths, genes[:n].copy(), counts[:n].copy()


def write_mixture(path: Path, n_cells: int, seed: int = 1, n_genes: int = N_GENES) -> int:
    """Write a gzipped CSR h5ad of cells of 26 kinds; return its number of stored values."""
    mixture = draw_mixture(n_genes)
    rng = np.random.default_rng(seed)
    types = rng.choice(len(TYPES), n_cells, p=mixture.shares)
    samples = rng.integers(0, N_SAMPLES, n_cells)
    depths = (rng.lognormal(np.log(_MEAN_COUNTS) - 0.18, 0.5, n_cells)).astype(np.int64)
    between = types == len(TYPES) - 1
    times = np.where(between, rng.random(n_cells), -1.0)
    rows = np.where(between, 0, types * N_SAMPLES) + samples
    ends = np.array(_ENDS) * N_SAMPLES
    with h5py.File(path, "w") as h5:
        h5.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        group = h5.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = (n_cells, n_genes)
        data, indices = _Vector(group, "data", "f4"), _Vector(group, "indices", "i4")
        lengths = []
        for start in range(0, n_cells, _BLOCK_CELLS):
            part = slice(start, start + _BLOCK_CELLS)
            found, genes, counts = _draw_cells(
                mixture.limits, mixture.others, rows[part], ends, times[part],
                depths[part] + _LEAST_COUNTS, seed + 1 + start,
            )  # fmt: skip
            lengths.append(found)
            data.append(counts)
            indices.append(genes)
        data.finish()
        indices.finish()
        pointers = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
        # As scipy has them: of the type of the indices where they fit.
        kind = "i4" if pointers[-1] < 1 << 31 else "i8"
        group.create_dataset("indptr", data=pointers.astype(kind), chunks=True, compression="gzip")
        obs = {"truth": (types, TYPES), "batch": (samples, [f"S{k}" for k in range(N_SAMPLES)])}
        _write_frame(h5, "obs", [f"cell{i}" for i in range(n_cells)], obs)
        _write_frame(h5, "var", gene_names(n_genes), {})
    return int(pointers[-1])


class _Vector:
    """A compressed vector that grows by whole chunks."""

    def __init__(self, group: h5py.Group, name: str, dtype: str) -> None:
        self._dataset = group.create_dataset(
            name, (0,), dtype, chunks=(CHUNK,), maxshape=(None,), compression="gzip",
            compression_opts=LEVEL,
        )  # fmt: skip
        self._waiting = np.empty(0, dtype)
        self._n = 0

    def append(self, values: NDArray[Any]) -> None:
        self._waiting = np.concatenate([self._waiting, values])
        whole = len(self._waiting) // CHUNK * CHUNK
        self._write(self._waiting[:whole])
        self._waiting = self._waiting[whole:].copy()

    def finish(self) -> None:
        n = len(self._waiting)
        if n:
            self._write(np.pad(self._waiting, (0, CHUNK - n)))
            self._dataset.resize((self._n - CHUNK + n,))

    def _write(self, values: NDArray[Any]) -> None:
        self._dataset.resize((self._n + len(values),))
        for at in range(0, len(values), CHUNK):
            packed = zlib_compress(values[at : at + CHUNK].tobytes(), LEVEL)
            self._dataset.id.write_direct_chunk((self._n + at,), bytes(packed))
        self._n += len(values)


def _write_frame(h5: h5py.File, name: str, index: list[str], columns: dict[str, Any]) -> None:
    """Write a data frame of AnnData with categorical columns."""
    text = h5py.string_dtype()
    frame = h5.create_group(name)
    frame.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0"})
    frame.attrs["_index"] = "_index"
    frame.attrs["column-order"] = np.array(list(columns), dtype=text)
    plain = {"encoding-type": "string-array", "encoding-version": "0.2.0"}
    frame.create_dataset("_index", data=index, dtype=text).attrs.update(plain)
    for column, (codes, names) in columns.items():
        group = frame.create_group(column)
        group.attrs.update({"encoding-type": "categorical", "encoding-version": "0.2.0"})
        group.attrs["ordered"] = False
        vector = group.create_dataset("codes", data=codes.astype(np.int8))
        vector.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        group.create_dataset("categories", data=list(names), dtype=text).attrs.update(plain)
