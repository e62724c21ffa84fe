"""Documents are checked against their schema."""

from __future__ import annotations

import copy
import random

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.website.schemas import schema
from dpss.website.validation import fault
from tests.unit.website.portal import (
    document,
    gene_rows,
)

# --- Checking documents ---------------------------------------------------------------------


def _paths(value, path=()):
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from _paths(item, (*path, key))


DOC = document(random.Random(3), gene_rows(random.Random(3), 5, 9), project="p", title="t")


PATHS = [path for path in _paths(DOC) if path]


@pytest.mark.slow
@given(
    st.sampled_from(PATHS),
    st.sampled_from([None, True, -1, 0, 1.5, "", "x", [], {}, [1], "DELETE"]),
)
@settings(max_examples=400, deadline=None)
def test_checking_agrees_with_jsonschema(path, value):
    """What the small checker lets pass is what the schema allows, unknown properties aside."""
    changed = copy.deepcopy(DOC)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value == "DELETE":
        del place[path[-1]]
    else:
        place[path[-1]] = value
    valid = jsonschema.Draft202012Validator(schema("summary")).is_valid(changed)
    assert (fault(changed, schema("summary")) is None) == valid
