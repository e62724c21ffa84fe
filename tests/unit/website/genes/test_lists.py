"""The lists of the best genes."""

from __future__ import annotations

import random

import pytest

from dpss.website.genes.lists import top_lists
from tests.unit.website.portal import document

BOX = {"q1": 0.0, "median": 0.0, "q3": 0.0}


@pytest.mark.parametrize("n_found", [0, 1, 3])
def test_genes_in_no_cell_are_listed_and_said_to_be(n_found: int) -> None:
    """The lists have their entries, whether the genes are found or not, and tell which are."""
    names = [{"gene_id": f"g{i}", "gene_name": f"G{i}"} for i in range(3)]
    found = [i < n_found for i in range(3)]
    changes = {
        "highest_expr_genes": [
            {**name, "mean_pct_of_cell_counts": 5.0 * n, "box": BOX}
            for name, n in zip(names, found, strict=True)
        ],
        "genes_by_cell_count": [
            {**name, "n_cells_by_counts": int(n), "pct_dropout_by_counts": 100 - n}
            for name, n in zip(names, found, strict=True)
        ],
        "highly_variable_genes": [],
    }
    lists = top_lists(document(random.Random(1), [], project="p", title="P") | changes)
    assert [[row.found for row in each.rows] for each in lists] == [found, found]
