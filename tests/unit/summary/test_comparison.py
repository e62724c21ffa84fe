"""What differs between two summaries: numbers, checks, facts and orders of genes."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.summary.comparison import (
    LISTS,
    NUMBERS,
    Change,
    ComparedSummary,
    compare_summaries,
    comparison_document,
    rank_correlation,
)
from tests.examples import examples
from tests.unit.website.portal import document, gene_rows


def summary() -> dict[str, Any]:
    """Return a made-up ``summary.json``."""
    rows = gene_rows(random.Random(1), 40, 900)
    return document(random.Random(1), rows, project="p", title="t")


def change(edit: Callable[[dict[str, Any]], object]) -> Any:
    """Return the comparison of a summary with itself after an edit."""
    old = summary()
    new = copy.deepcopy(old)
    edit(new)
    return compare_summaries(ComparedSummary("old", old), ComparedSummary("new", new))


def test_a_summary_is_the_same_as_itself() -> None:
    """Nothing is listed, and the document says so."""
    found = change(lambda new: None)
    assert found.same
    told = comparison_document(found)
    assert told["same"] is True
    assert not any(told[part] for part in ("numbers", "sources", "checks", "lists", "messages"))
    assert told["genes_added"] is None


@pytest.mark.parametrize("name", NUMBERS)
def test_each_header_number_is_compared(name: str) -> None:
    """A number that differs is listed, and no other."""
    found = change(lambda new: new.update({name: 12345.5}))
    assert [each.name for each in found.numbers] == [name]
    assert found.numbers[0].new == 12345.5
    assert not found.same


@pytest.mark.parametrize(
    ("old", "new", "percent", "text"),
    [
        (200, 100, -50.0, "\u221250 %"),
        (100.0, 101.0, 1.0, "+1 %"),
        (-2, -1, 50.0, "+50 %"),
        (0, 5, None, ""),
        (None, 5, None, ""),
        ("X", "counts", None, ""),
    ],
)
def test_a_change_in_percent(old: Any, new: Any, percent: float | None, text: str) -> None:
    """Of the old number; of none, 0 or a text there is no percentage."""
    found = Change("n", old, new)
    assert (found.percent, found.percent_text) == (percent, text)


def test_a_new_version_of_the_program_alone_is_no_difference() -> None:
    """It is listed, but what matters is the same."""
    found = change(lambda new: new["provenance"].update(version="99.0.0"))
    assert [each.name for each in found.sources] == ["provenance.version"]
    assert found.same


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        (lambda new: new["matrix"].update(layer="spliced"), "matrix.layer"),
        (lambda new: new["matrix"].update(format="loom"), "matrix.format"),
        (lambda new: new.update(values="normalised"), "values"),
        (lambda new: new["provenance"]["settings"].update(min_gene_count=7),
         "settings.min_gene_count"),
        (lambda new: new["reading"].append({"topic": "species", "value": "yeti"}),
         "reading.species"),
    ],
)  # fmt: skip
def test_facts_about_the_matrix_are_compared(edit: Any, name: str) -> None:
    """Layer, format, kind of values, decisions and settings, by name."""
    found = change(edit)
    assert [each.name for each in found.sources] == [name]
    assert not found.same


def test_checks_and_the_verdict() -> None:
    """A check of another status has its message; one that a side lacks is listed, too."""

    def edit(new: dict[str, Any]) -> None:
        new["checks"] = [
            {"name": "depth", "status": "fail", "message": "Far too shallow. Really."},
            *(each for each in new["checks"] if each["name"] != "depth"),
        ]

    found = change(edit)
    (depth,) = [each for each in found.checks if each.name == "depth"]
    assert depth.new == "fail"
    assert found.messages["depth"] == "Far too shallow. Really."
    assert found.verdicts[1] == "Do not rely on it: far too shallow."
    gone = change(lambda new: new.update(checks=new["checks"][1:]))
    assert [each.new for each in gone.checks] == [None]


def test_places_of_genes() -> None:
    """A gene that moved, one that came and one that left have their places."""

    def edit(new: dict[str, Any]) -> None:
        best = new["highly_variable_genes"]
        best[0], best[1] = best[1], best[0]
        best[19] = {**best[19], "gene_id": "new", "gene_name": "NEW"}

    found = change(edit)
    (only,) = found.lists
    old = summary()["highly_variable_genes"]
    assert (only.name, only.n_common, only.correlation) == ("highly_variable_genes", 19, None)
    assert [(each.gene_id, each.old, each.new) for each in only.moves] == [
        (old[1]["gene_id"], 2, 1), (old[0]["gene_id"], 1, 2), ("new", None, 20),
        (old[19]["gene_id"], 20, None),
    ]  # fmt: skip


def test_genes_that_came_and_went() -> None:
    """Where all genes are known, those of one side are listed in their matrix's order."""
    document = summary()
    ranks = [{column: dict.fromkeys(ids, 1) for column in LISTS.values()} for ids in ("abc", "dcb")]
    sides = [ComparedSummary("", document, each) for each in ranks]
    found = compare_summaries(*sides)
    assert (found.genes_added, found.genes_removed) == (("d",), ("a",))
    assert not found.same


@settings(max_examples=examples(60))
@given(st.integers(2, 30).flatmap(lambda n: st.tuples(
    st.permutations(range(1, n + 1)), st.permutations(range(1, n + 1)),
    st.lists(st.booleans(), min_size=n, max_size=n),
)))  # fmt: skip
def test_the_correlation_is_pearsons_of_the_ranks(drawn: Any) -> None:
    """Among genes that have a rank in both; it is symmetric, and 1 of a summary with itself."""
    first, second, ranked = drawn
    old = {str(gene): rank if has else None
           for gene, (rank, has) in enumerate(zip(first, ranked, strict=True))}  # fmt: skip
    new = {str(gene): rank for gene, rank in enumerate(second)}
    found = rank_correlation(old, new)
    assert found == rank_correlation(new, old)
    both = [(rank, new[gene]) for gene, rank in old.items() if rank is not None]
    if len(both) < 2:
        assert found is None
        return
    orders = [np.argsort(np.argsort(column)) for column in np.array(both).T]
    assert found == pytest.approx(np.corrcoef(*orders)[0, 1], abs=1e-9)
    assert rank_correlation(new, new) == 1
