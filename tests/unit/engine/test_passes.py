"""Passes over a layer: which genes get histograms, and the pass that mends a wrong guess."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.engine import passes
from dpss.engine.passes import heaviest
from dpss.summary.tables import summary_document
from tests.summarise import summarise
from tests.unit.small import counts, write_h5ad_csr


@given(st.lists(st.floats(0, 1e9), max_size=300))
def test_the_heaviest_are_the_first_of_a_sorted_list(weights: list[float]) -> None:
    """Ties go by gene order; the result is in gene order."""
    found = heaviest(np.array(weights, dtype=np.float64))
    order = sorted(range(len(weights)), key=lambda gene: (-weights[gene], gene))
    assert found.tolist() == sorted(order[: passes.N_BOXED])


def test_a_wrong_guess_costs_a_pass_and_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With histograms of three genes only, the top 20 need a second pass: the same summary."""
    path = tmp_path / "a.h5ad"
    write_h5ad_csr(path, counts(5, n_cells=60, n_genes=40))
    expected = summary_document(summarise(path), [])
    runs = []
    one_pass = passes.Passes._one_pass

    def counted(self: passes.Passes, genes: np.ndarray) -> object:
        runs.append(len(genes))
        return one_pass(self, genes)

    monkeypatch.setattr(passes, "N_BOXED", 3)
    monkeypatch.setattr(passes.Passes, "_one_pass", counted)
    assert summary_document(summarise(path), []) == expected
    assert runs == [3, 20]
