"""A matrix that is being replaced is left out."""

from __future__ import annotations

import json

import pytest

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from tests.unit.website.portal import (
    vouch,
)
from tests.unit.website.test_build import Page, files


@pytest.mark.slow
@pytest.mark.parametrize("name", ["knee.png", "plots.json", "genes.csv", "violin.svg"])
@pytest.mark.parametrize("longer", [True, False])
def test_a_matrix_that_is_being_replaced_is_left_out(portal, name, longer, caplog):
    """Files of two publications are never shown together: the index names the matrix and why,
    and shows it again as soon as its files are the listed ones. Nothing is deleted."""
    path = portal / "project-0000/matrix-0" / name
    before, data = files(portal), path.read_bytes()
    path.write_bytes(data + b"\n" if longer else data[:-1] + b"?")
    build_website(LocalStore(portal))
    if longer or name in ("knee.png", "plots.json"):
        index = json.loads((portal / "index.json").read_bytes())
        shown = {m["folder"] for p in index["projects"] for m in p["matrices"]}
        assert "project-0000/matrix-0" not in shown and "project-0001/matrix-0" in shown
        (entry, *_) = index["unreadable"]
        assert entry["path"] == "project-0000/matrix-0/summary.json"
        assert "is being replaced" in entry["reason"] and name in entry["reason"]
        assert name in caplog.text
    path.write_bytes(data)
    build_website(LocalStore(portal), changed=set())
    assert files(portal) == before


def test_pages_link_only_what_a_summary_lists(portal):
    """A file of an earlier publication that the new one lacks is there, but on no page."""
    folder = portal / "project-0000/matrix-0"
    doc = json.loads((folder / "summary.json").read_bytes())
    vouch(folder, doc, set(doc["files"]) - {"knee.png", "knee.svg", "genes.csv", "plots.json"})
    build_website(LocalStore(portal), changed=set())
    page = Page((portal / "project-0000/index.html").read_text())
    linked = {address.partition("#")[0] for address in page.addresses()}
    assert "../project-0000/matrix-0/violin.svg" in linked
    for name in ("knee.png", "knee.svg", "genes.csv"):
        assert (folder / name).exists()
        assert f"../project-0000/matrix-0/{name}" not in linked
        assert f"../project-0000/matrix-1/{name}" in linked
