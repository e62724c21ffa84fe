"""Pages are made again where their input changed, and nowhere else."""

from __future__ import annotations

import random
import re
import shutil

import pytest

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from tests.unit.website.portal import (
    document,
    gene_rows,
    write_matrix,
)
from tests.unit.website.published import change
from tests.unit.website.test_build import files


def test_a_changed_matrix_rewrites_its_own_pages_only(portal):
    """One change leaves the pages and data of all other projects alone."""
    change(portal, "project-0001/matrix-0")
    written = build_website(LocalStore(portal), changed={"project-0001/matrix-0"})
    foreign = [
        key for key in written if re.match(r"project-(?!0001)", key) or "0001/matrix-1" in key
    ]
    assert foreign == []
    assert "project-0001/index.html" in written and "index.json" in written


@pytest.mark.slow
@pytest.mark.parametrize("changed", [set(), {"project-0001/matrix-0"}, None])
def test_changing_ends_where_building_anew_does(portal, tmp_path, changed):
    """However the pages came to be, they are the same, byte for byte."""
    change(portal, "project-0001/matrix-0", n_genes=50)
    shutil.rmtree(portal / "project-0002/matrix-1")
    rng = random.Random(5)
    rows = gene_rows(rng, 70, 50)
    write_matrix(portal / "new", document(rng, rows, project="new", title="New", n_cells=50), rows)
    fresh = tmp_path / "fresh"
    for key in files(portal):
        if key.endswith((".png", ".svg", ".csv", "summary.json", "plots.json")) or re.match(
            r"runs/2", key
        ):
            if key.startswith("_dpss"):
                continue
            (fresh / key).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(portal / key, fresh / key)
    build_website(LocalStore(portal), changed=changed, prune=True)
    build_website(LocalStore(fresh))
    assert files(portal) == files(fresh)


def test_what_is_gone_leaves_no_pages(portal):
    """A project that is no longer published loses its pages; foreign files stay."""
    for path in (portal / "project-0000").rglob("summary.json"):
        path.unlink()
    (portal / "project-0000/notes.txt").write_text("mine")
    build_website(LocalStore(portal), changed=set(), prune=True)
    left = {key for key in files(portal) if "project-0000" in key}
    assert not [key for key in left if key.endswith((".html", ".js", "_mqc.json"))]
    assert "project-0000/notes.txt" in left
