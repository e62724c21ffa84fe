"""Annotation, counts and facts about cells are told apart in tables of any legal layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, MatrixError
from dpss.formats.discovery import iter_matrices
from tests.examples import examples
from tests.summarise import source_of, summarise_matrix

GENES = [f"ENSG{i:011d}" for i in range(1, 13)]
CELLS = ["".join("ACGT"[(i >> (2 * k)) & 3] for k in range(16)) + "-1" for i in range(3, 40)]


def counts(seed: int = 0) -> np.ndarray:
    """Return counts of 37 cells × 12 genes."""
    return np.random.default_rng(seed).poisson(3, (len(CELLS), len(GENES)))


def summarise(path: Path):
    """Return the summary and the matrix of a file's only matrix."""
    (matrix,) = iter_matrices(source_of(path))
    return summarise_matrix(matrix), matrix


def table(header: list[str], rows: list[list[str]], separator: str) -> str:
    """Return a table as text."""
    return "".join(separator.join(fields) + "\n" for fields in [header, *rows])


@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_decimal_commas_are_read(separator: str, tmp_path: Path) -> None:
    """Halves with decimal commas give the same total as numpy's."""
    x = counts() * 1.5
    rows = [[g, *(str(v).replace(".", ",") for v in x[:, i])] for i, g in enumerate(GENES)]
    path = tmp_path / "a.csv"
    path.write_text(table(["gene", *CELLS], rows, separator))
    summary, matrix = summarise(path)
    assert (summary.n_cells, summary.n_genes) == x.shape
    assert summary.total_counts == x.sum()
    assert any(each.topic == "decimal_sign" for each in matrix.decisions)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("1,234", "between thousands"),
        ("1,234,567", "between thousands"),
        ("<1", "limit of detection"),
        ("n.d.", "is no number"),
        ("3 (2)", "is no number"),
    ],
)
@pytest.mark.parametrize("line", [3, 8, 11])
@pytest.mark.parametrize("column", [1, 20, len(CELLS)])
def test_a_field_that_is_no_number_is_named(
    field: str, message: str, line: int, column: int, tmp_path: Path
) -> None:
    """No column is dropped for one bad field: it is refused with line, column and field."""
    rows = [[g, *map(str, counts()[:, i])] for i, g in enumerate(GENES)]
    rows[line - 2][column] = field
    path = tmp_path / "a.tsv"
    path.write_text(table(["gene", *CELLS], rows, "\t"))
    with pytest.raises(CorruptMatrixError) as caught:
        summarise(path)
    said = str(caught.value)
    assert f"line {line}, column {column + 1} ('{CELLS[column - 1]}'): '{field}'" in said
    assert message in said


def test_annotation_is_counted_and_named(tmp_path: Path) -> None:
    """Columns of text before and after the counts are left out, and the decision names them."""
    rows = [[g, "chr1", *map(str, counts()[:, i]), "a kinase"] for i, g in enumerate(GENES)]
    path = tmp_path / "a.tsv"
    path.write_text(table(["gene_id", "chr", *CELLS, "note"], rows, "\t"))
    summary, matrix = summarise(path)
    assert summary.total_counts == counts().sum()
    (told,) = [each for each in matrix.decisions if each.topic == "annotation"]
    assert told.value == f"3 of {len(CELLS) + 3} columns"
    assert "'gene_id', 'chr', 'note'" in told.evidence


@pytest.mark.parametrize("title", ["Cell_Index", "cell id", "number", "k"])
@pytest.mark.parametrize("ids", ["grow", "large"])
def test_ids_of_cells_are_no_gene(title: str, ids: str, tmp_path: Path) -> None:
    """A first column of numeric ids names cells or is left out, whatever its title is."""
    x = counts()
    numbers = np.arange(len(x)) * 7 + 3
    if ids == "large":
        numbers = np.random.default_rng(1).permutation(numbers + 10**6)
    path = tmp_path / "a.csv"
    rows = [[str(n), *map(str, row)] for n, row in zip(numbers, x, strict=True)]
    path.write_text(table([title, *GENES], rows, ","))
    summary, _ = summarise(path)
    assert (summary.n_genes, summary.total_counts) == (len(GENES), x.sum())


@pytest.mark.parametrize("titles", [("nCount_RNA", "nFeature_RNA"), ("a", "b"), ("QC 1", "QC 2")])
@pytest.mark.parametrize("place", [0, 5, 12])
def test_totals_of_cells_are_no_genes(titles: tuple[str, str], place: int, tmp_path: Path) -> None:
    """A line's sum and its number of values above 0 are found by what they are."""
    x = counts()
    facts = np.column_stack([x.sum(1), (x > 0).sum(1)])
    values = np.concatenate([x[:, :place], facts, x[:, place:]], axis=1)
    names = [*GENES[:place], *titles, *GENES[place:]]
    path = tmp_path / "a.csv"
    rows = [[c, *map(str, row)] for c, row in zip(CELLS, values, strict=True)]
    path.write_text(table(["", *names], rows, ","))
    summary, matrix = summarise(path)
    assert (summary.n_genes, summary.total_counts) == (len(GENES), x.sum())
    told = [each.value for each in matrix.decisions if each.topic == "cell_annotation"]
    assert sorted(told) == sorted(titles)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 1 << 16),
    separator=st.sampled_from(["\t", ",", ";", " "]),
    cells_first=st.booleans(),
    decimal=st.sampled_from([".", ","]),
    real=st.booleans(),
    corner=st.sampled_from(["", "gene", None]),
    quoted=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
    bad=st.sampled_from([None, None, "<1", "1,000", "text"]),
)
def test_a_table_comes_back_exactly_or_is_refused(
    seed, separator, cells_first, decimal, real, corner, quoted, end, bad, tmp_path
) -> None:
    """Whatever the legal layout is: numpy's numbers, or an error; never other numbers."""
    rng = np.random.default_rng(seed)
    x = counts(seed) * (1.5 if real else 1)
    names, lines = (GENES, CELLS) if cells_first else (CELLS, GENES)
    values = x if cells_first else x.T
    fields = [[f"{v:g}".replace(".", decimal) for v in row] for row in values]
    if bad:
        fields[rng.integers(len(fields))][rng.integers(len(names))] = bad
    mark = (lambda t: f'"{t}"') if quoted else (lambda t: t)
    corner = "cell" if corner == "gene" and cells_first else corner
    if separator == " " and corner == "":
        corner = None
    header = [mark(name) for name in names]
    if corner is not None:
        header = [mark(corner), *header]
    rows = [[mark(name), *map(mark, row)] for name, row in zip(lines, fields, strict=True)]
    path = tmp_path / "a.txt"
    path.write_text(table(header, rows, separator).replace("\n", end), newline="")
    try:
        summary, _ = summarise(path)
    except MatrixError:
        assert bad or (decimal == "," and separator == ",")
        return
    if bad == "1,000" and decimal == "," and real:
        return  # In a column with decimal commas it is 1.
    assert not bad
    assert (summary.n_cells, summary.n_genes) == x.shape
    assert summary.total_counts == pytest.approx(x.sum(), rel=1e-12)
    assert summary.genes.n_cells_by_counts.tolist() == (x > 0).sum(0).tolist()
