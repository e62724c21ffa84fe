"""Genes and cells of MatrixMarket are told apart by what their tables hold."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import io as scipy_io
from scipy import sparse

from dpss.errors import NoCountsError
from dpss.formats.file_names import find_role
from dpss.model import Certainty
from tests.examples import examples
from tests.unit.formats.layers import dense
from tests.unit.formats.mtx.test_reader import MTX, note_names, only_layer, open_files


def barcodes(rng: np.random.Generator, n: int, prefix: str = "", end: str = "") -> list[str]:
    """Make up distinct barcodes."""
    return [f"{prefix}{''.join(rng.choice(list('ACGT'), 16))}{end}" for _ in range(n)]


def gene_ids(n: int, prefix: str = "ENSG") -> list[str]:
    return [f"{prefix}{k:011d}" for k in range(1, n + 1)]


def counts_mtx(counts: np.ndarray) -> bytes:
    """Write a matrix as scipy does."""
    file = io.BytesIO()
    scipy_io.mmwrite(file, sparse.coo_matrix(counts))
    return file.getvalue()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("of_rows", "of_columns"),
    [
        ("quants_mat_rows.txt", "quants_mat_cols.txt"),
        ("genes.tsv", "barcodes.tsv"),
        ("barcodes.tsv", "genes.tsv"),
        ("var.csv", "obs.csv"),
        ("a.tsv", "b.tsv"),
        ("dim1.txt", "cells.tsv"),
    ],
)
def test_content_tells_genes_from_cells(seed: int, of_rows: str, of_columns: str) -> None:
    """Random matrices, either way round, under names that say it, nothing or the contrary."""
    rng = np.random.default_rng(seed)
    n_cells, n_genes = (int(n) for n in rng.choice(np.arange(20, 60), 2, replace=False))
    counts = rng.poisson(0.7, (n_cells, n_genes))
    prefix, end = (("", ""), ("s1_", ""), ("", "-1"), ("a#", "-1"))[seed % 4]
    tables = [
        barcodes(rng, n_cells, prefix, end),
        gene_ids(n_genes, "ENSMUSG" if seed % 3 else "ENSG"),
    ]
    turned = bool(rng.integers(2))
    if turned:
        tables.reverse()
    files = {"m.mtx": counts_mtx(counts.T if turned else counts)}
    for name, table in zip((of_rows, of_columns), tables, strict=True):
        files[name] = ("\n".join(table) + "\n").encode()
    (matrix,) = open_files(files)
    (layer,) = matrix.layers
    assert layer.n_cells == n_cells
    assert layer.genes.ids.tolist() == tables[0 if turned else 1]
    assert dense(layer).tolist() == counts.tolist()
    roles = {name: find_role(name) for name in (of_rows, of_columns)}
    kinds = ("genes", "cells") if turned else ("cells", "genes")
    truth = dict(zip((of_rows, of_columns), kinds, strict=True))
    against = [name for name, role in roles.items() if role and role[0] != truth[name]]
    warned = [message for name, _, message in matrix.notes if name == "orientation"]
    assert len(warned) == len(against)
    assert all(any(name in message for message in warned) for name in against)


def test_tables_of_tags_are_no_barcodes() -> None:
    """CITE-seq-Count's features end in sequences, as barcodes do."""
    rng = np.random.default_rng(1)
    tags = [f"CD{k}-{each}" for k, each in enumerate(barcodes(rng, 40))]
    cells = barcodes(rng, 30)
    counts = rng.poisson(1, (40, 30))
    files = {"features.tsv": "\n".join(tags).encode(), "barcodes.tsv": "\n".join(cells).encode()}
    (matrix,) = open_files({"matrix.mtx": counts_mtx(counts), **files})
    assert matrix.layers[0].n_cells == 30
    assert "orientation" not in note_names(matrix)


def test_types_of_cells_are_no_genes() -> None:
    """A table of cells with a column of CD4 and CD8 stays one of cells."""
    rows = "".join(f"c{k}\tCD{4 + 4 * (k % 2)}\n" for k in range(30)).encode()
    counts = np.ones((3, 30), dtype=int)
    (matrix,) = open_files({"m.mtx": counts_mtx(counts), "cells.tsv": rows})
    assert matrix.layers[0].n_cells == 30
    assert "orientation" not in note_names(matrix)


def test_names_of_axes_alone_are_an_assumption() -> None:
    """Rows and columns that are called neither genes nor cells, with names that tell nothing."""
    files = {"x_rows.txt": b"a\nb\nc\n", "x_cols.txt": b"d\ne\n"}
    (matrix,) = open_files({"x.mtx": MTX, **files})
    assert matrix.layers[0].n_cells == 2
    assert note_names(matrix) == {"orientation"}
    (decision,) = matrix.decisions
    assert (decision.topic, decision.certainty) == ("orientation", "assumed")


def test_names_stand_in_a_table_of_their_own() -> None:
    """As kb writes them: ids in genes.txt, names in genes.names.txt; some have none."""
    rng = np.random.default_rng(3)
    ids, cells = gene_ids(5), barcodes(rng, 7)
    counts = rng.poisson(2, (7, 5))
    names = ["TP53", "", "GAPDH", "MT-CO1", ids[4]]
    files = {
        "cells_x_genes.mtx": counts_mtx(counts),
        "cells_x_genes.barcodes.txt": "\n".join(cells).encode(),
        "cells_x_genes.genes.txt": "\n".join(ids).encode(),
        "cells_x_genes.genes.names.txt": "\n".join(names).encode(),
    }
    layer = only_layer(files)
    assert layer.genes.ids.tolist() == ids
    assert layer.genes.names.tolist() == ["TP53", ids[1], "GAPDH", "MT-CO1", ids[4]]
    assert dense(layer).tolist() == counts.tolist()


@pytest.mark.parametrize(("suffixes", "n"), [(("", "-U", "-A"), 3), (("", "-I"), 2)])
def test_splice_states_are_named(suffixes: tuple[str, ...], n: int) -> None:
    features = [f"{name}{suffix}" for suffix in suffixes for name in gene_ids(4)]
    cells = barcodes(np.random.default_rng(2), 5)
    counts = np.ones((5, 4 * n), dtype=int)
    files = {"q_rows.txt": "\n".join(cells).encode(), "q_cols.txt": "\n".join(features).encode()}
    (matrix,) = open_files({"q.mtx": counts_mtx(counts), **files})
    assert matrix.layers[0].n_cells == 5
    assert {"splice_states", "orientation"} == note_names(matrix)
    assert any("4 genes" in message for _, _, message in matrix.notes)


@pytest.mark.parametrize("stem", ["cells_x_tcc", "tcc", "matrix.abundance"])
def test_classes_of_transcripts_are_no_genes(stem: str) -> None:
    """kb's counts of transcript compatibility were published with classes for cells."""
    rng = np.random.default_rng(3)
    files = {
        f"{stem}.mtx": counts_mtx(rng.poisson(1, (30, 50))),
        f"{stem}.barcodes.txt": "\n".join(barcodes(rng, 30)).encode(),
        f"{stem}.ec.txt": "\n".join(f"{k}\t{k},{k + 1}" for k in range(50)).encode(),
    }
    with pytest.raises(NoCountsError, match="equivalence classes of transcripts"):
        open_files(files)
    files = {name: data for name, data in files.items() if not name.endswith(".ec.txt")}
    files[f"{stem}.genes.txt"] = "\n".join(gene_ids(50)).encode()
    files["other.ec.txt"] = b"0\t0,1\n"
    assert only_layer(files).n_cells == 30


@settings(max_examples=examples(30), deadline=None)
@given(
    st.integers(0, 1 << 30),
    st.sampled_from(["{}", "g{}", "feature {}", "gene-{}"]),
    st.sampled_from([("m_rows.txt", "m_cols.txt"), ("rownames.csv", "colnames.csv")]),
    st.booleans(),
    st.booleans(),
)
def test_barcodes_in_one_table_tell_what_the_other_holds(
    seed: int, form: str, names: tuple[str, str], turned: bool, square: bool
) -> None:
    """Genes of unknown names are genes where the other table holds barcodes, of squares as well."""
    rng = np.random.default_rng(seed)
    n_cells = int(rng.integers(20, 40))
    n_genes = n_cells if square else n_cells + int(rng.integers(2, 20))
    counts = rng.poisson(0.7, (n_cells, n_genes))
    tables = [barcodes(rng, n_cells), [form.format(k) for k in range(n_genes)]]
    if turned:
        tables.reverse()
    files = {"m.mtx": counts_mtx(counts.T if turned else counts)}
    for name, table in zip(names, tables, strict=True):
        files[name] = "".join(f"{line}\n" for line in table).encode()
    layer = only_layer(files)
    np.testing.assert_array_equal(dense(layer), counts)
    assert list(layer.genes.ids) == [form.format(k) for k in range(n_genes)]


@pytest.mark.parametrize("turned", [False, True])
def test_names_of_axes_tell_how_a_square_lies(turned: bool) -> None:
    """Content tells what each table is of, its name on which side: nothing is assumed."""
    rng = np.random.default_rng(3)
    counts = rng.poisson(0.7, (30, 30))
    tables = [barcodes(rng, 30), gene_ids(30)]
    if turned:
        tables.reverse()
    files = {"m.mtx": counts_mtx(counts.T if turned else counts)}
    for name, table in zip(("m_rows.txt", "m_cols.txt"), tables, strict=True):
        files[name] = "".join(f"{line}\n" for line in table).encode()
    np.testing.assert_array_equal(dense(only_layer(files)), counts)
    (matrix,) = open_files(files)
    (decision,) = (each for each in matrix.decisions if each.topic == "orientation")
    assert decision.certainty is Certainty.TOLD_BY_CONTENT
