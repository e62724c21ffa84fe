"""A summary with an embedding, for the tests of its figures."""

from __future__ import annotations

from functools import cache

import dpss
from tests.unit.engine.test_embedding import counts_of, embed


@cache
def embedded() -> dpss.Summary:
    """Return the summary of simulated cells of five kinds."""
    return embed(counts_of()[0])
