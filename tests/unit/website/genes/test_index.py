"""Each gene of each matrix is found in the index."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from dpss.website.genes.index import IndexLayout
from dpss.website.genes.lookup import gene_key, line_of
from tests.unit.website.portal import (
    NASTY,
    document,
    gene_rows,
    make_nasty,
    make_portal,
    write_matrix,
)
from tests.unit.website.published import number, received, words


def look_up(root: Path, typed: str) -> dict[str, tuple]:
    """Find a gene as the page does."""
    (folder,) = (root / "_dpss/lookup").iterdir()
    layout = IndexLayout(*map(int, folder.name.split("x")))
    key, found = gene_key(typed), {}

    def ids_of(name):
        bucket = line_of(name, layout.n_name_buckets)
        files = [folder / f"{block}/names.{bucket}.js" for block in range(layout.n_blocks)]
        return {i for file in files for n, i in received(file) if n == name}

    def collect(gene):
        for block in range(layout.n_blocks):
            shard = received(folder / f"{block}/{line_of(gene, layout.n_buckets)}.js")
            for matrix, which, text in shard["matrices"]:
                for i, (gene_id, name) in enumerate(shard["lists"][which]):
                    if gene_key(gene_id) == gene:
                        found[matrix] = (gene_id, name, *words(text)[5 * i : 5 * i + 5])

    ids = ids_of(key)
    for gene in ids or {key}:
        collect(gene)
    for name in {gene_key(hit[1]) for hit in found.values()} - ids - {key, ""}:
        if name in ids_of(name):
            collect(name)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["GENE5", "gene5", "ENSG00000000005", "ensg00000000005.3"])
def test_every_gene_of_every_matrix_is_found(portal, typed):
    """The shards hold what the tables hold, under the symbol as well as the id."""
    found = look_up(portal, typed)
    assert len(found) == 6
    for folder, (gene_id, _, n_cells, mean, rank, *_) in found.items():
        with (portal / folder / "genes.csv").open() as file:
            row = next(r for r in csv.DictReader(file) if r["gene_id"] == gene_id)
        assert rank == int(row["rank_cell_count"])
        assert number(n_cells) == pytest.approx(int(row["n_cells_by_counts"]), rel=2e-5)
        assert number(mean) == pytest.approx(float(row["mean_counts"]), rel=2e-5)


def test_a_gene_is_found_under_all_its_names(tmp_path):
    """Whoever types one name of an id finds the matrices that have another, or the name only."""
    root, rng = tmp_path / "out", random.Random(3)
    genes = {
        "old": ("ENSG00000000001.4", "C1orf1"),
        "new": ("ENSG00000000001", "ABC1"),
        "bare": ("abc1", "abc1"),
        "none": ("ENSG00000000001", ""),
    }
    for folder, (gene_id, name) in genes.items():
        rows = gene_rows(rng, 20, 50)
        rows[3] |= {"gene_id": gene_id, "gene_name": name}
        write_matrix(root / folder, document(rng, rows, project=folder, title=folder), rows)
    build_website(LocalStore(root))
    for typed in ("C1ORF1", "Abc1", "ENSG00000000001", "ENSG00000000001.9"):
        assert set(look_up(root, typed)) == set(genes), typed
    assert set(look_up(root, "ENSG00000000004")) == set(genes)


@pytest.mark.slow
def test_many_blocks_and_buckets_find_the_same(tmp_path, monkeypatch):
    """How genes and matrices are spread changes nothing of what is found."""
    root = make_portal(tmp_path / "out", 3, 3, 60)
    make_nasty(root)
    build_website(LocalStore(root))
    before = look_up(root, "GENE5"), look_up(root, f"{NASTY[0]} 0")
    monkeypatch.setattr("dpss.website.genes.index.MATRICES_PER_BLOCK", 3)
    monkeypatch.setattr("dpss.website.genes.index.FILE_BYTES", 100)
    build_website(LocalStore(root), changed=set(), prune=True)
    assert {p.name for p in (root / "_dpss/lookup").iterdir()} == {"4x64"}
    assert (look_up(root, "GENE5"), look_up(root, f"{NASTY[0]} 0")) == before
    assert len(before[0]) == 9 and len(before[1]) == 1
