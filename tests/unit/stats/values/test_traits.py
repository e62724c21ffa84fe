"""Traits of values: the genes alone count, and no index takes memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from dpss.errors import NoCountsError
from dpss.model import EntryBlock
from dpss.stats.values.traits import traits_of
from tests.summarise import summarise
from tests.unit.stats.values.test_kinds import counts
from tests.unit.stats.values.test_shift import TRANSFORMS


@pytest.mark.parametrize("cell", [10**6, 10**8, 2**31 - 1])
def test_a_large_index_takes_no_memory(cell: int) -> None:
    """An index beyond the last cell comes from a damaged file, and is read before it is checked."""
    cells = np.array([0, 1, cell], dtype=np.int32)
    block = EntryBlock(cells, np.arange(3, dtype=np.int32), np.array([0.5, 1.5, 2.5]))
    tracemalloc.start()
    traits_of(block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


@given(
    st.lists(st.tuples(st.integers(0, 20), st.floats(0.1, 9.0)), min_size=1, max_size=60),
    st.integers(1, 1000),
    st.randoms(),
)
def test_numbers_of_cells_do_not_matter(
    values: list[tuple[int, float]], step: int, random: object
) -> None:
    """Entries have the same traits whatever their cells are called."""
    cells, data = np.array([c for c, _ in values]), np.array([x for _, x in values])
    names = np.array(random.sample(range(21), 21))  # type: ignore[attr-defined]
    genes = np.zeros(len(cells), dtype=np.int64)
    assert traits_of(EntryBlock(cells, genes, data)) == traits_of(
        EntryBlock(names[cells] * step, genes, data)
    )


@pytest.mark.parametrize("n_others", [1, 7])
@pytest.mark.parametrize("store", [np.asarray, sp.csr_matrix, sp.csc_matrix])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_shift_is_found_beside_other_features(
    name: str, store: Callable[[np.ndarray], Any], n_others: int, tmp_path: Path
) -> None:
    """Genes without a value of 0 are refused, also where there are antibodies beside them."""
    x = TRANSFORMS[name](counts(n_cells=30) * (np.random.default_rng(1).random((30, 40)) < 0.5))
    x = np.column_stack([x, np.zeros((30, n_others))])
    kinds = ["Gene Expression"] * 40 + ["Antibody Capture"] * n_others
    var = pd.DataFrame({"feature_types": kinds}, index=[f"GENE{i}" for i in range(len(kinds))])
    anndata.AnnData(store(x), var=var).write_h5ad(tmp_path / "m.h5ad")
    with pytest.raises(NoCountsError, match=r"no value of 0, .* a constant was added"):
        summarise(tmp_path / "m.h5ad")
