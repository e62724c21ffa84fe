"""The files for the look-up of genes."""

from __future__ import annotations

import hashlib

from dpss.storage.local import LocalStore
from dpss.summary.tables import genes_csv as csv_of
from dpss.website.build import build_website
from dpss.website.genes.lookup import gene_files
from dpss.website.genes.tables import read_genes
from tests.unit.website.published import change


def test_what_a_run_publishes_is_what_the_site_would_make(portal):
    """Made from the summary's arrays or from genes.csv, the pages' gene files are the same."""
    folder = portal / "project-0000/matrix-0"
    table = (folder / "genes.csv").read_bytes()
    genes = read_genes(table)
    made = gene_files(genes, hashlib.sha256(table).hexdigest())
    assert made == {name: (folder / name).read_bytes() for name in made}
    assert csv_of(genes) == csv_of(read_genes(csv_of(genes)))


def test_gene_files_of_another_summary_are_made_again(portal):
    """What a program of another version left beside a new table is not taken for its own."""
    folder = portal / "project-0000/matrix-0"
    before = (folder / "genes.lookup").read_bytes()
    change(portal, "project-0000/matrix-0")
    build_website(LocalStore(portal), changed=set())
    assert (folder / "genes.lookup").read_bytes() != before
