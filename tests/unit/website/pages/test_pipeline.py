"""A pipeline's own numbers beside ours."""

from __future__ import annotations

from dpss.website.pages.pipeline import pipeline_table

DOCUMENT = {
    "n_cells": 60,
    "median_genes_per_cell": 500.0,
    "median_counts_per_cell": 900.0,
    "pipeline": {
        "name": "STARsolo",
        "files": ["S/Solo.out/Gene/Summary.csv"],
        "metrics": {"estimated_cells": 61.0, "sequencing_saturation": 87.5},
        "unfiltered": None,
    },
}


def test_numbers_that_mean_the_same_stand_side_by_side() -> None:
    """Others have no number of ours; no table without a pipeline."""
    table = pipeline_table(DOCUMENT)
    assert table is not None
    assert (table["name"], table["caption"]) == ("STARsolo", "As in Summary.csv")
    cells, saturation = table["rows"]
    assert (cells["theirs"], cells["ours"]) == ("61", "60")
    assert saturation["theirs"].startswith("87.5")
    assert saturation["ours"] == "–"
    assert pipeline_table({**DOCUMENT, "pipeline": None}) is None
    assert pipeline_table({}) is None


def test_all_barcodes_have_rows() -> None:
    """What the cells were called from; a knee that is not there is not measured."""
    barcodes = {"url": "raw", "n_barcodes": 1500, "n_cells_estimated": None,
                "total_counts": 10.0, "pct_counts_in_cells": 95.0}  # fmt: skip
    report = {"name": "kb", "files": [], "metrics": {}, "unfiltered": barcodes}
    table = pipeline_table({**DOCUMENT, "pipeline": report})
    assert table is not None
    assert [row["theirs"] for row in table["rows"]] == ["–"] * 3
    assert table["rows"][0]["ours"] == "1,500"
    assert table["caption"] == "Of all barcodes"
