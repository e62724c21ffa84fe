"""A summary as HTML for a notebook's output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.summary.tables import json_bytes, summary_document
from dpss.website import wording as words
from dpss.website.genes.lists import top_lists
from dpss.website.pages.environment import environment
from dpss.website.records import record_of

if TYPE_CHECKING:
    from dpss.summary.record import Summary


def summary_html(summary: Summary) -> str:
    """Return a summary as a piece of HTML: what it is, its numbers, its best genes.

    Every text in it is text, never markup; it loads nothing. Styles that a notebook
    drops are not needed to read it.

    Args:
        summary: What is to be shown.
    """
    document = summary_document(summary, [])
    record = record_of("", document, json_bytes(document))
    return (
        environment()
        .get_template("notebook.html.j2")
        .render(
            title=summary.title or "Summary",
            simulated=summary.demo,
            what=words.what_it_is(record),
            numbers=record.numbers,
            assumed=words.assumed(document),
            judgement=words.judgement(document),
            cautions=words.cautions(document),
            lists=top_lists(document),
        )
    )
