"""Limits that apply to a matrix: by species, by the number of genes, none that says nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dpss.summary.limits import HBC_COMPLEXITY, SQUIDPY, TUTORIALS, mitochondrial_limit
from tests.summarise import summarise
from tests.unit.summary.checks.test_cells import counts, write


@pytest.mark.parametrize(
    ("species", "limit"),
    [(("mouse",), 5), (("human", "mouse"), 10), ((), 10), (("zebrafish",), 10)],
)
def test_the_first_species_counts(species: tuple[str, ...], limit: float) -> None:
    """Others than mouse are as human."""
    assert mitochondrial_limit(species) == limit


@pytest.mark.parametrize(("n_genes", "sources"), [(3000, {TUTORIALS, HBC_COMPLEXITY}),
                                                  (300, {SQUIDPY})])  # fmt: skip
def test_panels_have_limits_of_their_own(tmp_path: Path, n_genes: int, sources: set[str]) -> None:
    """A panel of few genes needs counts instead of genes."""
    summary = summarise(write(tmp_path / "x.h5ad", counts(100)[:, :n_genes], 0))
    found = {each.source for each in summary.thresholds}
    assert found & {TUTORIALS, HBC_COMPLEXITY, SQUIDPY} == sources


def test_no_limit_is_below_nothing(tmp_path: Path) -> None:
    """Five deviations below a small median are no limit."""
    x = np.random.default_rng(1).poisson(0.02, (300, 2500))
    summary = summarise(write(tmp_path / "x.h5ad", x, 0))
    limits = [each.limit for each in summary.thresholds if each.side == "at least"]
    assert limits
    assert min(limits) > 0
