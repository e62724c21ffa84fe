"""Data files of all matrices name each one, with its address."""

from __future__ import annotations

import json

from dpss.storage.local import LocalStore
from dpss.website.pages.portal import (
    compare_script,
    example_genes,
    portal_script,
    published_addresses,
)
from dpss.website.records import group_projects, read_records


def test_every_matrix_is_named_once_with_its_address(portal) -> None:
    """In each of the files; the address is that of its part of the project's page."""
    store = LocalStore(portal)
    records, _ = read_records(store, store.sizes())
    projects = group_projects(records)
    addresses = published_addresses(projects)
    assert addresses.keys() == {record.folder for record in records}
    for make in (portal_script, compare_script):
        text = make(projects).decode()
        rows = json.loads(text[text.index("[\n") : text.rindex("]") + 1])
        assert [row[0] for row in rows] == [m.folder for p in projects for m in p.matrices]
        assert all(addresses[row[0]]["address"] in row for row in rows)


def test_examples_are_genes_that_a_look_up_finds(portal) -> None:
    """Two names and an id, each of the best genes of some matrix."""
    store = LocalStore(portal)
    records, _ = read_records(store, store.sizes())
    shown = example_genes(group_projects(records))
    known = {text for record in records for pair in record.genes for text in pair}
    assert 1 <= len(shown) <= 3
    assert set(shown) <= known
