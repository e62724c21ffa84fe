"""Which axis of a table is that of the genes: known forms tell, mere looks are an assumption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.formats.annotation.axis_names import AxisKind, find_kind
from dpss.model import Certainty
from tests.summarise import summarise

LINES = ["A549", "K562", "HepG2", "HeLa", "MCF7", "U2OS", "THP1", "Jurkat", "HEK293", "PC3"]
POPULATIONS = ["CD4", "CD8", "CD14", "CD19", "CD56", "CD34"]
ENTREZ = [str(7157 + 331 * i) for i in range(30)]
AFFYMETRIX = [f"{1007 + 13 * i}_{'s_' if i % 3 else ''}at" for i in range(30)]
YEAST = [f"Y{'ABCDEFGH'[i % 8]}{'LR'[i % 2]}{i + 1:03d}{'WC'[i % 2]}" for i in range(30)]
REFSEQ = [f"NM_{100200 + 77 * i:06d}.{i % 4 + 1}" for i in range(30)]
MARKERS = ["CD4", "CD8A", "GAPDH", "ACTB", "MS4A1", "LYZ", "NKG7", "PPBP", "FTL", "B2M", "UBC"]


def read(tmp_path: Path, rows: list[str], columns: list[str], label: str = ""):
    """Return the summary of a table, its decision on orientation, and its values."""
    x = np.random.default_rng(4).poisson(2.0, (len(rows), len(columns))) + 1
    path = tmp_path / "m.csv"
    pd.DataFrame(x, rows, columns).to_csv(path, index_label=label)
    summary = summarise(path)
    (told,) = [each for each in summary.reading if each.topic == "orientation"]
    return summary, told, x


@pytest.mark.parametrize(
    "columns", [LINES, POPULATIONS, ["Mock", "Treated", "Wash", "Rescue", "Ko"]]
)
@pytest.mark.parametrize("rows", [ENTREZ, AFFYMETRIX, YEAST, REFSEQ])
@pytest.mark.parametrize("label", ["", "name"])
def test_samples_with_names_of_their_own_are_no_genes(rows, columns, label, tmp_path) -> None:
    """Cell lines, sorted populations and treatments above rows of ids: right, or assumed."""
    summary, told, x = read(tmp_path, rows, columns, label)
    if told.certainty is Certainty.ASSUMED:
        assert any(each.name == "assumptions" for each in summary.checks)
    else:
        assert (summary.n_cells, summary.n_genes) == x.shape[::-1]


@pytest.mark.parametrize("rows", [AFFYMETRIX, YEAST, REFSEQ])
def test_ids_of_genes_are_known_by_their_form(rows, tmp_path) -> None:
    """Ids of arrays, of yeast and of RefSeq tell the axis of genes on either side."""
    for table in (rows, LINES), (LINES, rows):
        summary, told, _ = read(tmp_path, *table)
        assert told.certainty is Certainty.TOLD_BY_CONTENT
        assert (summary.n_cells, summary.n_genes) == (len(LINES), len(rows))


@pytest.mark.parametrize("label", ["entrez", "Entrez_ID", "ncbi_gene", "probe_id", "ORF"])
def test_a_title_says_what_numbers_are(label, tmp_path) -> None:
    """Row names below such a title are those of genes."""
    summary, told, _ = read(tmp_path, ENTREZ, LINES, label)
    assert told.certainty is Certainty.TOLD_BY_CONTENT
    assert (summary.n_cells, summary.n_genes) == (len(LINES), len(ENTREZ))


@pytest.mark.parametrize("label", ["key", "foo", "HGNC", "gene number", "#1"])
@pytest.mark.parametrize("order", ["grow", "large", "small"])
def test_ids_of_lines_are_no_counts_whatever_their_title(label, order, tmp_path) -> None:
    """Whole numbers, each another one, before columns of cells are names."""
    rows = [int(each) for each in ENTREZ]
    if order != "grow":
        rows = np.random.default_rng(2).permutation(rows if order == "large" else 30).tolist()
    barcodes = ["".join("ACGT"[(i * 7919 + 5 >> 2 * k) & 3] for k in range(16)) for i in range(9)]
    summary, told, x = read(tmp_path, rows, barcodes, label)
    assert told.certainty is Certainty.TOLD_BY_CONTENT
    assert (summary.n_cells, summary.n_genes) == (9, 30)
    assert summary.total_counts == x.sum()
    assert summary.genes.gene_id.tolist() == list(map(str, rows))


def test_known_genes_prevail_over_names_that_look_like_genes(tmp_path) -> None:
    """Lines named like symbols below titles that are genes: the lines are the cells."""
    summary, told, _ = read(tmp_path, LINES, MARKERS)
    assert told.certainty is Certainty.TOLD_BY_CONTENT
    assert (summary.n_cells, summary.n_genes) == (len(LINES), len(MARKERS))


def test_kinds() -> None:
    """Names of several families are genes; those of one, or of the form only, look like some."""
    assert find_kind(MARKERS) is AxisKind.GENES
    assert find_kind(POPULATIONS) is AxisKind.LIKE_GENES
    assert find_kind(LINES) is AxisKind.LIKE_GENES
    assert find_kind(POPULATIONS, "gene") is AxisKind.GENES


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.text("abcdefgXYZ0123_.-", min_size=2, max_size=9), min_size=6, max_size=20,
                  unique_by=str.lower),
    columns=st.lists(st.text("abcdefgXYZ0123_.-", min_size=2, max_size=9), min_size=6, max_size=20,
                     unique_by=str.lower),
)  # fmt: skip
def test_random_names_tell_nothing(rows, columns, tmp_path) -> None:
    """Names of no known form are never told apart without a warning."""
    rows, columns = [f"q{name}" for name in rows], [f"q{name}" for name in columns]
    _, told, _ = read(tmp_path, rows, columns)
    assert told.certainty is Certainty.ASSUMED
