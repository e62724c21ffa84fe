"""Documents are what the schema says, or refused in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.website.documents import ADDED, parse_summary
from tests.unit.website.portal import make_portal


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Return a published document."""
    root = make_portal(tmp_path_factory.mktemp("documents") / "out", 1, 1, 5)
    return json.loads(next(root.rglob("summary.json")).read_bytes())


def test_an_earlier_document_is_completed(document: dict) -> None:
    """Each field that came later may be missing: it gets the value that stands for that."""
    for name, value in ADDED.items():
        earlier = {key: each for key, each in document.items() if key != name}
        assert parse_summary(json.dumps(earlier).encode()) == {**document, name: value}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"n_cells": NaN}', "NaN is no number"),
        (b'{"median_genes_per_cell": 1e999}', "1e999 is too large"),
        (b"[]", "is no summary"),
        (b"{}", "is no summary"),
    ],
)
def test_what_is_none_is_refused_in_words(data: bytes, words: str) -> None:
    """Cut, deep, not a number, of another shape: one sentence each."""
    with pytest.raises(ValueError, match=words):
        parse_summary(data)


@given(st.data())
def test_a_field_of_another_type_is_refused(document: dict, data: st.DataObject) -> None:
    """Whichever required field is a list of lists is named."""
    name = data.draw(st.sampled_from(sorted(document.keys() - ADDED.keys())))
    with pytest.raises(ValueError, match=name):
        parse_summary(json.dumps({**document, name: [[[]]]}).encode())
