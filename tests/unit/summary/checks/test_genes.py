"""Checks of the genes: names that occur twice, and dates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.summary.checks.test_registry import counts, verdict, write


def test_names_that_occur_twice(tmp_path: Path) -> None:
    """Duplicates are counted and some are named."""
    with pytest.warns(UserWarning, match="not unique"):
        path = write(tmp_path / "x.h5ad", counts(), ["A", "A", *(f"G{i}" for i in range(28))])
    found = verdict(path)
    assert found["unique_gene_names"].status == "warn"
    assert "1 gene names" in found["unique_gene_names"].message
    assert "(A)" in found["unique_gene_names"].message
