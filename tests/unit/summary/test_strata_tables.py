"""Strata as a table and a document: the same numbers, valid by the schema."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from dpss.summary.strata_tables import STRATUM_COLUMNS, strata_csv, strata_document, strata_frame
from dpss.summary.tables import genes_csv, summary_document
from dpss.website.schemas import schema
from dpss.website.validation import fault
from tests.unit.summary.test_strata import summary_of


@pytest.mark.parametrize("seed", range(3))
def test_table_and_document_agree(seed: int) -> None:
    """Quantiles and sizes in summary.json are those of strata.csv; the schema holds."""
    summary = summary_of(["a", "b", None] * 10, seed)
    assert summary.strata is not None
    document = summary_document(summary, [])
    assert fault(document, schema("summary")) is None or "files" in str(
        fault(document, schema("summary"))
    )
    table = pd.read_csv(io.BytesIO(strata_csv(summary.strata)))
    assert tuple(table.columns) == STRATUM_COLUMNS == tuple(strata_frame(summary.strata).columns)
    for row, entry in zip(table.itertuples(), document["strata"]["strata"], strict=True):
        assert (row.stratum, row.kind, row.n_cells) == (
            entry["name"], entry["kind"], entry["n_cells"],
        )  # fmt: skip
        assert row.total_counts_p50 == entry["quantiles"]["total_counts"]["p50"]
        assert entry["quantiles"]["pct_counts_mt"] is None
    assert table["pct_cells"].sum() == pytest.approx(100)
    header = genes_csv(summary.genes, summary.strata).partition(b"\n")[0]
    assert header == genes_csv(summary.genes).partition(b"\n")[0] + b",highly_variable_nbatches"


def test_no_strata_no_document() -> None:
    """Without strata there is no field, and the document is refused."""
    summary = summary_of(["a"] * 4)
    bare = type(summary)(**{**vars(summary), "strata": None})
    assert "strata" not in summary_document(bare, [])
    with pytest.raises(ValueError, match="no strata"):
        strata_document(bare)
