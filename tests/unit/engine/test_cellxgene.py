"""Files that follow CELLxGENE's schema: h5ad, zarr and objects, published and not."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from pathlib import Path

import anndata
import h5py
import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dpss
from dpss.cli.commands import commands
from dpss.cli.entry import execute
from dpss.engine.cellxgene import MAX_TERMS, read_schema, with_schema
from dpss.formats.anndata import open_anndata
from dpss.formats.annotation import cell_table
from dpss.formats.base import Matrix
from dpss.formats.discovery import iter_matrices
from dpss.formats.options import OpenOptions
from dpss.model import Certainty
from dpss.storage.locations import open_source
from dpss.summary.cellxgene import SchemaReport
from dpss.summary.record import Check
from dpss.website.schemas import schema

TERMS = {
    "assay": [("EFO:0009922", "10x 3' v3"), ("EFO:0009899", "10x 3' v2")],
    "cell_type": [(f"CL:{i:07d}", f"kind {i}") for i in range(30)],
    "development_stage": [("HsapDv:0000087", "adult stage")],
    "disease": [("PATO:0000461", "normal"), ("MONDO:0100096", "COVID-19")],
    "self_reported_ethnicity": [("unknown", "unknown")],
    "sex": [("PATO:0000383", "female"), ("PATO:0000384", "male")],
    "tissue": [("UBERON:0002048", "lung")],
}
FACTS = {
    "schema_version": "7.1.0",
    "schema_reference": "https://github.com/chanzuckerberg/single-cell-curation/blob/main/schema/"
    "7.1.0/schema.md",
    "title": "A lung",
    "organism": "Homo sapiens",
    "organism_ontology_term_id": "NCBITaxon:9606",
}


def make(n_cells: int = 60, **facts: str | None) -> anndata.AnnData:
    """Return a data set as CELLxGENE publishes it; `facts` change those of ``uns``."""
    rng = np.random.default_rng(n_cells)
    obs: dict[str, object] = {}
    for name, terms in TERMS.items():
        drawn = rng.integers(0, len(terms), n_cells)
        obs[f"{name}_ontology_term_id"] = pd.Categorical([terms[i][0] for i in drawn])
        obs[name] = pd.Categorical([terms[i][1] for i in drawn])
    obs["is_primary_data"] = np.arange(n_cells) % 3 == 0
    for name, value in (("donor_id", "d"), ("suspension_type", "cell"), ("tissue_type", "tissue")):
        obs[name] = pd.Categorical([value] * n_cells)
    names = [f"C{i}" for i in range(n_cells)]
    genes = pd.DataFrame(index=[f"ENSG{i:011d}" for i in range(8)])
    counts = rng.poisson(2, (n_cells, 8)).astype(np.float32)
    made = anndata.AnnData(counts, obs=pd.DataFrame(obs, index=names), var=genes)
    made.uns = {name: text for name, text in {**FACTS, **facts}.items() if text is not None}
    return made


def read(matrix: Matrix, n_cells: int) -> tuple[SchemaReport, tuple[Check, ...]]:
    """Return what a matrix states of the schema."""
    reading = read_schema(matrix)
    assert reading is not None and matrix.cells is not None
    return with_schema(reading, matrix.cells, n_cells)


def read_file(path: Path, n_cells: int) -> tuple[SchemaReport, tuple[Check, ...]]:
    """Return what a file states of the schema."""
    (matrix,) = iter_matrices(open_source(str(path)), OpenOptions())
    assert isinstance(matrix, Matrix)
    return read(matrix, n_cells)


def write_zarr(data: anndata.AnnData, path: Path, version: int) -> None:
    """Write a zarr folder of a version."""
    before = anndata.settings.zarr_write_format
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of defaults that anndata is to change
        anndata.settings.zarr_write_format = version
        try:
            data.write_zarr(path)
        finally:
            anndata.settings.zarr_write_format = before


def check_whole(report: SchemaReport, checks: tuple[Check, ...], data: anndata.AnnData) -> None:
    """Compare a report with pandas' own counts."""
    assert [each.status for each in checks] == ["pass"]
    assert report.schema_version == "7.1.0"
    assert report.title == "A lung"
    assert report.n_primary_data == int(data.obs["is_primary_data"].sum())
    assert report.missing_fields == ()
    by_field = {each.field: each for each in report.terms}
    assert list(by_field) == [
        *("organism", "tissue", "assay", "cell_type", "disease", "sex", "development_stage")
    ]
    for name, found in by_field.items():
        if name == "organism":
            expected = Counter({("NCBITaxon:9606", "Homo sapiens"): data.n_obs})
        else:
            ids, labels = data.obs[f"{name}_ontology_term_id"], data.obs[name]
            expected = Counter(zip(ids, labels, strict=True))
        shown = {(each.ontology_term_id, each.label): each.n_cells for each in found.terms}
        assert shown == dict(expected.most_common(20)) or found.n_terms > 20
        assert found.n_terms == len(expected)
        assert [each.n_cells for each in found.terms] == [n for _, n in expected.most_common(20)]


@pytest.mark.parametrize(
    "kind",
    [
        "h5ad",
        pytest.param("zarr 2", marks=pytest.mark.slow),
        pytest.param("zarr 3", marks=pytest.mark.slow),
        "object",
    ],
)
def test_published_data_set(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms with labels and cells are those that pandas counts; parts of the cells add up."""
    monkeypatch.setattr(cell_table, "PART_CELLS", 16)
    data, path = make(), tmp_path / "lung.h5ad"
    if kind == "object":
        check_whole(*read(open_anndata(data), 60), data)
        return
    if kind == "h5ad":
        data.write_h5ad(path)
    else:
        path = tmp_path / "lung.zarr"
        write_zarr(data, path, int(kind[-1]))
    check_whole(*read_file(path, 60), data)


def test_before_it_is_published() -> None:
    """A curator's file has neither a version nor labels: recognised by its columns."""
    data = make(schema_version=None, schema_reference=None, organism=None)
    for name in TERMS:
        del data.obs[name]
    matrix = open_anndata(data)
    reading = read_schema(matrix)
    assert reading is not None
    assert reading.decision.certainty is Certainty.TOLD_BY_CONTENT
    report, (check,) = read(matrix, 60)
    assert (report.schema_version, check.status) == (None, "pass")
    sex = next(each for each in report.terms if each.field == "sex")
    assert {(each.ontology_term_id, each.label) for each in sex.terms} == {
        ("PATO:0000383", None),
        ("PATO:0000384", None),
    }


def test_other_files_are_not_of_the_schema() -> None:
    """Ordinary data sets have no report and no check."""
    data = make(schema_version=None, schema_reference=None)
    data.obs = data.obs[["cell_type", "donor_id"]]
    assert read_schema(open_anndata(data)) is None
    found = dpss.summarize(data, embedding=False)
    assert found.cellxgene is None
    assert "cellxgene_schema" not in {each.name for each in found.checks}


def test_missing_fields_and_values() -> None:
    """They are named in the check, which warns."""
    data = make(title=None)
    del data.obs["suspension_type"]
    _, (check,) = read(open_anndata(data), 60)
    assert check.status == "warn"
    assert check.message.endswith("are missing: obs/suspension_type, uns/title.")
    data = make()
    for name in ("sex", "sex_ontology_term_id"):
        data.obs[name] = data.obs[name].where(np.arange(60) > 3)
    _, (check,) = read(open_anndata(data), 60)
    assert (check.status, "sex of 4 cells" in check.message) == ("warn", True)


REQUIRED = ("donor_id", "tissue_type", "self_reported_ethnicity_ontology_term_id")


@given(st.lists(st.sampled_from(REQUIRED), unique=True), st.integers(1, 60), st.booleans())
@settings(max_examples=15, deadline=None)
def test_required_columns_without_values(columns: list[str], n: int, missing: bool) -> None:
    """Each is named with its cells, beside a field that is missing."""
    data = make()
    for name in columns:
        data.obs[name] = data.obs[name].where(np.arange(60) >= n)
    if missing:
        del data.obs["sex_ontology_term_id"]
    _, (check,) = read(open_anndata(data), 60)
    cells = "1 cell" if n == 1 else f"{n} cells"
    told = [f"{name.removesuffix('_ontology_term_id')} of {cells}" for name in columns]
    assert all(each in check.message for each in told)
    assert ("are missing" in check.message or "is missing" in check.message) == missing
    assert check.status == ("warn" if columns or missing else "pass")


def test_an_identifier_without_a_label_counts_and_a_label_without_one_does_not() -> None:
    """The schema requires the identifier."""
    data = make()
    data.obs["tissue_ontology_term_id"] = data.obs["tissue_ontology_term_id"].where(
        np.arange(60) >= 7
    )
    data.obs["assay"] = data.obs["assay"].where(np.arange(60) >= 7)
    _, (check,) = read(open_anndata(data), 60)
    assert "no value: tissue of 7 cells." in check.message


@pytest.mark.parametrize(("yes", "no"), [(20, 0), (20, 20), (0, 10), (60, 0)])
def test_share_of_primary_data_is_of_all_cells(yes: int, no: int) -> None:
    """Cells without a value are told, and are part of the whole."""
    data = make()
    values = [True] * yes + [False] * no + [pd.NA] * (60 - yes - no)
    data.obs["is_primary_data"] = pd.array(values, dtype="boolean")
    report, (check,) = read(open_anndata(data), 60)
    assert report.n_primary_data == yes
    assert report.pct_primary_data == pytest.approx(100 * yes / 60)
    assert report.n_primary_missing == 60 - yes - no
    assert (f"is_primary_data of {60 - yes - no} cells" in check.message) == (yes + no < 60)


@pytest.mark.parametrize("secret", ["?sig=hunter2", "?X-Amz-Signature=hunter2#hunter2", "#hunter2"])
def test_secrets_of_the_reference_are_not_published(secret: str) -> None:
    """Its query and fragment are left out."""
    report, _ = read(open_anndata(make(schema_reference=FACTS["schema_reference"] + secret)), 60)
    assert report.schema_reference == FACTS["schema_reference"]


@pytest.mark.parametrize(
    ("column", "damage"),
    [("sex_ontology_term_id/codes", 9), ("cell_type/codes", -7), ("assay/codes", 100)],
)
def test_damaged_codes_are_a_warning(column: str, damage: int, tmp_path: Path) -> None:
    """A code without a category leaves its field out; the others, and the numbers, stay."""
    path = tmp_path / "damaged.h5ad"
    make().write_h5ad(path)
    with h5py.File(path, "r+") as file:
        file[f"obs/{column}"][5] = damage
    report, checks = read_file(path, 60)
    field = column.removesuffix("/codes").removesuffix("_ontology_term_id")
    assert field not in {each.field for each in report.terms}
    assert len(report.terms) == 6
    assert any("codes are damaged" in each.message for each in checks)
    assert {each.status for each in checks} <= {"pass", "warn"}


@pytest.mark.slow
def test_damaged_texts_are_a_warning(tmp_path: Path) -> None:
    """A heap that is damaged is told, and does not stop the rest."""
    path = tmp_path / "lung.zarr"
    write_zarr(make(), path, 2)
    chunk = next(each for each in (path / "uns/title").rglob("*") if each.name in ("c", "0"))
    chunk.write_bytes(b"\xff" * 12)
    report, checks = read_file(path, 60)
    assert report.title is None
    assert any(each.message.startswith("uns/title can't be read") for each in checks)


def test_columns_of_another_length(tmp_path: Path) -> None:
    """A column that is too short is left out with a warning."""
    path = tmp_path / "short.h5ad"
    make().write_h5ad(path)
    with h5py.File(path, "r+") as file:
        for name in ("sex", "sex_ontology_term_id"):
            codes = file[f"obs/{name}/codes"][:40]
            del file[f"obs/{name}/codes"]
            file[f"obs/{name}/codes"] = codes
        codes = file["obs/assay/codes"][:17]
        del file["obs/assay/codes"]
        file["obs/assay/codes"] = codes
    report, checks = read_file(path, 60)
    assert not {"sex", "assay"} & {each.field for each in report.terms}
    said = " ".join(each.message for each in checks)
    assert "40 values for 60 cells" in said
    assert "differ in length" in said


def test_bounded_number_of_values() -> None:
    """A column that names each cell, as a barcode does, is not kept."""
    n = MAX_TERMS + 10
    obs = pd.DataFrame({"sex_ontology_term_id": [f"x{i}" for i in range(n)]})
    obs.index = obs.index.astype(str)
    data = anndata.AnnData(np.ones((n, 1), dtype=np.float32), obs=obs)
    data.uns = dict(FACTS)
    report, checks = read(open_anndata(data), n)
    assert [each.field for each in report.terms] == ["organism"]
    assert any("distinct values" in each.message for each in checks)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "CL:1", "CL:2", "unknown", "<b>"]),
            st.sampled_from([None, "a", "b", "a\x1b[0m"]),
        ),
        min_size=1,
        max_size=40,
    ),
    st.booleans(),
)
def test_pairs_as_counted_one_by_one(
    pairs: list[tuple[str | None, str | None]], categorical: bool
) -> None:
    """Any mixture of ids, labels and missing values gives the counts of the pairs."""
    kind = "category" if categorical else object
    obs = pd.DataFrame(
        {
            "tissue_ontology_term_id": pd.Series([each[0] for each in pairs], dtype=kind),
            "tissue": pd.Series([each[1] for each in pairs], dtype=kind),
        }
    )
    obs.index = obs.index.astype(str)
    data = anndata.AnnData(np.ones((len(pairs), 1), dtype=np.float32), obs=obs)
    data.uns = dict(FACTS)
    report, _ = read(open_anndata(data), len(pairs))
    tissue = next(each for each in report.terms if each.field == "tissue")
    expected = Counter(each for each in pairs if any(each))
    assert tissue.n_terms == len(expected)
    assert tissue.n_missing == pairs.count((None, None))
    assert sum(each.n_cells for each in tissue.terms) + tissue.n_missing == len(pairs)
    shown = {each.label for each in tissue.terms} | {each.ontology_term_id for each in tissue.terms}
    assert all(text is None or text.isprintable() for text in shown)


@pytest.mark.slow
def test_published_pages_are_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Summary and page have the terms; what a file names is text, never a tag."""
    data = make(title="<b>A title</b>", schema_version="6.0.0")
    data.obs["tissue"] = pd.Categorical(["<script>alert(1)</script>\x1b[31m"] * 60)
    path, output = tmp_path / "lung.h5ad", tmp_path / "out"
    data.write_h5ad(path)
    command = ["summarize", str(path), "--output", str(output), "--no-embedding"]
    assert execute(commands, "dpss", command) == 0
    document = json.loads((output / "lung/summary.json").read_text())
    jsonschema.validate(document, schema("summary"))
    assert document["reading"][1]["value"] == "CELLxGENE 6.0.0"
    assert document["cellxgene"]["pct_primary_data"] == pytest.approx(100 * 20 / 60)
    page = (output / "lung/index.html").read_text()
    assert "CELLxGENE schema 6.0.0" in page
    assert "UBERON:0002048" in page
    assert "<script>alert" not in page and "<b>A title" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    capsys.readouterr()
    assert execute(commands, "dpss", ["inspect", str(path)]) == 0
    assert "CELLxGENE 6.0.0" in capsys.readouterr().out
