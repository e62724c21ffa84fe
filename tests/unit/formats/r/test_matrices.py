"""Sparse matrices of R as triplets, of which several may stand for the same gene and cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdata.parser import RObject

from dpss.formats.arrays.memory import InMemoryLayer
from dpss.formats.base import Layer
from dpss.formats.r.matrices import Compressed, read_matrix
from dpss.model import GeneTable
from tests.unit.formats.layers import dense
from tests.unit.formats.r.test_reductions import r_object, strings

N_GENES, N_CELLS = 3, 4


def triplets(entries: list[tuple[int, int, Any]], kind: str, dtype: type) -> RObject:
    """Return a TsparseMatrix of R with these genes, cells and values."""
    rows, columns = (np.array([each[k] for each in entries], dtype=np.int32) for k in (0, 1))
    values = np.array([each[2] for each in entries], dtype=dtype)
    stored = {} if kind == "pattern" else {"x": r_object(kind, values)}
    name = {"LGL": "lgTMatrix", "pattern": "ngTMatrix"}.get(kind, "dgTMatrix")
    return r_object(
        "S4",
        None,
        i=r_object("INT", rows),
        j=r_object("INT", columns),
        Dim=r_object("INT", np.array([N_GENES, N_CELLS], dtype=np.int32)),
        **stored,
        **{"class": strings(name)},
    )


def layer_of(thing: RObject) -> Layer:
    """Return a matrix as a layer."""
    matrix = read_matrix(thing, "a.rds")
    assert isinstance(matrix.values, Compressed)
    names = np.array([f"G{i}" for i in range(N_GENES)], dtype=object)
    n_values = len(matrix.values.data)
    return InMemoryLayer("X", matrix.cut, N_CELLS, GeneTable(names, names), True, n_values, 8)


ENTRIES = st.lists(
    st.tuples(st.integers(0, N_GENES - 1), st.integers(0, N_CELLS - 1), st.integers(0, 3)),
    max_size=12,
)


@given(entries=ENTRIES)
def test_repeated_numbers_are_added_up(entries: list[tuple[int, int, int]]) -> None:
    """As R adds them up, whatever their order."""
    expected = np.zeros((N_CELLS, N_GENES))
    for gene, cell, value in entries:
        expected[cell, gene] += value
    assert np.array_equal(dense(layer_of(triplets(entries, "REAL", np.float64))), expected)


@given(entries=ENTRIES)
def test_repeated_truth_values_are_one(entries: list[tuple[int, int, int]]) -> None:
    """R combines them by "or": a gene is there in a cell, or it is not."""
    expected = np.zeros((N_CELLS, N_GENES))
    for gene, cell, value in entries:
        expected[cell, gene] = max(expected[cell, gene], value > 0)
    assert np.array_equal(dense(layer_of(triplets(entries, "LGL", np.bool_))), expected)


@given(entries=ENTRIES)
def test_repeated_places_of_a_pattern_are_one(entries: list[tuple[int, int, int]]) -> None:
    """A pattern has no values: each of its places is one, however often it is stored."""
    expected = np.zeros((N_CELLS, N_GENES))
    for gene, cell, _ in entries:
        expected[cell, gene] = 1
    assert np.array_equal(dense(layer_of(triplets(entries, "pattern", np.bool_))), expected)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_triplet_that_repeats(n: int) -> None:
    """The same one once, twice, not at all."""
    found = dense(layer_of(triplets([(2, 1, True)] * n, "LGL", np.bool_)))
    assert found.sum() == min(n, 1)
