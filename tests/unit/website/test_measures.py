"""Measures of cells in words."""

from __future__ import annotations

import random

import pytest

from dpss.website.measures import further_medians, thresholds
from tests.unit.website.portal import document


def summary(**changes: object) -> dict:
    """Return a document with some medians changed."""
    return document(random.Random(1), [], project="p", title="P", **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "the top 50 genes 33.2\u202f%"),
        (
            {"median_pct_counts_in_top_50_genes": None},
            "the top 50 genes not measured (the file is stored gene by gene)",
        ),
        ({"median_complexity": None}, "complexity not measured"),
        ({"median_pct_counts_hb": 0.0}, "haemoglobin 0\u202f% of"),
    ],
)
def test_medians_that_are_missing_are_said_to_be(changes: dict, words: str) -> None:
    """A median is a number or the reason why there is none."""
    assert words in further_medians(summary() | changes)


@pytest.mark.parametrize("changes", [{"n_cells_kept": 0}, {"thresholds": []}])
def test_without_cells_or_in_earlier_versions_nothing_is_said(changes: dict) -> None:
    """There is no median to miss."""
    assert further_medians(summary() | changes) == ""


def test_each_limit_has_the_share_that_it_keeps() -> None:
    """Half of the cells and a third of them, as the document says."""
    rows = thresholds(summary())
    assert [(row["limit"], row["n_kept"]) for row in rows] == [("at least 200", 500), ("", 333)]
    assert rows[0]["share"] == "50.0\u202f%"
