"""Tables of genes are read, or left out with a word."""

from __future__ import annotations

import csv
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from dpss.website.genes.tables import read_genes
from tests.examples import examples
from tests.unit.website.portal import (
    gene_rows,
    genes_csv,
)
from tests.unit.website.published import relist


def test_a_broken_gene_table_is_left_out(portal, caplog):
    """A genes.csv that can't be read costs its matrix the look-up, and nothing else."""
    folder = portal / "project-0000/matrix-0"
    (folder / "genes.csv").write_text("a,b\n1,2\n")
    (folder / "genes.lookup").write_text("{}")
    relist(folder)
    build_website(LocalStore(portal))
    assert "project-0000/matrix-0/genes.csv" in caplog.text


# Python before 3.13 writes a lone carriage return without quotes, so that no reader can tell.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"))


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
@settings(max_examples=examples(30))
def test_any_names_survive_the_reading(pairs):
    """Whatever genes are called, their names come back as they were."""
    rows = gene_rows(random.Random(1), len(pairs), 10)
    for row, (gene_id, name) in zip(rows, pairs, strict=True):
        row |= {"gene_id": gene_id, "gene_name": name}
    genes = read_genes(genes_csv(rows))
    assert list(zip(genes.gene_id, genes.gene_name, strict=True)) == pairs


def test_a_name_that_is_too_long_is_a_fault_of_the_table():
    """The reader of CSV has a limit, whose error is of another kind."""
    rows = gene_rows(random.Random(1), 3, 10)
    rows[1]["gene_name"] = "x" * 200_000
    table = genes_csv(rows)
    limit = csv.field_size_limit(1 << 17)
    try:
        with pytest.raises(ValueError, match="CSV"):
            read_genes(table)
    finally:
        csv.field_size_limit(limit)
