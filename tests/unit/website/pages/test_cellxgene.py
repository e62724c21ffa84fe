"""The table of terms on a page."""

from __future__ import annotations

from typing import Any

import pytest

from dpss.website.pages.cellxgene import schema_table

TERM = {"ontology_term_id": "CL:0000066", "label": "epithelial cell", "n_cells": 150}
REPORT: dict[str, Any] = {
    "schema_version": "7.1.0",
    "schema_reference": None,
    "title": "A lung",
    "n_primary_data": 50,
    "pct_primary_data": 25.0,
    "n_primary_missing": 20,
    "terms": [
        {"field": "cell_type", "n_terms": 9, "n_missing": 3, "terms": [TERM] * 7},
        {
            "field": "sex",
            "n_terms": 1,
            "n_missing": 0,
            "terms": [{"ontology_term_id": "PATO:0000383", "label": None, "n_cells": 200}],
        },
    ],
    "missing_fields": ["obs/donor_id", "uns/title"],
}


def test_table() -> None:
    """Primary data first; five terms of a field, then how many more and how many cells without."""
    table = schema_table({"n_cells": 200, "cellxgene": REPORT})
    assert table is not None
    assert table["name"] == "CELLxGENE schema 7.1.0"
    assert table["caption"] == "As the file states it, of 200 cells: A lung"
    primary, kinds, sex = table["rows"]
    assert primary["terms"][0]["label"] == "50 cells of this data set's own"
    assert (primary["terms"][0]["share"], primary["more"]) == ("25.0\u202f%", "20 cells without")
    assert len(kinds["terms"]) == 5
    assert kinds["terms"][0]["id"] == "CL:0000066"
    assert kinds["more"] == "4 more, 3 cells without"
    assert sex["terms"] == [{"label": "PATO:0000383", "id": "", "share": "100\u202f%"}]
    assert table["missing"] == "obs/donor_id, uns/title"


@pytest.mark.parametrize("word", ["unknown", "na", "CL:0000066"])
def test_a_label_that_is_its_identifier(word: str) -> None:
    """It stands once."""
    term = {"ontology_term_id": word, "label": word, "n_cells": 200}
    sex = {"field": "sex", "n_terms": 1, "n_missing": 0, "terms": [term]}
    table = schema_table({"n_cells": 200, "cellxgene": {**REPORT, "terms": [sex]}})
    assert table is not None
    assert table["rows"][1]["terms"] == [{"label": word, "id": "", "share": "100\u202f%"}]


def test_a_document_of_an_earlier_version() -> None:
    """Its percentage was of the cells with a value: the page's is of all cells."""
    report = {**REPORT, "pct_primary_data": 100.0}
    del report["n_primary_missing"]
    table = schema_table({"n_cells": 200, "cellxgene": report})
    assert table is not None
    assert table["rows"][0]["terms"][0]["share"] == "25.0\u202f%"
    assert table["rows"][0]["more"] == ""


def test_without() -> None:
    """No table without the schema; none of the optional parts where the file lacks them."""
    assert schema_table({"n_cells": 200}) is None
    bare = {**REPORT, "schema_version": None, "title": None, "n_primary_data": None, "terms": []}
    table = schema_table({"n_cells": 0, "cellxgene": bare})
    assert table is not None
    assert (table["name"], table["rows"]) == ("CELLxGENE schema", [])
