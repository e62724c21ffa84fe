"""A summary in a notebook."""

from __future__ import annotations

import random

from tests.unit.website.portal import (
    NASTY,
    document,
    gene_rows,
)
from tests.unit.website.test_build import Page


def test_a_summary_shows_itself_in_a_notebook(monkeypatch):
    """What a notebook shows is made of the numbers; names in it are text."""
    from dpss.website.pages import notebook

    doc = document(random.Random(1), gene_rows(random.Random(1), 30, 9), project="p", title="t")
    doc["matrix"]["layer"] = NASTY[0]
    doc["highest_expr_genes"][0]["gene_name"] = NASTY[1]
    monkeypatch.setattr(notebook, "summary_document", lambda summary, figures: doc)

    class Summary:
        title, demo = NASTY[4], True

    page = Page(notebook.summary_html(Summary()))
    assert NASTY[4] in page.text and NASTY[0] in page.text and NASTY[1] in page.text
    assert {tag for tag, _ in page.tags} & {"script", "img"} == set()
