"""The table of genes in parts."""

from __future__ import annotations

import csv

import pytest

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from tests.unit.website.published import number, received, words


def test_the_table_in_parts_is_the_table(portal, monkeypatch):
    """The parts of a gene table together hold every gene in order."""
    monkeypatch.setattr("dpss.website.genes.tables.N_PER_PART", 25)
    folder = portal / "project-0000/matrix-0"
    (folder / "genes.0.js").unlink()
    build_website(LocalStore(portal))
    parts = [received(folder / f"genes.{n}.js") for n in range(3)]
    with (folder / "genes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [i for part in parts for i in part["gene_id"]] == [row["gene_id"] for row in rows]
    ranks = [r for part in parts for r in part["rank_variability"]]
    assert ranks == [int(r["rank_variability"] or 0) for r in rows]
    means = [number(word) for part in parts for word in words(part["means"])]
    assert means == pytest.approx([float(r["means"]) for r in rows], rel=2e-5)
