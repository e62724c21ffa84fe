"""Strata on a page: the numbers of the summary, each with its strip."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.summary.tables import summary_document
from dpss.website.pages.strata import strata_table
from tests.summarise import summarise
from tests.unit.small import counts, write_h5ad_csr


@pytest.fixture
def document(tmp_path: Path) -> dict:
    """Return the summary of a matrix of 60 cells of three samples, as its barcodes say."""
    drawn = counts(2, n_cells=60)
    drawn.barcodes[:] = [f"ACGT{i:04d}-{1 + i % 3}" for i in range(60)]
    write_h5ad_csr(tmp_path / "a.h5ad", drawn)
    return summary_document(summarise(tmp_path / "a.h5ad", by="barcode_suffix"), [])


def test_the_table_has_the_summary_s_numbers(document: dict) -> None:
    """Shares add up to 100 %; medians are the quantiles' own."""
    table = strata_table(document)
    assert table is not None
    assert table.by == document["strata"]["by"]
    assert sorted(row.name for row in table.rows) == ["1", "2", "3"]
    assert sum(row.pct_cells or 0 for row in table.rows) == pytest.approx(100)
    for row, entry in zip(table.rows, document["strata"]["strata"], strict=True):
        assert row.medians["median_counts_per_cell"] == entry["quantiles"]["total_counts"]["p50"]
        strip = row.strips["median_counts_per_cell"]
        assert 0 <= strip.low <= strip.begin <= strip.middle <= strip.end <= strip.high <= 120
        assert len(row.sort_values) == 6


def test_what_stands_apart_is_what_the_summary_marks(document: dict) -> None:
    """The page has no rule of its own."""
    document["strata"]["strata"][1]["odd"] = ["total_counts"]
    table = strata_table(document)
    assert table is not None
    odd = [row.strips["median_counts_per_cell"].odd for row in table.rows]
    assert odd == [False, True, False]


def test_a_summary_without_strata_has_no_table(document: dict) -> None:
    """Nor one of an earlier version, nor a stratum without cells a strip."""
    first = document["strata"]["strata"][0]
    first["quantiles"] = dict.fromkeys(first["quantiles"])
    table = strata_table(document)
    assert table is not None
    assert table.rows[0].strips == {}
    assert set(table.rows[0].medians.values()) == {None}
    del document["strata"]
    assert strata_table(document) is None
