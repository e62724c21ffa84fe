"""The loops that put values into files and sort them by cell, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.engine.cell_order import (
    CELL_SHIFT,
    GENE_SHIFT,
    count_values,
    sort_records,
    split_values,
)

WIDTH, N_FILES, N_GENES = 5, 3, 4


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.integers(0, WIDTH * N_FILES - 1),
            st.integers(0, N_GENES - 1),
            st.sampled_from([0.0, 1.0, 7.0, 65_535.0, 65_536.0, 0.5, -1.0, np.nan, np.inf]),
        ),
        max_size=40,
    )
)
@settings(deadline=None)
def test_values_are_split_by_file_and_by_size(entries: list[tuple[int, int, float]]) -> None:
    """Whole numbers from 1 to 65,535 are records; the others but zeros stand apart."""
    cells = np.array([cell for cell, _, _ in entries], dtype=np.int64)
    genes = np.array([gene for _, gene, _ in entries], dtype=np.int64)
    values = np.array([value for _, _, value in entries], dtype=np.float64)
    n_records, n_others = np.zeros((2, N_FILES), dtype=np.int64)
    counts = np.zeros(5, dtype=np.int64)
    count_values(cells, values, WIDTH, 3, n_records, n_others, counts)
    ends = [np.cumsum(n_records) - n_records, np.cumsum(n_others) - n_others]
    records = np.empty(n_records.sum(), dtype=np.uint64)
    keys, others = np.empty(n_others.sum(), dtype=np.uint64), np.empty(n_others.sum())
    split_values(cells, genes, values, WIDTH, *ends, records, keys, others)
    np.testing.assert_array_equal(ends, [np.cumsum(n_records), np.cumsum(n_others)])
    found: list[list[tuple[int, int, float]]] = [[] for _ in range(N_FILES)]
    for some, of, stops in ((records, records & 0xFFFF, ends[0]), (keys, others, ends[1])):
        for file, part in enumerate(np.split(np.arange(len(some)), stops[:-1])):
            for i in part.tolist():
                cell, gene = int(some[i]) >> CELL_SHIFT, int(some[i]) >> GENE_SHIFT & 0xFFFFFFFF
                found[file].append((cell + WIDTH * file, gene, float(of[i])))
    for file in range(N_FILES):
        own = [each for each in entries if each[0] // WIDTH == file and each[2] != 0]
        assert sorted(map(repr, found[file])) == sorted(map(repr, own))
    kept = cells[values != 0]
    np.testing.assert_array_equal(counts, np.bincount(kept // 3, minlength=5))


@given(st.sets(st.tuples(st.integers(2, 6), st.integers(0, N_GENES - 1))), st.randoms())
@settings(deadline=None)
def test_records_are_sorted_by_cell_and_gene(places: set[tuple[int, int]], random: object) -> None:
    """Every cell's genes ascend, and cells without a value are empty."""
    shuffled = sorted(places)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    numbers = [c << CELL_SHIFT | g << GENE_SHIFT | 10 * c + g for c, g in shuffled]
    records = np.array(numbers, dtype=np.uint64)
    bounds, gene_ends = np.zeros(5 + 2, dtype=np.int64), np.zeros(N_GENES + 2, dtype=np.int64)
    genes = np.empty(len(records), dtype=np.int32)
    values = np.empty(len(records), dtype=np.float32)
    sort_records(records, 2, gene_ends, bounds, np.empty_like(records), genes, values)
    cells = np.repeat(np.arange(2, 7), np.diff(bounds[:-1]))
    assert list(zip(cells.tolist(), genes.tolist(), strict=True)) == sorted(places)
    np.testing.assert_array_equal(values, 10 * cells + genes)
