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
    """Return a summary as a piece of HTML: its description, numbers and best genes.

    All texts are escaped, and the HTML loads no files. It is readable where a notebook drops the
    styles.

    Args:
        summary: The summary to show.
    """
    document = summary_document(summary, [])
    record = record_of("", document, json_bytes(document))
    return (
        environment()
        .get_template("notebook.html.j2")
        .render(
            title=summary.title or "Summary",
            simulated=summary.demo,
            what=words.describe_matrix(record),
            numbers=record.numbers,
            assumed=words.assumed(document),
            judgement=words.judgement(document),
            cautions=words.cautions(document),
            lists=top_lists(document),
        )
    )
