"""Checks of the genes: names that occur twice, and dates."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dpss.model import GENE_EXPRESSION
from dpss.summary.checks.genes import check_features
from tests.unit.summary.checks.test_registry import counts, verdict, write


def test_names_that_occur_twice(tmp_path: Path) -> None:
    """Duplicates are counted and some are named."""
    with pytest.warns(UserWarning, match="not unique"):
        path = write(tmp_path / "x.h5ad", counts(), ["A", "A", *(f"G{i}" for i in range(28))])
    found = verdict(path)
    assert found["unique_gene_names"].status == "warn"
    assert "1 gene name and" in found["unique_gene_names"].message
    assert "(A)" in found["unique_gene_names"].message


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x: x.sum(axis=1), "ODD has as many counts as all others together, as a sum has"),
        (lambda x: x.sum(axis=1) * 7, "ODD has 88% of all counts"),
        (lambda x: np.full(len(x), 1e6, dtype="f4"), "ODD has 100% of all counts"),
    ],
)
def test_one_gene_with_half_of_all_counts(make: Any, words: str, tmp_path: Path) -> None:
    """A line of sums or of reads without a gene is told by its size, whatever its name."""
    x = counts()
    path = write(
        tmp_path / "x.h5ad", np.column_stack([x, make(x)]), [*(f"G{i}" for i in range(30)), "ODD"]
    )
    found = verdict(path)["genes"]
    assert found.status == "warn"
    assert words in found.message
    assert verdict(write(tmp_path / "y.h5ad", x))["genes"].status == "pass"


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (1, "The only feature is a gene."),
        (2, "All 2 features are genes."),
        (1200, "All 1,200 features are genes."),
    ],
)
def test_features_that_are_genes(n: int, words: str) -> None:
    """The verb agrees with the number of features."""
    kinds = np.array([GENE_EXPRESSION] * n, dtype=object)
    features = SimpleNamespace(feature_types=kinds, describe_others=lambda: "")
    assert check_features(SimpleNamespace(features=features)) == ("pass", words)  # type: ignore[arg-type]
