"""Values of features that are not genes are left out before cells are measured."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.stats.kernels.gene_values import copy_gene_values
from dpss.stats.kernels.layout import NOT_A_GENE
from tests.examples import examples


@given(
    st.lists(st.lists(st.tuples(st.integers(-2, 7), st.integers(0, 9)), max_size=9), max_size=6),
    st.lists(st.booleans(), min_size=5, max_size=5),
)
@settings(deadline=None, max_examples=examples(100))
def test_genes_and_misplaced_values_stay(
    cells: list[list[tuple[int, int]]], is_gene: list[bool]
) -> None:
    """Every value of a gene stays in its cell and order, and so does one outside the matrix."""
    indptr = np.cumsum([0, *map(len, cells)])
    indices = np.array([gene for cell in cells for gene, _ in cell], dtype=np.int32)
    data = np.array([x for cell in cells for _, x in cell], dtype=np.float32)
    roles = np.where(is_gene, 0, NOT_A_GENE)
    found = tuple(map(np.empty_like, (indptr, indices, data)))
    copy_gene_values(indptr, indices, data, roles, *found)
    bounds, genes, values = (array.tolist() for array in found)
    kept = [
        list(zip(genes[begin:end], values[begin:end], strict=True))
        for begin, end in pairwise(bounds)
    ]
    expected = [[(g, x) for g, x in cell if not 0 <= g < 5 or is_gene[g]] for cell in cells]
    assert kept == expected


@pytest.mark.parametrize("index_type", ["i4", "i8"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8"])
def test_all_types(index_type: str, dtype: str) -> None:
    """Indices and values keep their types."""
    indices, data = np.array([0, 1], index_type), np.array([1, 2], dtype)
    found = tuple(map(np.empty_like, (np.array([0, 2]), indices, data)))
    copy_gene_values(np.array([0, 2]), indices, data, np.array([NOT_A_GENE, 0]), *found)
    assert (found[0].tolist(), found[1][0], found[2][0]) == ([0, 1], 1, 2)
