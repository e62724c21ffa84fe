"""Words of pages: one of a thing is singular, whatever the thing is."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss import website
from dpss.figures.registry import figure_infos
from dpss.stats.outliers import _DEVIATIONS, _DEVIATIONS_OF_FEW, LEAST_DIFFERENCE
from dpss.summary.tables import summary_document
from dpss.website.records import record_of
from dpss.website.wording import alt_text, describe_median_cell, large
from tests.unit.summary.test_strata import summary_of
from tests.unit.website.portal import document, gene_rows

WRONG = re.compile(r"(?<![\d.,])1 (genes|counts|cells|matrices)\b")


def made(genes: float | None, counts: float | None, n_cells: int) -> dict:
    """Return a summary of cells with these medians."""
    rng = random.Random(1)
    found = document(rng, gene_rows(rng, 5, 10), project="p", title="P", n_cells=n_cells)
    return {**found, "median_genes_per_cell": genes, "median_counts_per_cell": counts}


@pytest.mark.parametrize(
    ("genes", "counts", "words"),
    [
        (1.0, 1.0, "1 gene and 1 count"),
        (1.5, 1.0, "1.5 genes and 1 count"),
        (1.0, 2.0, "1 gene and 2 counts"),
        (0.0, 0.0, "0 genes and 0 counts"),
        (1001.0, 4994.5, "1,001 genes and 4,995 counts"),
    ],
)
def test_one_gene_is_no_genes(genes: float, counts: float, words: str) -> None:
    """The typical cell and the text of a figure count in the same words."""
    found = made(genes, counts, 1000)
    assert words in describe_median_cell(record_of("p", found, b""))
    assert words in alt_text("violin", found)


@given(st.sampled_from((0.0, 1.0, 1.5, 2.0, 21.0)), st.sampled_from((1.0, 11.0)), st.integers(1, 3))
def test_no_sentence_has_one_of_many(genes: float, counts: float, n_cells: int) -> None:
    """Of any medians and numbers of cells, those left out included."""
    found = made(genes, counts, n_cells)
    record = record_of("p", found, b"")
    record = replace(record, numbers={**record.numbers, "n_cells": n_cells + 1})
    said = [describe_median_cell(record), *(alt_text(slug, found) for slug in ("violin", "knee"))]
    assert not [text for text in said if WRONG.search(text)]


@pytest.mark.parametrize("groups", [["a"] * 9, ["a", "b", None] * 9, list("abcdefgh") * 3])
def test_every_figure_has_a_text_alternative(groups: list[str | None]) -> None:
    """With strata, too, whose figure has the name of a field of the summary."""
    summary = summary_of(groups)
    figures = figure_infos(summary)
    document = summary_document(summary, figures)
    found = {figure.slug: alt_text(figure.slug, document) for figure in figures}
    assert all(found.values())
    assert f"in {len(set(groups))} part" in found["strata"]
    assert " by group" in found["strata"]


def test_pages_state_the_rule_of_the_code() -> None:
    """A median apart is told with the distance of few, and the least difference."""
    folder = Path(website.__file__).parent / "templates"
    told = [
        text
        for path in sorted(folder.glob("*.j2"))
        if "median absolute deviations" in (text := path.read_text(encoding="utf-8"))
    ]
    assert len(told) == 1
    assert _DEVIATIONS == 3 and _DEVIATIONS_OF_FEW == 6 and LEAST_DIFFERENCE == 0.25
    words = "more than 3 + 6/n median absolute deviations from that of all n, and differs by more"
    assert all(f"{words} than a quarter" in text for text in told)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (999_999, "999,999"),
        (999_499_999, "999 million"),
        (999_500_000, "1 billion"),
        (999_999_999_999, "1 trillion"),
        (5.4e15, "5,400 trillion"),
    ],
)
def test_a_large_number_takes_the_next_word_in_time(value: float, text: str) -> None:
    """Rounded to three digits, and never with an exponent."""
    assert large(value) == text


@given(st.integers(0, 10**17))
def test_no_large_number_has_an_exponent(value: int) -> None:
    """Of any size."""
    assert re.fullmatch(r"[\d.,]+( (million|billion|trillion))?", large(value))
