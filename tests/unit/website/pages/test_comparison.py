"""The page of a comparison."""

from __future__ import annotations

import copy
import random
import re

import pytest

from dpss.summary.comparison import LISTS, ComparedSummary, compare_summaries
from dpss.website.pages.comparison import comparison_page
from tests.unit.website.portal import NASTY, document, gene_rows
from tests.unit.website.test_build import Page


def sides() -> tuple[ComparedSummary, ComparedSummary]:
    """Return two made-up summaries that differ in every part."""
    old = document(random.Random(1), gene_rows(random.Random(1), 40, 900), project="p", title="t")
    new = copy.deepcopy(old)
    new["n_cells"] = 2 * old["n_cells"]
    new["matrix"]["layer"] = NASTY[0]
    new["checks"] = [{"name": "depth", "status": "fail", "message": f"Too few. {NASTY[1]}"}]
    new["highly_variable_genes"][0]["gene_id"] = "other"
    new["highly_variable_genes"][0]["gene_name"] = NASTY[4]
    ranks = [
        {column: {"a": 1, "b": 2, gene: 3} for column in LISTS.values()} for gene in ("old", "new")
    ]
    return ComparedSummary("old", old, ranks[0]), ComparedSummary("new", new, ranks[1])


def test_every_part_is_told_and_texts_are_text() -> None:
    """Numbers, checks, facts, places and genes stand on it; names can hold no markup."""
    text = comparison_page(
        [compare_summaries(*sides())], {"added": ["x/y"], "removed": []}
    ).decode()
    page = Page(text)
    for part in ("n cells", "+100 %", "Do not rely on it: too few.", "Genes added", "x/y",
                 NASTY[0], NASTY[1], NASTY[4]):  # fmt: skip
        assert part in page.text
    assert {tag for tag, _ in page.tags} & {"script", "img", "link"} == set()


def test_it_loads_nothing_and_is_the_same_each_time() -> None:
    """Its style is embedded, and allowed by its checksum alone."""
    found = [compare_summaries(*sides())]
    page = comparison_page(found, {})
    assert page == comparison_page(found, {})
    assert re.search(
        rb"default-src 'none'; style-src 'sha256-[\w+/=]+'", page.replace(b"&#39;", b"'")
    )


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_same_summaries_say_so(n: int) -> None:
    """Each pair has its heading, and one sentence."""
    side = sides()[0]
    page = Page(comparison_page([compare_summaries(side, side)] * n, {}).decode())
    assert page.text.count("Nothing differs.") == n
