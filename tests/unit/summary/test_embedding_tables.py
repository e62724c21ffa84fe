"""Tables and the document of an embedding."""

from __future__ import annotations

import pytest

from dpss.summary.embedding_tables import (
    CLUSTER_COLUMNS,
    cells_frame,
    cluster_rows,
    clusters_csv,
    embedding_document,
    marker_rows,
)
from tests.unit.figures.embedded import embedded


@pytest.mark.slow
def test_the_document_has_the_lines_of_the_table() -> None:
    """Clusters in summary.json are those of clusters.csv; shares add up to 100 %."""
    found = embedded().embedding
    assert found is not None
    document = embedding_document(found, "")
    assert [tuple(each.values()) for each in document["clusters"]] == cluster_rows(found)
    assert abs(sum(each["pct_cells"] for each in document["clusters"]) - 100) < 1e-3
    assert clusters_csv(found).decode().splitlines()[0] == ",".join(CLUSTER_COLUMNS)
    assert len(cells_frame(found)) == embedded().n_cells


@pytest.mark.slow
def test_ranks_begin_at_one_in_each_cluster() -> None:
    """Markers are numbered from 1 in each cluster, best first."""
    summary = embedded()
    assert summary.embedding is not None
    rows = marker_rows(summary.embedding, summary.genes)
    for row, before in zip(rows[1:], rows, strict=False):
        assert row[1] == (before[1] + 1 if row[0] == before[0] else 1)


def test_what_is_left_out_has_its_reason() -> None:
    """Nothing but the reason is told."""
    assert embedding_document(None, "too few cells") == {"left_out": "too few cells"}
