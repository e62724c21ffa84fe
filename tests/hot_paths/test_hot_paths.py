"""The loops that a run spends its time in, each on its own.

In `make test` they run once and are checked. Their times, on a quiet machine:
``python -m pytest tests/hot_paths --benchmark-enable``.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from dpss.formats.arrays.dense import sparse_rows
from dpss.formats.arrays.digits import PADDING
from dpss.formats.mtx import parser as mtx_parse
from dpss.formats.text import parser as text_parse
from dpss.model import CellBlock, EntryBlock
from dpss.stats.accumulator import CellAccumulator, Features
from dpss.stats.entry_accumulator import CellMeasures, EntryAccumulator

N_CELLS, N_GENES, N_PER_CELL = 500, 33_000, 2_000


@pytest.fixture(scope="module")
def block() -> CellBlock:
    """Return a million counts: 500 cells with 2,000 genes each."""
    rng = np.random.default_rng(7)
    genes = [np.sort(rng.choice(N_GENES, N_PER_CELL, replace=False)) for _ in range(N_CELLS)]
    return CellBlock(
        start=0,
        indptr=np.arange(N_CELLS + 1, dtype=np.int64) * N_PER_CELL,
        indices=np.concatenate(genes).astype(np.int32),
        data=(1 + rng.geometric(0.6, N_CELLS * N_PER_CELL)).astype(np.float32),
    )


@pytest.fixture(scope="module")
def entries(block: CellBlock) -> EntryBlock:
    """Return the same counts in the order of genes."""
    order = np.argsort(block.indices, kind="stable")
    cells = np.repeat(np.arange(N_CELLS, dtype=np.int32), N_PER_CELL)
    return EntryBlock(cells=cells[order], genes=block.indices[order], data=block.data[order])


@pytest.fixture(scope="module")
def features() -> Features:
    """Return genes, a few of them mitochondrial and some with box plots."""
    genes = np.arange(N_GENES)
    return Features(np.ones(N_GENES, dtype=bool), genes < 13, np.arange(0, N_GENES, 258))


def test_counts_of_cells(benchmark: BenchmarkFixture, block: CellBlock, features: Features) -> None:
    """All statistics of a block of whole cells, in one pass."""
    benchmark(CellAccumulator(features).add, block)
    fresh = CellAccumulator(features)
    fresh.add(block)
    assert fresh.result().genes.table[:, 0].sum() > 0
    assert fresh.result().cells.n_cells == N_CELLS


def test_entries_in_two_passes(
    benchmark: BenchmarkFixture, block: CellBlock, entries: EntryBlock, features: Features
) -> None:
    """The same from entries in the order of genes, with the same result."""

    def both() -> EntryAccumulator:
        measures = CellMeasures(features, N_CELLS)
        measures.add(entries)
        genes = EntryAccumulator(features, measures.inverses(0))
        genes.add(entries)
        return genes

    by_cells = CellAccumulator(features)
    by_cells.add(block)
    np.testing.assert_array_equal(benchmark(both).result().table, by_cells.result().genes.table)


@pytest.mark.parametrize("level", [1, 6])
def test_inflating(benchmark: BenchmarkFixture, block: CellBlock, level: int) -> None:
    """A chunk's bytes, as h5ad files have them."""
    import deflate

    raw = block.data.tobytes()
    packed = zlib.compress(raw, level)
    assert bytes(benchmark(deflate.zlib_decompress, packed, len(raw))) == raw


def test_lines_of_mtx(benchmark: BenchmarkFixture, block: CellBlock) -> None:
    """The text of a MatrixMarket file."""
    n = 200_000
    cells = np.repeat(np.arange(1, N_CELLS + 1), N_PER_CELL)[:n].tolist()
    genes, values = (block.indices[:n] + 1).tolist(), block.data[:n].astype(int).tolist()
    lines = "".join(f"{g} {c} {v}\n" for g, c, v in zip(genes, cells, values, strict=True)).encode()
    text = np.frombuffer(lines + bytes(PADDING), dtype=np.uint8)
    first, second, ints = (np.empty(n, dtype=np.int32) for _ in range(3))

    def parse() -> Any:
        state = np.zeros(mtx_parse.N_STATE, dtype=np.int64)
        mtx_parse.parse_entries(
            text, len(lines), (N_GENES, N_CELLS), mtx_parse.WHOLE, (first, second),
            (ints, np.empty(0)), np.empty((1, 3), dtype=np.int32), state,
        )  # fmt: skip
        return state

    state = benchmark(parse)
    assert state[mtx_parse.N_ENTRIES] == n
    assert state[mtx_parse.STATUS] == mtx_parse.DONE
    np.testing.assert_array_equal(first, block.indices[:n])
    np.testing.assert_array_equal(ints, block.data[:n])


def test_lines_of_a_table(benchmark: BenchmarkFixture) -> None:
    """The text of a dense table, most of it zeros."""
    rng = np.random.default_rng(7)
    counts = rng.poisson(0.1, (50, 5_000))
    lines = "".join(f"gene,{','.join(map(str, row))}\n" for row in counts.tolist()).encode()
    text = np.frombuffer(lines + bytes(PADDING), dtype=np.uint8)
    columns, values = np.empty(counts.size, dtype=np.int32), np.empty(counts.size)
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    dialect = np.array([ord(","), 1, counts.shape[1], 0])

    def parse() -> Any:
        state = np.zeros(text_parse.N_STATE, dtype=np.int64)
        odd = np.empty((counts.shape[1], 3), dtype=np.int64)
        text_parse.parse_lines(text, len(lines), dialect, starts, (columns, values), odd, state)
        return state

    state = benchmark(parse)
    assert state[text_parse.N_LINES] == len(counts)
    rows = np.repeat(np.arange(len(counts)), np.diff(starts))
    found = np.zeros_like(counts)
    found[rows, columns[: len(rows)]] = values[: len(rows)]
    np.testing.assert_array_equal(found, counts)


def test_dense_slabs(benchmark: BenchmarkFixture) -> None:
    """Dense rows to sparse ones."""
    slab = np.random.default_rng(7).poisson(0.1, (200, 5_000)).astype(np.float32)
    indptr, indices, data = benchmark(sparse_rows, slab)
    assert indptr[-1] == len(indices) == len(data) == np.count_nonzero(slab)
    assert data.sum() == slab.sum()
