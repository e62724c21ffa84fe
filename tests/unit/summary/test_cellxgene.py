"""What CELLxGENE's schema requires, by its version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dpss.summary.cellxgene import (
    FieldTerms,
    SchemaReport,
    SchemaStatement,
    judge_schema,
    missing_fields,
    required_columns,
    schema_document,
    state_schema,
)

TERMS = (
    *("assay", "cell_type", "development_stage", "disease", "self_reported_ethnicity"),
    *("sex", "tissue"),
)
OTHERS = ("donor_id", "is_primary_data", "suspension_type", "tissue_type")
COLUMNS = [*(f"{name}_ontology_term_id" for name in TERMS), *OTHERS]
ORGANISM = "organism_ontology_term_id"
REFERENCE = (
    "https://github.com/chanzuckerberg/single-cell-curation/blob/main/schema/7.1.0/schema.md"
)
NOTHING = SchemaReport(None, None, None, None, None, None, (), ())


def test_recognised_by_what_the_file_states() -> None:
    """A reference is enough, and a version with a column; other files' versions are not."""
    stated = state_schema("7.1.0", REFERENCE, [])
    assert stated is not None and stated.major == 7
    by_version = state_schema("6.0.0", None, COLUMNS[:1])
    assert by_version is not None and by_version.title == "CELLxGENE 6.0.0"
    assert state_schema("6.0.0", None, ["leiden", "n_counts"]) is None
    assert state_schema("2.1", "https://example.org/schema", []) is None


def test_recognised_by_its_columns() -> None:
    """A file that CELLxGENE has not published yet states no version."""
    found = state_schema(None, None, COLUMNS)
    assert found is not None and found.version is None
    assert found.title == "CELLxGENE without a version"
    assert "states no version" in found.evidence
    assert state_schema(None, None, COLUMNS[:3]) is None


@pytest.mark.parametrize(
    ("version", "place"), [("5.0.0", "obs"), ("5.3.0", "obs"), ("6.0.0", "uns"), ("7.1.0", "uns")]
)
def test_place_of_the_organism(version: str, place: str) -> None:
    """Version 6 moved the organism from the cells to the data set."""
    statement = SchemaStatement(version, None, "")
    columns, facts = list(COLUMNS), ["title"]
    assert missing_fields(statement, columns, facts) == (f"{place}/{ORGANISM}",)
    (columns if place == "obs" else facts).append(ORGANISM)
    assert missing_fields(statement, columns, facts) == ()
    # In the other place it does not count.
    others = ([*COLUMNS, ORGANISM], ["title"]), (COLUMNS, ["title", ORGANISM])
    elsewhere = others[place == "obs"]
    assert missing_fields(statement, *elsewhere) == (f"{place}/{ORGANISM}",)


def test_without_a_version_either_place_will_do() -> None:
    """The file is of no known version: what each of them requires is missing where it is."""
    statement = SchemaStatement(None, None, "")
    assert missing_fields(statement, [*COLUMNS, ORGANISM], ["title"]) == ()
    assert missing_fields(statement, COLUMNS, ["title", ORGANISM]) == ()
    found = missing_fields(statement, COLUMNS[1:], [])
    assert found == ("obs/assay_ontology_term_id", "uns/title", f"uns/{ORGANISM}")


@pytest.mark.parametrize("version", ["5.1.0", "6.0.0", "7.1.0", None])
def test_columns_that_are_required(version: str | None) -> None:
    """All of the cells; the organism where it is a column of them."""
    found = required_columns(SchemaStatement(version, None, ""))
    assert set(found) == {*COLUMNS, *([ORGANISM] if version == "5.1.0" else [])}


def test_verdict() -> None:
    """Missing fields and missing values warn and are named; nothing fails."""
    statement = SchemaStatement("7.1.0", REFERENCE, "")
    assert judge_schema(statement, NOTHING, {"donor_id": 0})[0] == "pass"
    status, message = judge_schema(
        statement, replace(NOTHING, missing_fields=("obs/donor_id", "uns/title")), {}
    )
    assert status == "warn"
    assert message == (
        "2 fields that CELLxGENE's schema 7.1.0 requires are missing: obs/donor_id, uns/title."
    )
    terms = (FieldTerms("sex", 1, 3, ()), FieldTerms("assay", 1, 0, ()))
    status, message = judge_schema(statement, replace(NOTHING, terms=terms), {})
    assert (status, "sex of 3 cells" in message) == ("warn", True)
    report = replace(NOTHING, terms=terms, missing_fields=("obs/tissue_type",))
    empty = {"donor_id": 60, "sex_ontology_term_id": 5, "assay_ontology_term_id": 0}
    assert judge_schema(statement, report, empty)[1] == (
        "1 field that CELLxGENE's schema 7.1.0 requires is missing: obs/tissue_type. Fields that "
        "CELLxGENE's schema 7.1.0 requires have no value: sex of 5 cells, donor_id of 60 cells."
    )


def test_versions_of_unknown_fields() -> None:
    """Nothing is said to be missing of a version that is not known, and nothing to be there."""
    for version in ("3.0.0", "8.0.0"):
        statement = SchemaStatement(version, REFERENCE, "")
        assert missing_fields(statement, [], []) == ()
        assert required_columns(statement) == ()
        assert judge_schema(statement, NOTHING, {})[0] == "not measured"


def test_document_is_of_plain_lists() -> None:
    """JSON Schema knows arrays, not tuples."""
    report = replace(NOTHING, terms=(FieldTerms("sex", 0, 3, ()),), missing_fields=("obs/sex",))
    document = schema_document(report)
    assert document["terms"] == [{"field": "sex", "n_terms": 0, "n_missing": 3, "terms": []}]
    assert document["missing_fields"] == ["obs/sex"]
