"""The figure ``cluster_qc``."""

from __future__ import annotations

import pytest

from dpss.figures.cluster_qc import CLUSTER_QC
from dpss.figures.export import figure_files
from tests.unit.figures.embedded import bare, embedded


@pytest.mark.slow
def test_the_figure_is_drawn_the_same_each_time() -> None:
    """It has its panels, and its files are the same bytes when it is drawn again."""
    summary = embedded()
    assert len(CLUSTER_QC.draw(summary).axes) == 3
    files = figure_files(CLUSTER_QC, summary)
    assert files.keys() == {"cluster_qc.png", "cluster_qc.svg", "cluster_qc.narrow.svg"}
    assert figure_files(CLUSTER_QC, summary) == files


@pytest.mark.slow
def test_without_an_embedding_the_reason_is_told() -> None:
    """The figure is left out, for the reason that the embedding is."""
    summary = bare()
    assert CLUSTER_QC.needs(summary) == "too few cells"
    assert CLUSTER_QC.caption(summary)
    with pytest.raises(ValueError, match="too few cells"):
        CLUSTER_QC.draw(summary)
