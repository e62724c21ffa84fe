"""The most variable genes are named."""

from __future__ import annotations

from tests.unit.figures.builder import build, simulate
from tests.unit.figures.drawn import BY_SLUG


def test_the_most_variable_genes_are_all_named() -> None:
    """Twenty names, each its own place, where there is room."""
    summary = build(simulate(400, 500))
    page = BY_SLUG["highly_variable_genes"].page(summary)
    shown = {text.text for text in page.texts if text.halo}
    assert shown == set(summary.gene_labels(summary.top_variable()))
