"""Summaries with and without an embedding, for the tests of its figures."""

from __future__ import annotations

import dataclasses
from functools import cache

import dpss
from tests.unit.engine.test_embedding import counts_of, embed
from tests.unit.figures.builder import build, simulate


@cache
def embedded() -> dpss.Summary:
    """Return the summary of simulated cells of five kinds."""
    return embed(counts_of()[0])


def bare(**others: None) -> dpss.Summary:
    """Return a summary without an embedding, whose reason is told, and without other fields."""
    return dataclasses.replace(
        build(simulate()), embedding=None, no_embedding_reason="too few cells", **others
    )
