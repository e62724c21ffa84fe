"""Tables in random legal dialects come back exactly, or are refused; they never differ."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dpss.errors import MatrixError
from dpss.formats.discovery import iter_matrices
from dpss.formats.text.dialect import split_line
from tests.summarise import source_of, summarise_matrix

SYMBOLS = re.findall(
    r"\S+",
    "GAPDH ACTB B2M CD4 CD8A MS4A1 LYZ NKG7 PPBP FTL FTH1 MALAT1 RPL3 RPS4X RPL10 MT-CO1 MT-ND1 "
    "TMSB4X EEF1A1 UBC HLA-A HLA-B S100A8 S100A9 CD3D CD3E IL7R CCR7 GNLY GZMB FCER1A CST3 TP53 "
    "MYC KRT18 COL1A1 VIM EPCAM ALB INS",
)
ENSEMBL = [f"ENSG{i * 37 + 11:011d}" for i in range(40)]
BARCODES = ["".join("ACGT"[(i * 7919 >> 2 * k) & 3] for k in range(16)) for i in range(1, 81)]
CELLS = {
    "barcodes": [f"{name}-1" for name in BARCODES],
    "counted": [f"cell_{i}" for i in range(1, 81)],
    "samples": [f"Sample{i}_S{i}_L001" for i in range(1, 81)],
    "quoted": [f"{name}, lane {i % 3}" for i, name in enumerate(BARCODES)],
}


@dataclass(frozen=True)
class Dialect:
    """How a table is written; every field is one that some program writes."""

    separator: str
    decimal: str
    quoting: str
    """``none``, ``names`` or ``all``."""
    cells_first: bool
    corner: str | None
    end: str
    encoding: str
    lead: tuple[str, ...]
    """Columns of annotation between the names and the counts."""
    trail: tuple[str, ...]
    numbered: bool
    """Whether row numbers stand before the names, as pandas writes them."""
    blank_lines: bool
    comment: str
    last_end: bool
    extra_separator: bool
    """Whether each line ends with a separator."""
    number: str
    packed: bool


DIALECTS = st.builds(
    Dialect,
    separator=st.sampled_from(["\t", ",", ";", " "]),
    decimal=st.sampled_from([".", ","]),
    quoting=st.sampled_from(["none", "names", "all"]),
    cells_first=st.booleans(),
    corner=st.sampled_from(["", "name", "index", "Unnamed: 0", "X", None]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    lead=st.lists(st.sampled_from(["text", "place", "facts"]), max_size=2, unique=True).map(tuple),
    trail=st.lists(st.sampled_from(["text", "words"]), max_size=1).map(tuple),
    numbered=st.sampled_from([False, False, False, True]),
    blank_lines=st.booleans(),
    comment=st.sampled_from(["", "", "# written by a program", "## made 2024; by, us"]),
    last_end=st.booleans(),
    extra_separator=st.sampled_from([False, False, False, True]),
    number=st.sampled_from(["whole", "whole", "halves", "points", "exponents", "padded"]),
    packed=st.booleans(),
)


def _columns(
    kind: str, n: int, totals: np.ndarray, decimal: str, *, cells_first: bool
) -> dict[str, list[str]]:
    """Return annotation of each line, by title."""
    if kind == "words":
        return {"note": [("a kinase", "", "unknown", "see text")[i % 4] for i in range(n)]}
    if cells_first:
        return {
            "text": {"cell_type": [("B cell", "T cell")[i % 2] for i in range(n)]},
            "place": {"barcode": BARCODES[:n]},
            "facts": {"nCount_RNA": [f"{each:g}".replace(".", decimal) for each in totals]},
        }[kind]
    return {
        "text": {"gene_biotype": [("protein_coding", "lncRNA")[i % 2] for i in range(n)]},
        "place": {"chr": [f"chr{i % 22 + 1}" for i in range(n)],
                  "start": [str(1000 + 77 * i) for i in range(n)]},
        "facts": {"length": [str(300 + i) for i in range(n)]},
    }[kind]  # fmt: skip


def _number(value: float, dialect: Dialect) -> str:
    if dialect.number == "exponents":
        text = f"{value:.6e}"
    elif dialect.number == "points":
        text = f"{value:.1f}"
    else:
        text = f"{value:g}" if value < 1e5 else f"{value:.1f}".removesuffix(".0")
    if dialect.number == "padded":
        text = f" {text}"
    return text.replace(".", dialect.decimal)


def _text(values: np.ndarray, genes: list[str], cells: list[str], dialect: Dialect,
          bad: tuple[int, int, str] | None) -> str:  # fmt: skip
    """Return a table of ``values``, shape ``(n_cells, n_genes)``."""
    lines, columns = (cells, genes) if dialect.cells_first else (genes, cells)
    table = values if dialect.cells_first else values.T
    fields = [[_number(value, dialect) for value in row] for row in table]
    if bad:
        fields[bad[0] % len(fields)][bad[1] % len(columns)] = bad[2]
    around = [
        [
            column
            for kind in kinds
            for column in _columns(
                kind, len(lines), values.sum(1), dialect.decimal, cells_first=dialect.cells_first
            ).items()
        ]
        for kinds in (dialect.lead, dialect.trail)
    ]
    corner = "cell" if dialect.corner == "name" and dialect.cells_first else dialect.corner
    corner = "gene" if corner == "name" else corner
    header = [*(title for title, _ in around[0]), *columns, *(title for title, _ in around[1])]
    if corner is not None:
        header = [corner, *header]
    if dialect.numbered:
        header = ["", *header]
    rows = [[(text, "name") for text in header]]
    for i, name in enumerate(lines):
        row = [(str(i), "number")] if dialect.numbered else []
        row += [(name, "name"), *((column[i], "name") for _, column in around[0])]
        row += [(field, "number") for field in fields[i]]
        rows.append([*row, *((column[i], "name") for _, column in around[1])])
    written = [
        dialect.separator.join(_quoted(text, kind, dialect) for text, kind in row)
        + dialect.separator * dialect.extra_separator
        for row in rows
    ]
    before = [dialect.comment] if dialect.comment else []
    after = [""] if dialect.blank_lines else []
    return dialect.end.join([*before, *written, *after]) + dialect.end * dialect.last_end


def _quoted(text: str, kind: str, dialect: Dialect) -> str:
    needed = dialect.separator in text or '"' in text or (dialect.separator == " " and not text)
    if dialect.quoting == "all" or (dialect.quoting == "names" and kind == "name") or needed:
        return f'"{text}"'
    return text


def _write(path: Path, text: str, dialect: Dialect) -> None:
    marks = {"utf-16-le": "\ufeff", "utf-16-be": "\ufeff"}
    data = (marks.get(dialect.encoding, "") + text).encode(dialect.encoding)
    path.write_bytes(gzip.compress(data, 1) if dialect.packed else data)


def _is_ambiguous(dialect: Dialect) -> bool:
    """Return whether a text has more than one reading, or is none that a program writes."""
    blanks = dialect.separator == " "
    return (
        (dialect.decimal == "," and dialect.separator == ",")
        # Blanks as separators can't tell an empty field or a padded number from one more blank.
        or (blanks and (dialect.number == "padded" or dialect.extra_separator))
        # A header that is short by one and names one column too few, too.
        or (dialect.corner is None and (dialect.numbered or dialect.extra_separator))
    )


@pytest.mark.slow
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    dialect=DIALECTS,
    seed=st.integers(0, 1 << 16),
    n_cells=st.integers(6, 80),
    n_genes=st.integers(6, 40),
    mean=st.sampled_from([0.3, 3.0, 400.0]),
    genes=st.sampled_from(["symbols", "ensembl"]),
    cells=st.sampled_from(sorted(CELLS)),
    bad=st.none() | st.none() | st.tuples(
        st.integers(0, 79), st.integers(0, 79),
        st.sampled_from(["<1", "n.d.", "3 (2)", "1'000", "1\u00a0000", "0x1F", "1_000", "--",
                         "3\u2009000"]),
    ),
)  # fmt: skip
def test_random_dialects(
    dialect, seed, n_cells, n_genes, mean, genes, cells, bad, tmp_path
) -> None:
    """What is published is what was written; what can't be told is refused."""
    rng = np.random.default_rng(seed)
    values = rng.poisson(mean, (n_cells, n_genes)).astype(float)
    values[:, 0] = rng.poisson(5, n_cells) + 1  # no cell is empty
    if dialect.number == "halves":
        values *= 1.5
    gene_names = (SYMBOLS if genes == "symbols" else ENSEMBL)[:n_genes]
    cell_names = CELLS[cells][:n_cells]
    path = tmp_path / "a.txt"
    _write(path, _text(values, gene_names, cell_names, dialect, bad), dialect)
    try:
        (matrix,) = iter_matrices(source_of(path))
        summary = summarise_matrix(matrix)
    except MatrixError as error:
        event(f"refused {bool(bad)} {_is_ambiguous(dialect)}")
        assert bad or _is_ambiguous(dialect), (str(error), path.read_bytes()[:300])
        return
    event("read")
    assert not bad, path.read_bytes()[:300]
    assert (summary.n_cells, summary.n_genes) == values.shape
    assert summary.genes.gene_id.tolist() == gene_names
    assert summary.total_counts == pytest.approx(values.sum(), rel=1e-12)
    assert summary.genes.n_cells_by_counts.tolist() == (values > 0).sum(0).tolist()
    assert summary.median_counts_per_cell == pytest.approx(np.median(values.sum(1)), rel=1e-12)


@pytest.mark.parametrize("points", ["1.234", "12.345", "1.234.567"])
@pytest.mark.parametrize("cells_first", [False, True])
def test_points_between_thousands_are_refused(points, cells_first, tmp_path) -> None:
    """Spreadsheets of many languages write 1.234 for a thousand: never 1.2 counts."""
    fields = [[str(i * j % 7) for j in range(12)] for i in range(10)]
    for i in (2, 5, 7):
        fields[i][i] = points
    lines, columns = (BARCODES, SYMBOLS) if cells_first else (SYMBOLS, BARCODES)
    rows = [[lines[i], *row] for i, row in enumerate(fields)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(map(";".join, [["", *columns[:12]], *rows])) + "\n")
    with pytest.raises(MatrixError, match=f"line 4, column 4 .*{points}"):
        (matrix,) = iter_matrices(source_of(path))
        summarise_matrix(matrix)


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_decimals_are_not_thousands(digits, tmp_path) -> None:
    """Estimates rounded to three digits have values below 1, or fewer digits somewhere."""
    values = np.round(np.random.default_rng(0).gamma(0.5, 4, (12, 10)), digits)
    rows = [[BARCODES[i], *(f"{v:.{digits}f}" for v in row)] for i, row in enumerate(values)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(map(",".join, [["", *SYMBOLS[:10]], *rows])) + "\n")
    (matrix,) = iter_matrices(source_of(path))
    assert summarise_matrix(matrix).total_counts == pytest.approx(values.sum(), rel=1e-12)


@pytest.mark.parametrize("first", ["sep=;\n", '"sep=;"\n', "SEP=;\r\n"])
def test_the_line_that_names_the_separator_is_passed_over(first, tmp_path) -> None:
    """Excel writes it before the titles."""
    rows = [[SYMBOLS[i], *(str(i * j % 7) for j in range(12))] for i in range(10)]
    text = "\n".join(map(";".join, [["", *BARCODES[:12]], *rows])) + "\n"
    (tmp_path / "a.csv").write_text(first + text)
    (matrix,) = iter_matrices(source_of(tmp_path / "a.csv"))
    summary = summarise_matrix(matrix)
    assert (summary.n_cells, summary.n_genes) == (12, 10)
    assert summary.total_counts == sum(i * j % 7 for i in range(10) for j in range(12))


@pytest.mark.parametrize("separator", [",", "\t"])
def test_lines_that_end_as_on_old_macs_are_named(separator, tmp_path) -> None:
    """Excel still offers such files; they are no single line."""
    rows = [[SYMBOLS[i], *(str(i * j % 7) for j in range(12))] for i in range(10)]
    text = "\r".join(map(separator.join, [["", *BARCODES[:12]], *rows])) + "\r"
    (tmp_path / "a.csv").write_bytes(text.encode())
    with pytest.raises(MatrixError, match="carriage return alone"):
        list(iter_matrices(source_of(tmp_path / "a.csv")))


@given(
    st.text('ab12 ,\t"é\u00a0', max_size=20),
    st.sampled_from(["\t", ",", ";", " "]),
    st.integers(0, 4),
)
def test_the_first_fields_are_the_same_with_and_without_the_others(
    line: str, separator: str, n: int
) -> None:
    """Quoted fields and blanks at the ends included; that there are more fields is told, too."""
    every, first = split_line(line, separator), split_line(line, separator, n)
    assert first[:n] == every[:n]
    assert (len(first) > n) == (len(every) > n)
